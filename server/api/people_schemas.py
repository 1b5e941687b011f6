"""The shapes of what is asked about people, their charges and lost phones."""

from marshmallow import fields, validate

from server.api.schemas import Loose
from sync.authority import Role

# The end is `(?![\s\S])`, because the document is read by ECMA-262, which has no `\Z`, and `$` is Python's no end.
_NEW_USER = validate.Regexp(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,59}(?![\s\S])")
_USER = validate.Length(min=1, max=100)
_AREA = validate.Length(min=1, max=40)
_HAMLET = validate.Length(min=1, max=10)
_REASON = validate.Length(min=1, max=500)
EXAMPLES = {
    "handover": {
        "area": "2025.31135",
        "hamlet": "01",
        "from": "u1",
        "to": "u2",
        "day": "2036-12-01",
        "reason": "Chuyển công tác",
    }
}


class HandoverSchema(Loose):
    """`day` is the first day of the new one; the day before is the last of the old one."""

    area = fields.String(required=True, validate=_AREA)
    hamlet = fields.String(required=True, validate=_HAMLET)
    giver = fields.String(required=True, validate=_USER, data_key="from")
    taker = fields.String(required=True, validate=_USER, data_key="to")
    day = fields.Date(required=True)
    reason = fields.String(required=True, validate=_REASON)


class HandedSchema(Loose):
    last_day = fields.Date(metadata={"description": "of the old one"})
    first_day = fields.Date(metadata={"description": "of the new one"})
    visits = fields.Integer(
        metadata={"description": "that were arranged for the old one and now are for the new one"}
    )


class ChargeSchema(Loose):
    area = fields.String(required=True, validate=_AREA)
    hamlet = fields.String(load_default="", validate=validate.Length(max=10))
    begins = fields.Date(required=True)
    ends = fields.Date(load_default=None, allow_none=True)


class EndSchema(Loose):
    charge = fields.String(required=True, validate=validate.Length(max=80))
    last = fields.Date(required=True)


class LeaveSchema(Loose):
    stand_in = fields.String(required=True, validate=_USER)
    begins = fields.Date(required=True)
    ends = fields.Date(required=True)
    reason = fields.String(required=True, validate=_REASON)


class PersonSchema(Loose):
    name = fields.String(required=True, validate=validate.Length(min=1, max=100))
    role = fields.String(required=True, validate=validate.OneOf([role.value for role in Role]))
    visits_a_day = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, 100))


class NewPersonSchema(PersonSchema):
    id = fields.String(required=True, validate=_NEW_USER)


class InvitingSchema(Loose):
    user = fields.String(required=True, validate=_USER)
    label = fields.String(load_default="", validate=validate.Length(max=100))
    days = fields.Integer(load_default=7, validate=validate.Range(1, 30))


class LostSchema(Loose):
    detected = fields.String(required=True, validate=validate.Length(max=40))
    noticed_by = fields.String(required=True, validate=validate.Length(min=1, max=200))
    circumstances = fields.String(required=True, validate=validate.Length(min=1, max=2000))


class ClosingSchema(Loose):
    notified = fields.String(load_default="", validate=validate.Length(max=40))
    reason = fields.String(load_default="", validate=validate.Length(max=2000))
