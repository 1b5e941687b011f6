"""From one raw item to an arrival: read, checked and placed, or held with the reason. No database here.

Nothing raises for what a phone may have sent: whatever is wrong becomes a reason, and the bytes go along.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from forms.catalogue import Catalogue, Entry
from forms.entity_types import Property, PropertyType
from forms.filling import Filled, Told, fill
from forms.form import Form
from forms.instance import EntityElement, UnreadableInstance, answers_of, parse_instance
from forms.schema import Problem, check
from forms.text import normalise, normalise_name
from forms.values import BadValue, canonical
from sync.batch import Claim, DeviceClock, Item, Limits, Reason, read_item, usable_id
from sync.envelope import RawItem
from sync.places import Places
from sync.times import DAY, local_date

_FAR = 4_102_444_800_000  # 2100: a clock beyond it says nothing
_ENTITY_ID = re.compile(r"\A[0-9A-Za-z:._-]{1,100}\Z")


@dataclass(frozen=True)
class Sender:
    """Who is at the other end: an installation (None: a token without a phone) and one user of it."""

    user: str
    device: str | None
    users: frozenset[str]
    enrolled: int


@dataclass(frozen=True)
class Arrival:
    """One item as the transaction takes it. `held` is why it will not be applied, if it will not.

    `claims` are what the item says about each entity it names; `told` what its answers tell of whom.
    """

    id: str
    sha256: str
    raw: bytes
    sender: Sender
    author: str
    received: int
    item: Item | None = None
    form: Form | None = None
    filled: Filled | None = None
    told: tuple[Told, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    clock: DeviceClock | None = None
    held: Reason | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every entity that the item speaks of."""
        return frozenset(self.claims) | frozenset(told.id for told in self.told)

    def revoked(self) -> "Arrival":
        """The same from a device that has lost its right: kept for a supervisor, whatever else it is."""
        text = "Máy này đã bị thu hồi; phiếu được giữ lại cho cán bộ xem."
        return replace(
            self,
            held=Reason.DEVICE_REVOKED,
            problems=(Problem(Reason.DEVICE_REVOKED, "", text), *self.problems),
        )

    @property
    def observed(self) -> int:
        """When its author says it was observed; the receipt's time if he does not."""
        stated = int(self.item.observed_at.timestamp() * 1000) if self.item else self.received
        return max(0, min(stated, _FAR))


@dataclass(frozen=True)
class Reader:
    """What reading needs to know, and nothing that changes while a batch is read."""

    catalogue: Catalogue
    places: Places
    limits: Limits

    def read(self, raw: RawItem, sender: Sender, clock: DeviceClock | None, received: int) -> Arrival:
        """Read one item. An item without a usable id is kept under the hash of its bytes."""
        ident = usable_id(raw.value) or f"sha256:{raw.sha256}"
        arrival = Arrival(ident, raw.sha256, raw.raw, sender, sender.user, received, clock=clock)
        if raw.problem is not None:
            return _hold(arrival, Reason.UNREADABLE, raw.problem)
        if len(raw.raw) > self.limits.max_item:
            text = f"Phiếu lớn hơn {self.limits.max_item} byte."
            return _hold(arrival, Reason.UNREADABLE, Problem("too_large", "", text))
        item, problems = read_item(raw.value)
        if item is None:
            return _hold(arrival, Reason.UNREADABLE, *problems)
        return self._item(replace(arrival, item=item, author=item.author or sender.user))

    def _item(self, arrival: Arrival) -> Arrival:
        item = arrival.item
        assert item is not None
        arrival = replace(arrival, claims={claim.id: claim for claim in item.entities})
        if item.kind != "visit":
            return _hold(arrival, Reason.NOT_ALLOWED, Problem("kind", "/kind", "Máy không được gửi loại phiếu này."))
        if arrival.author not in arrival.sender.users:
            text = "Người lập phiếu không dùng máy này."
            return _hold(
                replace(arrival, author=arrival.sender.user),
                Reason.NOT_ALLOWED,
                Problem("author", "/author", text),
            )
        entry = self.catalogue.find(item.form, item.version)
        if entry is None:
            known = self.catalogue.knows(item.form)
            reason = Reason.UNKNOWN_VERSION if known else Reason.UNKNOWN_FORM
            text = "Máy chủ không có phiên bản biểu mẫu này." if known else "Máy chủ không có biểu mẫu này."
            return _hold(arrival, reason, Problem(reason, "/version" if known else "/form", text))
        return self._answers(replace(arrival, form=entry.form), item, entry)

    def _answers(self, arrival: Arrival, item: Item, entry: Entry) -> Arrival:
        answers, strange = item.answers, list[Problem]()
        if item.xml is not None:
            try:
                answers, elements, strange = _from_xml(entry.form, item)
            except UnreadableInstance as error:
                return _hold(arrival, Reason.UNREADABLE, Problem("bad_xml", "/xml", error.args[0]))
            arrival = replace(arrival, claims=_claims(elements, arrival.claims))
        checked, problems = check(entry.schema, answers)
        problems += strange
        if problems:
            unknown = all(problem.code == "unknown_property" for problem in problems)
            return _hold(arrival, Reason.UNKNOWN_PROPERTY if unknown else Reason.BAD_VALUE, *problems)
        warnings = ("text_normalised",) if _mended(answers) else ()
        named = [(claim.type, claim.id) for claim in arrival.claims.values()]
        # A phone's date may be a day ahead of ours; a condition on today() must not refuse it for that.
        today = local_date(arrival.received + DAY)
        filled = fill(entry.form, self.catalogue.types, checked, named, arrival.id, today)
        arrival = replace(arrival, filled=filled, told=filled.told, warnings=warnings)
        problems = [*filled.problems, *_bad_ids(filled.told)]
        if problems:
            return _hold(arrival, Reason.BAD_VALUE, *problems)
        return self._place(self._seen(arrival, entry.form), entry.form)

    def _seen(self, arrival: Arrival, form: Form) -> Arrival:
        """What was on the screen, in the spelling in which answers are compared."""
        claims = {}
        for ident, claim in arrival.claims.items():
            seen = claim.seen
            if seen is not None and claim.type in self.catalogue.types:
                properties = self.catalogue.types[claim.type].properties
                seen = {n: v for n, v in seen.items() if n in properties}
                seen = _canonical_seen(form, claim.type, properties, seen)
            claims[ident] = replace(claim, seen=seen)
        return replace(arrival, claims=claims)

    def _place(self, arrival: Arrival, form: Form) -> Arrival:
        """Put every stated ward into today's areas; a ward that is unknown or was split holds the item."""
        placed = []
        for told in arrival.told:
            stated = told.said.get("ward_code")
            areas = self.places.areas(stated) if stated else ("",)
            if len(areas) != 1:
                reason = Reason.WARD_AMBIGUOUS if areas else Reason.WARD_UNKNOWN
                return _hold(arrival, reason, Problem(reason, f"{told.pointer}/ward_code", _WARDS[reason]))
            said = dict(told.said)
            if stated:
                said["ward_code"] = areas[0]
                said["hamlet_code"] = self.places.hamlet(areas[0], stated, said.get("hamlet_code"))
            placed.append(replace(told, said=said))
        return replace(arrival, told=tuple(placed))


