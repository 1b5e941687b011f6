"""The shapes of the API, for marshmallow to check and for OpenAPI to describe."""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from sync.envelope import flaw


class Loose(Schema):
    """Members that we do not know yet are ignored: an old server must not refuse a new client.

    What no database can keep is refused before anybody looks for it: U+0000, half a character, NaN.
    """

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def _keepable(self, data: Any, **_: Any) -> Any:
        found = flaw(data)
        if found is not None:
            raise ValidationError(found.detail)
        return data


class ClockSchema(Loose):
    wall = fields.AwareDateTime(required=True, format="iso", metadata={"description": "The device's own time"})
    boot = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    mono_ms = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**53))


class EnvelopeSchema(Loose):
    """A batch without its items: those are read one by one, so that a bad one concerns itself alone."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(1))
    app = fields.String(load_default="", validate=validate.Length(max=100))
    clock = fields.Nested(ClockSchema, load_default=None, allow_none=True)


class TouchedEntitySchema(Schema):
    type = fields.String()
    id = fields.String()
    revision = fields.Integer()
    etag = fields.String(metadata={"description": "<revision>-<hash>: the `base` of the next form about it"})
    overruled = fields.List(fields.String(), metadata={"description": "cells that lost to a declared rule"})
    conflicts = fields.List(fields.String())


class ProblemSchema(Schema):
    code = fields.String()
    pointer = fields.String(metadata={"description": "JSON pointer into the item"})
    detail = fields.String()
    candidates = fields.List(fields.String(), metadata={"description": "the areas that a ward may mean"})


class ReceiptSchema(Schema):
    id = fields.String()
    kept_as = fields.String(metadata={"description": "the id under which a reused id is kept"})
    outcome = fields.String(
        validate=validate.OneOf(["applied", "merged", "conflict", "stored", "quarantined"]), allow_none=True
    )
    reason = fields.String()
    repeat = fields.Boolean()
    entities = fields.List(fields.Nested(TouchedEntitySchema))
    missing_media = fields.List(fields.String())
    warnings = fields.List(fields.String())
    problems = fields.List(fields.Nested(ProblemSchema))


class PushAnswerSchema(Schema):
    server_time = fields.String()
    keep_until = fields.String(metadata={"description": "until when a device keeps what it has sent"})
    device = fields.String(metadata={"description": "`revoked`: stop pulling, wipe after the last receipt"})
    receipts = fields.List(fields.Nested(ReceiptSchema))


class NewsSchema(Schema):
    """That a word of a submission does not show: it lost to a rule, or a supervisor decided otherwise."""

    entity = fields.String()
    cell = fields.String()
    kind = fields.String()


class OwnStateSchema(Schema):
    """What became of a submission after its receipt."""

    id = fields.String()
    state = fields.String(allow_none=True, metadata={"description": "null: not the caller's own, or not known"})
    reason = fields.String(allow_none=True, metadata={"description": "why it is held now"})
    comment = fields.String(allow_none=True, metadata={"description": "the supervisor's last word to its author"})
    question = fields.String(allow_none=True, metadata={"description": "JSON pointer of the question meant"})
    notices = fields.List(fields.Nested(NewsSchema))


class StatusAnswerSchema(Schema):
    """Both lists have an entry for each id that was asked for, in that order."""

    server_time = fields.String()
    receipts = fields.List(fields.Nested(ReceiptSchema))
    states = fields.List(fields.Nested(OwnStateSchema))


class StatusSchema(Loose):
    ids = fields.List(
        fields.String(validate=validate.Length(max=200)),
        required=True,
        validate=validate.Length(min=1, max=500),
    )


class LimitsSchema(Schema):
    max_body = fields.Integer()
    max_inflated = fields.Integer()
    max_items = fields.Integer()
    max_item = fields.Integer()
    max_page = fields.Integer()


class FormSchema(Schema):
    id = fields.String()
    version = fields.String()
    sha256 = fields.String()


class ConfigSchema(Schema):
    server_time = fields.String()
    config = fields.String()
    limits = fields.Nested(LimitsSchema)
    forms = fields.List(fields.Nested(FormSchema))


class CellSchema(Schema):
    value = fields.Dict()
    submission = fields.String()
    author = fields.String()
    observed_at = fields.String()


class ConflictSchema(Schema):
    id = fields.String()
    cell = fields.String()
    values = fields.List(fields.Nested(CellSchema))


class DueSchema(Schema):
    id = fields.String()
    rule = fields.String()
    name = fields.Dict()
    why = fields.Dict()
    earliest = fields.String()
    due = fields.String()
    latest = fields.String()
    statutory = fields.Boolean()
    state = fields.String()
    caused_by = fields.String()


class EntitySchema(Schema):
    type = fields.String()
    id = fields.String()
    revision = fields.Integer()
    etag = fields.String()
    scope = fields.String(allow_none=True)
    deleted = fields.Boolean()
    data = fields.Dict()
    series = fields.Dict(metadata={"description": "cell -> its entries by time; `data` has the latest"})
    broken = fields.List(fields.Dict(), metadata={"description": "cross-field checks that the merged record fails"})
    not_applicable = fields.List(fields.String())
    provenance = fields.Dict(values=fields.Nested(CellSchema))
    conflicts = fields.List(fields.Nested(ConflictSchema))
    visits = fields.List(fields.Nested(DueSchema))


class LineSchema(Schema):
    line = fields.Integer()
    visit = fields.String()
    outcome = fields.String(allow_none=True)


class ListSchema(Schema):
    number = fields.String()
    revision = fields.Integer()
    area = fields.String()
    collaborator = fields.String()
    kind = fields.String()
    begins = fields.String()
    ends = fields.String()
    lines = fields.List(fields.Nested(LineSchema))
