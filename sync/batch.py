"""The items of a batch: their closed lists, limits and shape."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from forms.schema import Problem
from forms.text import storable
from sync.state.model import Branch

ANY_ETAG = "*"  # of a client that names revisions alone


class Outcome(StrEnum):
    """What became of a submission at its first receipt. There is no "rejected"."""

    APPLIED = "applied"
    MERGED = "merged"
    CONFLICT = "conflict"
    STORED = "stored"
    QUARANTINED = "quarantined"


class Reason(StrEnum):
    """Why a submission is kept but not applied."""

    UNREADABLE = "unreadable"
    BAD_VALUE = "bad_value"
    UNKNOWN_FORM = "unknown_form"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_PROPERTY = "unknown_property"
    NOT_ALLOWED = "not_allowed"
    OUT_OF_AREA = "out_of_area"
    WARD_UNKNOWN = "ward_unknown"
    WARD_AMBIGUOUS = "ward_ambiguous"
    ID_REUSE = "id_reuse"
    DEVICE_REVOKED = "device_revoked"


@dataclass(frozen=True)
class Limits:
    """What one request may hold; told to devices, so that they can cut their batches to fit. Sizes in bytes.

    `max_blob` is the largest file, `blob_chunk` how much of one is best sent at once.
    """

    max_body: int = 1_048_576
    max_inflated: int = 8_388_608
    max_items: int = 200
    max_item: int = 262_144
    max_page: int = 500
    max_blob: int = 20_971_520
    blob_chunk: int = 262_144


@dataclass(frozen=True)
class Claim:
    """What an item says about one entity: which state its author held (`base`) and what was on the screen.

    `branch` takes the place of `after` where a form engine tells its own chain.
    """

    type: str
    id: str
    base_rev: int | None
    base_etag: str
    after: tuple[str, ...]
    seen: Mapping[str, Any] | None
    branch: Branch | None = None

    @property
    def creates(self) -> bool:
        return self.base_rev == 0 and not self.after and self.branch is None


@dataclass(frozen=True)
class Medium:
    """A file that belongs to an item and travels on its own."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, order=True)
class MediumRow:
    """A file that a submission names, whether it is here yet or not.

    `question` is the one that it answers, `entity` the household or child in whose part of the form that is: of a
    protected question the child, not its half. `protected`: officers alone read it.
    """

    sub: str
    sha256: str
    name: str
    size: int
    question: str | None
    entity: str | None
    protected: bool


@dataclass(frozen=True)
class Item:
    """One readable submission of a batch."""

    id: str
    form: str
    version: str
    kind: str
    observed_at: datetime
    seq: int | None = None
    author: str | None = None
    obs: Mapping[str, Any] | None = None
    entered_late: bool = False
    amends: str | None = None
    answers: Any = None
    xml: str | None = None
    entities: tuple[Claim, ...] = ()
    media: tuple[Medium, ...] = ()


@dataclass(frozen=True)
class DeviceClock:
    """The device's own clock at the moment of sending; wall in ms since 1970, mono in ms since boot."""

    wall: int
    boot: str | None = None
    mono: int | None = None


_USABLE_ID = re.compile(r"\A[!-}]{1,150}\Z")  # visible ASCII without "~", which marks a reused id
_BASE = re.compile(r"\A(?:(0)-|(\d{1,12})-([0-9a-f]{10}))\Z", re.ASCII)


def _storable(text: str) -> None:
    if not storable(text):
        raise ValidationError("no database can keep it")


class _ClaimSchema(Schema):
    type = fields.String(required=True, validate=validate.Length(max=50))
    id = fields.String(required=True, validate=validate.Regexp(r"\A[0-9A-Za-z:._-]{1,100}\Z"))
    base = fields.String(load_default=None, allow_none=True)
    after = fields.List(fields.String(validate=validate.Length(max=200)), validate=validate.Length(max=500))
    seen = fields.Dict(keys=fields.String(), load_default=None, allow_none=True)


