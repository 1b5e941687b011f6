"""The shapes of what schedulers ask and are told."""

from datetime import date

from marshmallow import Schema, ValidationError, fields, validate

from server.api.schemas import ListSchema, Loose, WhomSchema
from sync.visits.lists import ListKind

NAME = validate.Length(min=1, max=100)


def said(text: str) -> None:
    """More than blanks."""
    if not text.strip():
        raise ValidationError("empty")


def of_our_times(day: date) -> None:
    """No calendar is asked about other centuries."""
    if not date(2020, 1, 1) <= day <= date(2099, 12, 31):
        raise ValidationError("not within 2020-01-01 and 2099-12-31")


REASON = validate.And(validate.Length(max=500), said)


class AreaQuery(Loose):
    area = fields.String(validate=validate.Length(max=40), metadata={"description": "as 2025.31135"})
    week = fields.String(
        validate=validate.Length(max=8), metadata={"description": "as 2026-W48 (ISO 8601); this week if not given"}
    )


class PlanQuery(AreaQuery):
    hamlet = fields.String(load_default=None, validate=validate.Length(max=10))
    collaborator = fields.String(load_default=None, validate=NAME)
    after = fields.String(load_default=None, validate=validate.Length(max=100))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))


class SummaryQuery(Loose):
    area = fields.String(validate=validate.Length(max=40))
    begins = fields.Date(required=True, data_key="from")
    ends = fields.Date(required=True, data_key="to")


class ListsQuery(Loose):
    area = fields.String(validate=validate.Length(max=40))
    kind = fields.String(validate=validate.OneOf([kind.value for kind in ListKind]))
    collaborator = fields.String(validate=NAME)
    on = fields.Date(metadata={"description": "a day that the lists are for"})


class RevisionQuery(Loose):
    revision = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))


class WhichListsSchema(Loose):
    """The lists of an area for a day or its week, of one collaborator or of all."""

    area = fields.String(required=True, validate=validate.Length(max=40))
    kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in ListKind]))
    day = fields.Date(
        required=True, validate=of_our_times, metadata={"description": "the day, or any day of the week"}
    )
    collaborator = fields.String(load_default=None, allow_none=True, validate=NAME)


class ReissueSchema(Loose):
    revision = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 2**31 - 2),
        metadata={"description": "the newest that you have seen"},
    )
    reason = fields.String(required=True, validate=REASON, metadata={"description": "printed above the list"})


class ReasonSchema(Loose):
    reason = fields.String(required=True, validate=REASON, metadata={"description": "for officers; on no list"})


class ReassignSchema(ReasonSchema):
    to = fields.String(required=True, validate=NAME)


class SnoozeSchema(ReasonSchema):
    until = fields.Date(
        required=True,
        validate=of_our_times,
        metadata={"description": "the first day on which it may be on a list again"},
    )


class AddSchema(Loose):
    """A visit that no rule asks for."""

    id = fields.String(
        validate=validate.Length(min=1, max=80), metadata={"description": "your own; sent again it is the same visit"}
    )
    subject = fields.String(required=True, validate=validate.Length(min=1, max=200))
    due = fields.Date(required=True, validate=of_our_times)
    to = fields.String(load_default=None, allow_none=True, validate=NAME)
    reason = fields.String(
        required=True,
        validate=validate.And(validate.Length(max=60), REASON),
        metadata={"description": "printed on lists and told to phones: nothing that collaborators may not read"},
    )


class DecidedSchema(Schema):
    act = fields.String()
    reason = fields.String()
    by = fields.String()
    at = fields.String()


class PlannedSchema(WhomSchema):
    id = fields.String()
    rule = fields.String()
    what = fields.String()
    why = fields.String()
    earliest = fields.String()
    latest = fields.String()
    statutory = fields.Boolean()
    priority = fields.Integer()
    attempts = fields.Integer()
    overdue = fields.Boolean()
    assignee_role = fields.String()
    assignee = fields.String(allow_none=True, metadata={"description": "to whom it was given"})
    whose = fields.List(fields.String(), metadata={"description": "on whose lists it stands"})
    snoozed_until = fields.String(allow_none=True)
    cancelled = fields.Boolean()
    decided = fields.Nested(DecidedSchema, allow_none=True, metadata={"description": "the last act on it"})


class PlanSchema(Schema):
    visits = fields.List(fields.Nested(PlannedSchema))
    total = fields.Integer()
    more = fields.Boolean()
    after = fields.String(allow_none=True)


class LoadSchema(Schema):
    collaborator = fields.String()
    name = fields.String()
    visits_a_day = fields.Integer()
    capacity = fields.Integer(metadata={"description": "lines in the whole period, days off left out"})
    visits = fields.Integer()
    lines = fields.Integer(metadata={"description": "children and households; several visits to one are one line"})
    carried = fields.Integer(metadata={"description": "lines beyond the capacity"})
    statutory = fields.Integer()
    shared = fields.Integer(metadata={"description": "visits that stand on another one's list, too"})


class LoadsSchema(Schema):
    area = fields.String()
    begins = fields.String()
    ends = fields.String()
    collaborators = fields.List(fields.Nested(LoadSchema))


class CountsSchema(Schema):
    due = fields.Integer()
    in_time = fields.Integer()
    late = fields.Integer()
    missed = fields.Integer()
    open = fields.Integer()


class RuleCountsSchema(CountsSchema):
    rule = fields.String()
    name = fields.String()


class PersonCountsSchema(CountsSchema):
    collaborator = fields.String(allow_none=True)
    name = fields.String(allow_none=True)


class SummarySchema(Schema):
    total = fields.Nested(CountsSchema)
    by_rule = fields.List(fields.Nested(RuleCountsSchema))
    by_collaborator = fields.List(fields.Nested(PersonCountsSchema))


class ArrangedSchema(Schema):
    id = fields.String(metadata={"description": "of the visit"})


class ListHeadSchema(Schema):
    number = fields.String(allow_none=True)
    revision = fields.Integer(allow_none=True)
    area = fields.String()
    collaborator = fields.String()
    name = fields.String(allow_none=True)
    ward = fields.String(allow_none=True)
    kind = fields.String()
    begins = fields.String()
    ends = fields.String()
    issued_at = fields.String(allow_none=True)
    issued_by = fields.String(allow_none=True)
    capacity = fields.Integer(allow_none=True)
    visits_a_day = fields.Integer(allow_none=True)
    reason = fields.String(allow_none=True, metadata={"description": "why it was issued again"})


class ListHeadsSchema(Schema):
    lists = fields.List(fields.Nested(ListHeadSchema))


class DraftsSchema(Schema):
    lists = fields.List(fields.Nested(ListSchema))


class NumbersSchema(Schema):
    numbers = fields.List(fields.String())


class RevisionSchema(Schema):
    number = fields.String()
    revision = fields.Integer()
