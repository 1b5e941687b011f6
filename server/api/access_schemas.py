"""The shapes of people's access: codes, tokens, passwords, devices and what is on them."""

from marshmallow import Schema, fields, validate

from server.api.schemas import Loose

# The end is `(?![\s\S])`, because the document is read by ECMA-262, which has no `\Z`, and `$` is Python's no end.
_INSTALLATION = validate.Regexp(r"^[0-9A-Za-z-]{8,60}(?![\s\S])")
_USER = validate.Length(min=1, max=100)
_PASSWORD = validate.Length(max=500)


# One body for each request, as the OpenAPI document shows it; a test sends them all.
EXAMPLES = {
    "enrol": {
        "code": "7K3MW-92QDX",
        "installation": "5f1c0e0e-3f5b-4a4e-9d59-0a1d2c3b4e5f",
        "label": "Samsung A05",
        "app": "1.4.2",
    },
    "invite": {"user": "u1", "days": 7},
    "revoke": {"reason": "Mất máy trên đường đi thăm hộ"},
    "login": {"user": "u1", "password": "con đò sang sông"},
    "password": {"old": "con đò sang sông", "new": "vườn cau sau nhà"},
}


class EnrolSchema(Loose):
    code = fields.String(required=True, validate=validate.Length(min=1, max=100))
    installation = fields.String(
        required=True, validate=_INSTALLATION, metadata={"description": "the UUID that the client gave itself"}
    )
    label = fields.String(load_default="", validate=validate.Length(max=100))
    app = fields.String(load_default="", validate=validate.Length(max=100))


class UserSchema(Schema):
    id = fields.String()
    name = fields.String()
    role = fields.String()


class EnrolledSchema(Schema):
    device = fields.String()
    user = fields.Nested(UserSchema)
    token = fields.String(metadata={"description": "it is told this once"})


class TokenSchema(Schema):
    token = fields.String(metadata={"description": "it is told this once"})
    expires_at = fields.String(
        allow_none=True, metadata={"description": "from then on it sends, and no longer reads"}
    )


class LoginSchema(Loose):
    user = fields.String(required=True, validate=_USER)
    password = fields.String(required=True, validate=_PASSWORD)


class LoggedInSchema(TokenSchema):
    device = fields.String(allow_none=True, metadata={"description": "null: a free token"})
    user = fields.Nested(UserSchema)


class PasswordSchema(Loose):
    old = fields.String(required=True, validate=_PASSWORD)
    new = fields.String(required=True)


class InviteSchema(Loose):
    user = fields.String(required=True, validate=_USER)
    days = fields.Integer(load_default=7, strict=True, validate=validate.Range(1, 30))


class InvitationSchema(Schema):
    code = fields.String(metadata={"description": "it is told this once"})
    expires_at = fields.String()
    link = fields.String()
    qr = fields.String(metadata={"description": "the link as an SVG image"})


class RevokeSchema(Loose):
    reason = fields.String(
        required=True, validate=validate.Length(min=1, max=500), metadata={"description": "it names no child"}
    )


class DeviceSchema(Schema):
    id = fields.String()
    label = fields.String()
    users = fields.List(fields.Nested(UserSchema))
    enrolled_at = fields.String()
    last_seen = fields.String(allow_none=True)
    app = fields.String(allow_none=True)
    clock_offset = fields.Integer(allow_none=True, metadata={"description": "ms to add to its clock"})
    unsent = fields.Integer(allow_none=True, metadata={"description": "submissions that still waited on it"})
    revoked_at = fields.String(allow_none=True)
    cloned_at = fields.String(allow_none=True, metadata={"description": "when two phones were last seen to use it"})
    wiped_at = fields.String(allow_none=True, metadata={"description": "when it said that it had deleted everything"})
    holding = fields.Integer(metadata={"description": "how many entities are on it, as far as is known"})


class DevicesSchema(Schema):
    devices = fields.List(fields.Nested(DeviceSchema))


class HeldSchema(Schema):
    id = fields.String()
    scope = fields.String()
    since = fields.String()


class HoldingSchema(Schema):
    """To a supervisor `entities`, to an administrator `count`."""

    entities = fields.List(fields.Nested(HeldSchema))
    count = fields.Integer()


class TrailQuery(Loose):
    entity = fields.String(required=True, validate=validate.Length(min=1, max=200))


class StaySchema(Schema):
    device = fields.String()
    label = fields.String()
    users = fields.List(fields.Nested(UserSchema), metadata={"description": "those of it who were told"})
    since = fields.String()
    until = fields.String(allow_none=True, metadata={"description": "when a page took it away"})
    read = fields.Boolean(metadata={"description": "the phone has read that page, or has deleted everything"})


class TrailSchema(Schema):
    holding = fields.List(fields.Nested(StaySchema))
