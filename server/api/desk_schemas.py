"""The shapes of the supervisor's API."""

from marshmallow import Schema, fields, validate

from server.api.schemas import Loose

# The end is `(?![\s\S])`, because the document is read by ECMA-262, which has no `\Z`, and `$` is Python's no end.
_ID = validate.Regexp(r"^[!-}]{1,150}(?![\s\S])")
_REASON = validate.Length(max=2000)
PATCH_POINTER = validate.Regexp(r"^/answers(/[^/]{1,120}){1,3}(?![\s\S])")


class ActSchema(Loose):
    """What every act may carry: an `id` that makes it safe to send twice, and a reason."""

    id = fields.String(validate=_ID, metadata={"description": "the client's own id; the same id is answered alike"})
    reason = fields.String(validate=_REASON, metadata={"description": "required where the act changes anything"})


class ReasonedSchema(ActSchema):
    reason = fields.String(required=True, validate=validate.Length(min=1, max=2000))


class ReturnSchema(ActSchema):
    comment = fields.String(required=True, validate=validate.Length(min=1, max=2000))
    question = fields.String(
        validate=validate.Length(max=300), metadata={"description": "JSON pointer of the question meant"}
    )


class RejectSchema(ReasonedSchema):
    halves = fields.Boolean(
        load_default=False, metadata={"description": "withdraw what stands in protected halves, too"}
    )


class RepairSchema(ReasonedSchema):
    patch = fields.Dict(
        keys=fields.String(validate=PATCH_POINTER),
        required=True,
        validate=validate.Length(min=1, max=100),
        metadata={"description": "JSON pointer (`/answers/...`) -> what is read there; null: blank"},
    )


class ResolveSchema(ReasonedSchema):
    seen = fields.List(fields.String(validate=validate.Length(max=200)), required=True)
    choice = fields.String(metadata={"description": "the submission whose value stands"})
    value = fields.Dict(keys=fields.String(), metadata={"description": "another value: property -> value"})


class CorrectSchema(ReasonedSchema):
    base = fields.String(required=True, metadata={"description": "the etag of the state that was seen"})
    values = fields.Dict(keys=fields.String(), required=True, validate=validate.Length(min=1, max=100))


class LifeSchema(ReasonedSchema):
    base = fields.String(required=True)


class ManySchema(Loose):
    """One act on many submissions that are held for one cause."""

    act = fields.String(
        required=True, validate=validate.OneOf(["approve", "reject", "unreject", "accept", "repair", "return"])
    )
    ids = fields.List(
        fields.String(validate=validate.Length(max=200)), required=True, validate=validate.Length(min=1, max=200)
    )
    reason = fields.String(validate=_REASON)
    comment = fields.String(validate=_REASON)
    patch = fields.Dict(keys=fields.String(validate=PATCH_POINTER), validate=validate.Length(max=100))
    halves = fields.Boolean(load_default=False)


class ListQuery(Loose):
    area = fields.String(validate=validate.Length(max=40))
    state = fields.String(
        validate=validate.OneOf(
            ["received", "edited", "has_issues", "rejected", "approved", "quarantined", "set_aside", "stored"]
        )
    )
    after = fields.String(validate=validate.Length(max=200))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 200))
    closed = fields.Boolean(load_default=False)


class DoneSchema(Schema):
    id = fields.String(metadata={"description": "the submission that the act itself is"})
    act = fields.String()
    outcome = fields.String()
    repeat = fields.Boolean()
    target = fields.String()
    state = fields.String()
    entity = fields.String()
    etag = fields.String()
    conflict = fields.String()
    unchanged = fields.Dict(metadata={"description": "entity -> cells that a repair mended and others replaced"})


class ResultSchema(DoneSchema):
    code = fields.String(metadata={"description": "why it was refused, if it was"})
    detail = fields.String()
    pointer = fields.String()
    candidates = fields.List(fields.String(), metadata={"description": "the wards that one must be chosen from"})
    problems = fields.List(fields.Dict(), metadata={"description": "what is wrong still, in spite of the patch"})


class ManyDoneSchema(Schema):
    results = fields.List(fields.Nested(ResultSchema))


class MemberSchema(Schema):
    submission = fields.String()
    act = fields.String()
    author = fields.String()
    value = fields.Dict(allow_none=True)
    base = fields.Dict(metadata={"description": "the cell as it stood on the author's screen"})
    observed_at = fields.String()
    received_at = fields.String()
    saw = fields.List(fields.String())
    late = fields.Boolean()
    clock_suspect = fields.Boolean()
    unknown_base = fields.Boolean()
    request = fields.Boolean()
    shows = fields.Boolean()


class NamedSchema(Schema):
    type = fields.String()
    id = fields.String()
    label = fields.String()


class DoubtSchema(Schema):
    id = fields.String()
    entity = fields.Nested(NamedSchema)
    entity_etag = fields.String()
    cell = fields.String()
    labels = fields.Dict()
    area = fields.String()
    open = fields.Boolean()
    opened_at = fields.String()
    resolved_by = fields.String(allow_none=True)
    provisional = fields.Dict(allow_none=True)
    members = fields.Raw(metadata={"description": "in a list the submissions; of one conflict all about them"})


class DoubtsSchema(Schema):
    conflicts = fields.List(fields.Nested(DoubtSchema))


class SubmissionLineSchema(Schema):
    id = fields.String()
    state = fields.String()
    reason = fields.String(allow_none=True)
    cause = fields.String(metadata={"description": "the same for submissions that can be dealt with together"})
    form = fields.String()
    kind = fields.String()
    author = fields.String()
    area = fields.String()
    elsewhere = fields.Boolean()
    observed_at = fields.String(allow_none=True)
    received_at = fields.String()


class SubmissionsSchema(Schema):
    submissions = fields.List(fields.Nested(SubmissionLineSchema))
    more = fields.Boolean()


class NamedFileSchema(Schema):
    name = fields.String()
    sha256 = fields.String(metadata={"description": "see `/api/v1/media/{sha256}`"})
    size = fields.Integer()
    question = fields.String(allow_none=True, metadata={"description": "that it answers"})
    protected = fields.Boolean(metadata={"description": "officers alone see it"})
    here = fields.Boolean(metadata={"description": "false: it has not arrived yet"})


class SubmissionSchema(SubmissionLineSchema):
    class Meta:
        exclude = ("cause",)

    outcome = fields.String()
    version = fields.String()
    device = fields.String(allow_none=True)
    comment = fields.String(allow_none=True)
    question = fields.String(allow_none=True)
    notices = fields.List(fields.Dict())
    amends = fields.String(allow_none=True)
    warnings = fields.List(fields.String())
    checks = fields.List(fields.Dict(), metadata={"description": "answers that look wrong; also protected ones"})
    problems = fields.List(fields.Dict())
    answers = fields.Raw()
    media = fields.List(fields.Nested(NamedFileSchema))
    entities = fields.List(fields.Dict())
    later = fields.List(fields.String())
    clock_suspect = fields.Boolean(metadata={"description": "the phone's clock cannot be believed"})
    entered_late = fields.Boolean(metadata={"description": "written on paper first"})
    danger = fields.Boolean()


class HistorySchema(Schema):
    type = fields.String()
    id = fields.String()
    etag = fields.String()
    cells = fields.Dict()
