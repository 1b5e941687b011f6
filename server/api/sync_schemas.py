"""The shapes of what devices send and are told."""

from marshmallow import Schema, fields, validate

from server.api.schemas import DueSchema, Loose


class ClockSchema(Loose):
    wall = fields.AwareDateTime(required=True, format="iso", metadata={"description": "The device's own time"})
    boot = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    mono_ms = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**53))


class PullPartSchema(Loose):
    """From where to go on, and how much at most."""

    token = fields.String(load_default=None, allow_none=True, metadata={"description": "null: from nothing"})
    limit = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, 2**31))


class EnvelopeSchema(Loose):
    """A batch without its items: those are read one by one, so that a bad one concerns itself alone."""

    v = fields.Integer(required=True, strict=True, validate=validate.Equal(1))
    app = fields.String(load_default="", validate=validate.Length(max=100))
    clock = fields.Nested(ClockSchema, load_default=None, allow_none=True)
    epoch = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**53))
    ack = fields.String(load_default=None, allow_none=True, metadata={"description": "of the last push"})
    unsent = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(0, 2**31),
        metadata={"description": "how many submissions wait on the device besides these"},
    )
    pull = fields.Nested(PullPartSchema, load_default=None, allow_none=True)


class PullSchema(PullPartSchema):
    """A page without a push."""

    app = fields.String(load_default="", validate=validate.Length(max=100))
    epoch = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 2**53))
    ack = fields.String(load_default=None, allow_none=True)


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
    missing_media = fields.List(fields.String(), metadata={"description": "SHA-256 of files that were not here then"})
    warnings = fields.List(fields.String(), metadata={"description": "codes; nothing was refused for them"})
    checks = fields.List(
        fields.Nested(ProblemSchema), metadata={"description": "the answers that the `check_*` warnings are about"}
    )
    problems = fields.List(fields.Nested(ProblemSchema))


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


class GoneSchema(Schema):
    kind = fields.String()
    id = fields.String()


class PagedConflictSchema(Schema):
    id = fields.String()
    cell = fields.String()


class PagedEntitySchema(Schema):
    """An entity as a phone keeps it: whole, once for however many changes."""

    type = fields.String()
    id = fields.String()
    revision = fields.Integer()
    etag = fields.String()
    scope = fields.String()
    data = fields.Dict(metadata={"description": "a set is its codes joined by spaces, a series its latest entry"})
    src = fields.List(fields.Raw(), metadata={"description": "[submission, [cells that it shows]]"})
    conflicts = fields.List(fields.Nested(PagedConflictSchema))


class PagedListSchema(Schema):
    number = fields.String()
    revision = fields.Integer()
    area = fields.String()
    kind = fields.String()
    begins = fields.String()
    ends = fields.String()
    lines = fields.List(fields.Dict(), metadata={"description": "{line, visit}: what to print is on the phone"})


class PagedStateSchema(OwnStateSchema):
    outcome = fields.String(metadata={"description": "as in the receipt"})


class PageSchema(Schema):
    """What changed in the scopes that one may read. What is gone, and all of a dropped scope, leaves the phone."""

    entities = fields.List(fields.Nested(PagedEntitySchema))
    visits = fields.List(fields.Nested(DueSchema), metadata={"description": "open ones alone"})
    submissions = fields.List(fields.Nested(PagedStateSchema))
    lists = fields.List(fields.Nested(PagedListSchema))
    gone = fields.List(fields.Nested(GoneSchema))
    drop_scopes = fields.List(fields.String())
    config = fields.String(metadata={"description": "differs from the one known: fetch `config` again"})
    token = fields.String()
    more = fields.Boolean()
    remaining = fields.Integer()


class PullAnswerSchema(Schema):
    server_time = fields.String()
    page = fields.Nested(PageSchema)


class PushAnswerSchema(Schema):
    server_time = fields.String()
    ack = fields.String(metadata={"description": "to be named at the next push"})
    keep_until = fields.String(metadata={"description": "until when a device keeps what it has sent"})
    device = fields.String(
        metadata={
            "description": "`revoked`: stop pulling, wipe after the last receipt; `expired`: log in again to pull"
        }
    )
    update = fields.String(metadata={"description": "the version of the client that may pull again"})
    receipts = fields.List(fields.Nested(ReceiptSchema))
    page = fields.Nested(PageSchema, metadata={"description": "if `pull` was asked for"})


class MissingMediaSchema(Schema):
    id = fields.String()
    missing_media = fields.List(fields.String(), metadata={"description": "SHA-256 of files that are not here now"})


class StatusAnswerSchema(Schema):
    """Each list has an entry for each id that was asked for, in that order."""

    server_time = fields.String()
    receipts = fields.List(fields.Nested(ReceiptSchema))
    states = fields.List(fields.Nested(OwnStateSchema))
    media = fields.List(fields.Nested(MissingMediaSchema))


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
    max_blob = fields.Integer(metadata={"description": "the largest file, in bytes"})
    blob_chunk = fields.Integer(metadata={"description": "how much of a file is best sent at once"})


class FormSchema(Schema):
    id = fields.String()
    version = fields.String()
    sha256 = fields.String()


class ConfigSchema(Schema):
    server_time = fields.String()
    config = fields.String(metadata={"description": "a hash of all the rest but the time"})
    epoch = fields.Integer(metadata={"description": "the number of this server's history; named at every push"})
    limits = fields.Nested(LimitsSchema)
    min_app = fields.String()
    forms = fields.List(fields.Nested(FormSchema))
    scopes = fields.List(fields.String())
    view = fields.String()
