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
    assignee = fields.String(allow_none=True, metadata={"description": "to whom it was given, if to anybody"})


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


class LineTaskSchema(Schema):
    visit = fields.String()
    rule = fields.String()
    what = fields.String()
    why = fields.String()
    due = fields.String()
    statutory = fields.Boolean()
    outcome = fields.String(allow_none=True)
    submission = fields.String(allow_none=True)
    made_at = fields.String(allow_none=True)
    in_time = fields.Boolean(allow_none=True, metadata={"description": "by when it was made, not synced"})


class WhomSchema(Schema):
    """Whom a visit is to, where, and by when."""

    subject_type = fields.String()
    subject = fields.String()
    household = fields.String(allow_none=True)
    name = fields.String()
    head = fields.String()
    address = fields.String(allow_none=True)
    scope = fields.String()
    place = fields.String()
    due = fields.String()
    show_on = fields.String()


class LineSchema(WhomSchema):
    """A child or household; what stands here of a visit is that of the most urgent one."""

    line = fields.Integer()
    carried = fields.Boolean(metadata={"description": "beyond the capacity: for a later list"})
    carried_from = fields.String(allow_none=True, metadata={"description": "the list on which it was not done"})
    visit = fields.String()
    outcome = fields.String(allow_none=True)
    tasks = fields.List(fields.Nested(LineTaskSchema), metadata={"description": "everything that is due there"})


class ListSchema(Schema):
    number = fields.String(allow_none=True, metadata={"description": "null: not issued"})
    revision = fields.Integer(allow_none=True)
    newest_revision = fields.Integer(allow_none=True)
    area = fields.String()
    ward = fields.String(allow_none=True)
    collaborator = fields.String()
    name = fields.String(allow_none=True)
    kind = fields.String()
    begins = fields.String()
    ends = fields.String()
    issued_at = fields.String(allow_none=True)
    issued_by = fields.String(allow_none=True)
    capacity = fields.Integer(allow_none=True)
    visits_a_day = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True)
    lines = fields.List(fields.Nested(LineSchema))