_WARDS = {
    Reason.WARD_UNKNOWN: "Không có xã/phường nào mang mã này.",
    Reason.WARD_AMBIGUOUS: "Xã/phường cũ này đã chia cho nhiều xã/phường; cần người chọn.",
}


def _hold(arrival: Arrival, reason: Reason, *problems: Problem) -> Arrival:
    return replace(arrival, held=reason, problems=problems[:50])


def _from_xml(form: Form, item: Item) -> tuple[dict[str, Any], list[EntityElement], list[Problem]]:
    assert item.xml is not None
    instance = parse_instance(item.xml)
    if (instance.form, instance.version) != (item.form, item.version):
        raise UnreadableInstance("XML thuộc biểu mẫu khác với biểu mẫu ghi trong phiếu.")
    return answers_of(form, instance)


def _claims(elements: Sequence[EntityElement], claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """The engine's entity elements, completed by what the item itself says of the same entities."""
    found = {}
    for element in elements:
        known = claims.get(element.id)
        base = 0 if not element.update else None
        found[element.id] = known or Claim(element.type, element.id, base, "", (), None)
    return {**found, **claims}


def _bad_ids(told: Sequence[Told]) -> list[Problem]:
    counts = Counter(t.id for t in told)
    bad = [t for t in told if not _ENTITY_ID.match(t.id)]
    twice = [t for t in told if counts[t.id] > 1]
    return [
        *(Problem("bad_value", t.pointer, "Mã của hộ hoặc trẻ không hợp lệ.") for t in bad),
        *(Problem("bad_value", t.pointer, "Mã này dùng cho hai người trong cùng một phiếu.") for t in twice),
    ]


def _canonical_seen(
    form: Form, kind: str, properties: Mapping[str, Property], seen: Mapping[str, Any]
) -> dict[str, Any]:
    """`seen` in canonical values; one that is of the wrong kind was not on any screen, and is left out."""
    values: dict[str, Any] = {}
    for question in form.questions:
        name = question.property
        if question.container is None or question.container.type != kind or name is None or name not in seen:
            continue
        try:
            value = canonical(question.kind, seen[name])
        except BadValue:
            continue
        prop = properties[name]
        if prop.type is PropertyType.WARD and value and "." not in value:
            value = f"{form.ward_list}.{value}"
        values[name] = normalise_name(value) if prop.type is PropertyType.NAME and value else value
    return values


def _mended(answers: Any) -> bool:
    """Whether any text had to be mended beyond trimming (Ð for Đ, not NFC)."""
    stack = [answers]
    while stack:
        node = stack.pop()
        if isinstance(node, str) and normalise(node) != node.strip():
            return True
        stack += list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return False
