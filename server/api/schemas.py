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
    subject_type = fields.String()
    subject = fields.String()
    household = fields.String(allow_none=True)
    scope = fields.String()
    rule = fields.String()
    name = fields.Dict()
    why = fields.Dict()
    earliest = fields.String()
    due = fields.String()
    latest = fields.String()
    show_on = fields.String(metadata={"description": "the day from which it is worth showing"})
    statutory = fields.Boolean()
    priority = fields.Integer()
    assignee_role = fields.String()
    attempts = fields.Integer(metadata={"description": "how often nobody was met"})
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


class SearchSchema(Loose):
    """A name, or words of it in any order, with or without tones and diacritics; without one, everybody."""

    q = fields.String(load_default="", validate=validate.Length(max=200))
    area = fields.String(validate=validate.Length(max=40))
    type = fields.String(validate=validate.OneOf(["household", "child"]))
    after = fields.String(validate=validate.Length(max=200), metadata={"description": "the last of the page before"})
    limit = fields.Integer(load_default=50, strict=True, validate=validate.Range(1, 50))


class FoundEntitySchema(Schema):
    type = fields.String()
    id = fields.String()
    label = fields.String()
    dob = fields.String(allow_none=True)
    household = fields.String(allow_none=True)
    area = fields.String()
    scope = fields.String(allow_none=True)


class FoundSchema(Schema):
    entities = fields.List(fields.Nested(FoundEntitySchema))
    more = fields.Boolean()


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