class _MediumSchema(Schema):
    name = fields.String(required=True, validate=[validate.Length(min=1, max=200), _storable])
    sha256 = fields.String(required=True, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))
    size = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=2**40))


class _ObservedSchema(Schema):
    boot = fields.String(required=True, validate=validate.Length(max=100))
    mono_ms = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=2**53))


class _ItemSchema(Schema):
    id = fields.String(required=True, validate=validate.Regexp(_USABLE_ID))
    seq = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(0, 2**53))
    form = fields.String(load_default="", validate=validate.Length(max=100))
    version = fields.String(load_default="", validate=validate.Length(max=100))
    author = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))
    kind = fields.String(load_default="visit", validate=validate.Length(max=50))
    observed_at = fields.AwareDateTime(required=True, format="iso")
    obs = fields.Nested(_ObservedSchema(unknown=EXCLUDE), load_default=None, allow_none=True)
    entered_late = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    amends = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    answers = fields.Raw(load_default=None, allow_none=True)
    xml = fields.String(load_default=None, allow_none=True)
    entities = fields.List(fields.Nested(_ClaimSchema(unknown=EXCLUDE)), load_default=list)
    media = fields.List(fields.Nested(_MediumSchema(unknown=EXCLUDE)), load_default=list)


_ITEM = _ItemSchema(unknown=EXCLUDE)
_MEDIUM = _MediumSchema(unknown=EXCLUDE)


def usable_id(value: Any) -> str | None:
    """The id that an item carries, if it can name a submission."""
    ident = value.get("id") if isinstance(value, dict) else None
    return ident if isinstance(ident, str) and _USABLE_ID.match(ident) else None


def read_item(value: Any) -> tuple[Item | None, list[Problem]]:
    """Read one item of the envelope's shape, or say what is wrong with it."""
    try:
        loaded = _ITEM.load(value)
        if loaded["kind"] != "delete" and not loaded["form"]:
            raise ValidationError({"form": ["missing"]})
    except ValidationError as error:
        return None, [Problem("bad_field", pointer, _sentence(pointer)) for pointer in sorted(_pointers(error))]
    if loaded["kind"] != "delete" and (loaded["answers"] is None) == (loaded["xml"] is None):
        return None, [Problem("bad_field", "/answers", "Cần đúng một trong hai: answers hoặc xml.")]
    loaded["entities"] = tuple(claim_of(told) for told in loaded["entities"])
    loaded["media"] = tuple(Medium(**medium) for medium in loaded["media"])
    return Item(**loaded), []


def read_media(value: Any) -> tuple[Medium, ...]:
    """The files that an item names although it cannot be read as a whole: those that are named well."""
    named = value.get("media") if isinstance(value, dict) else None
    found = []
    for one in named if isinstance(named, list) else ():
        with suppress(ValidationError):
            found.append(Medium(**_MEDIUM.load(one)))
    return tuple(found)


def claim_of(told: Mapping[str, Any]) -> Claim:
    """A checked claim. Its base is written `<rev>-<etag>`, or `0-` of something new; any other is nobody's."""
    match = _BASE.match(told.get("base") or "")
    rev, etag = (int(match.group(1) or match.group(2)), match.group(3) or "") if match else (None, "")
    return Claim(told["type"], told["id"], rev, etag, tuple(told.get("after") or ()), told.get("seen"))


def _pointers(error: ValidationError) -> Iterator[str]:
    stack: list[tuple[str, Any]] = [("", error.messages)]
    while stack:
        pointer, messages = stack.pop()
        if isinstance(messages, dict):
            stack += [(pointer if key == "_schema" else f"{pointer}/{key}", m) for key, m in messages.items()]
        else:
            yield pointer


def _sentence(pointer: str) -> str:
    return f"Phần {pointer} của phiếu bị thiếu hoặc sai kiểu." if pointer else "Phiếu phải là một đối tượng JSON."
