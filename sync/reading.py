"""From one raw item to an arrival: read, checked and placed, or held with the reason. No database here.

Nothing raises for what a phone may have sent: whatever is wrong becomes a reason, and the bytes go along.
"""

import copy
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from forms.catalogue import Catalogue, Entry
from forms.checks import look
from forms.entity_types import EntityType, Half, PropertyType
from forms.filling import Told, fill
from forms.form import Form
from forms.instance import EntityElement, UnreadableInstance, answers_of, parse_instance
from forms.schema import Problem
from forms.text import normalise
from sync.arrival import Arrival, Sender
from sync.batch import ANY_ETAG, Claim, DeviceClock, Item, Limits, Reason, read_item, usable_id
from sync.envelope import RawItem
from sync.item_gate import plain_item
from sync.places import Places
from sync.screen import screen_of
from sync.state.model import Act, Branch
from sync.times import DAY, local_date

DEVICE_KINDS = (Act.VISIT, Act.DELETE)
_VERSION = re.compile(r"\A[0-9]{1,12}\Z", re.ASCII)
_ENTITY_ID = re.compile(r"\A[0-9A-Za-z:._-]{1,100}\Z")


@dataclass(frozen=True)
class Reader:
    """What reading needs to know, and nothing that changes while a batch is read."""

    catalogue: Catalogue
    places: Places
    limits: Limits

    def read(
        self,
        raw: RawItem,
        sender: Sender,
        clock: DeviceClock | None,
        received: int,
        patch: Mapping[str, Any] | None = None,
        ident: str | None = None,
    ) -> Arrival:
        """Read one item. An item without a usable id is kept under the hash of its bytes.

        `patch` maps JSON pointers into `/answers` to what a supervisor reads there instead (None: blank).
        `ident` is the id under which the item is kept already.
        """
        ident = ident or usable_id(raw.value) or f"sha256:{raw.sha256}"
        arrival = Arrival(ident, raw.sha256, raw.raw, sender, sender.user, received, value=raw.value, clock=clock)
        if raw.problem is not None:
            return _hold(arrival, Reason.UNREADABLE, raw.problem)
        if len(raw.raw) > self.limits.max_item:
            text = f"Phiếu lớn hơn {self.limits.max_item} byte."
            return _hold(arrival, Reason.UNREADABLE, Problem("too_large", "", text))
        item, problems = plain_item(raw.value), list[Problem]()
        if item is None:
            item, problems = read_item(raw.value)
        if item is None:
            return _hold(arrival, Reason.UNREADABLE, *problems)
        return self._item(replace(arrival, item=item, author=item.author or sender.user), item, patch or {})

    def unread(self, raw: RawItem, sender: Sender, clock: DeviceClock | None, received: int) -> Arrival:
        """One item that `read` failed on: kept, and read again when the fault is mended."""
        ident = usable_id(raw.value) or f"sha256:{raw.sha256}"
        return Arrival(
            ident, raw.sha256, raw.raw, sender, sender.user, received, value=raw.value, clock=clock, fault=True
        )

    def _item(self, arrival: Arrival, item: Item, patch: Mapping[str, Any]) -> Arrival:
        arrival = replace(arrival, claims={claim.id: claim for claim in item.entities})
        if item.kind not in DEVICE_KINDS:
            return _hold(arrival, Reason.NOT_ALLOWED, Problem("kind", "/kind", "Máy không được gửi loại phiếu này."))
        stranger = arrival.author not in arrival.sender.users
        if stranger:
            arrival = replace(arrival, author=arrival.sender.user)
        if item.kind == Act.DELETE:
            read = self._deletion(replace(arrival, act=Act.DELETE))
        else:
            read = self._form(arrival, item, patch)
        if not stranger:
            return read
        text = "Người lập phiếu không dùng máy này."
        return _hold(read, Reason.NOT_ALLOWED, Problem("author", "/author", text), *read.problems)

    def _deletion(self, arrival: Arrival) -> Arrival:
        types = self.catalogue.types
        known = {i: claim for i, claim in arrival.claims.items() if claim.type in types and _open(types[claim.type])}
        if known and len(known) == len(arrival.claims):
            return arrival
        text = "Phiếu xóa phải nêu hộ hoặc trẻ cần xóa."
        return _hold(replace(arrival, claims=known), Reason.BAD_VALUE, Problem("bad_value", "/entities", text))

    def _form(self, arrival: Arrival, item: Item, patch: Mapping[str, Any]) -> Arrival:
        entry = self.catalogue.find(item.form, item.version)
        if entry is None:
            known = self.catalogue.knows(item.form)
            reason = Reason.UNKNOWN_VERSION if known else Reason.UNKNOWN_FORM
            text = "Máy chủ không có phiên bản biểu mẫu này." if known else "Máy chủ không có biểu mẫu này."
            return _hold(arrival, reason, Problem(reason, "/version" if known else "/form", text))
        return self._answers(replace(arrival, form=entry.form), item, entry, patch)

    def _answers(self, arrival: Arrival, item: Item, entry: Entry, patch: Mapping[str, Any]) -> Arrival:
        """What can be read of the answers is read, also where some of them hold the item."""
        answers, strange = item.answers, list[Problem]()
        if item.xml is not None:
            try:
                answers, elements, strange = _from_xml(entry.form, item)
            except UnreadableInstance as error:
                return _hold(arrival, Reason.UNREADABLE, Problem("bad_xml", "/xml", error.args[0]))
            arrival = replace(arrival, claims=_claims(elements, arrival.claims))
        checked, problems = entry.check(patched(answers, patch))
        problems += strange
        warnings = ("text_normalised",) if _mended(answers) else ()
        checks = tuple(look(entry.form, checked, local_date(arrival.received))[:50])
        named = [(claim.type, claim.id) for claim in arrival.claims.values()]
        # A phone's date may be a day ahead of ours; a condition on today() must not refuse it for that.
        today = local_date(arrival.received + DAY)
        filled = fill(entry.form, self.catalogue.types, checked, named, arrival.id, today, self.catalogue.lifts)
        bad = _bad_ids(filled.told)
        told = () if bad else filled.told
        arrival = self._place(
            self._seen(replace(arrival, filled=filled, told=told, warnings=warnings, checks=checks), entry.form),
            entry.form,
        )
        unknown = [problem for problem in problems if problem.code == "unknown_property"]
        # What an answer that was refused makes incomplete is no fault of its own.
        wrong = [problem for problem in problems if problem not in unknown] + bad
        wrong += filled.problems if not wrong else []
        if wrong or unknown:
            reason = Reason.BAD_VALUE if wrong else Reason.UNKNOWN_PROPERTY
            return _hold(arrival, reason, *wrong, *unknown, *arrival.problems)
        return arrival

    def _seen(self, arrival: Arrival, form: Form) -> Arrival:
        """What was on the screen, as answers are compared; and what this form version could not have put there."""
        claims, told = {}, {one.id: one for one in arrival.told}
        for one in arrival.told:
            if one.loaded:
                told[one.id] = replace(one, hidden=self.catalogue.hidden(form, one.type))
        for ident, claim in arrival.claims.items():
            screen = None
            if claim.seen is not None and claim.type in self.catalogue.types:
                screen = screen_of(form, self.catalogue.types[claim.type], claim.seen, self.catalogue.lifts)
                claim = replace(claim, seen=self._today(screen.seen))
                if ident in told:
                    told[ident] = replace(told[ident], hidden=screen.hidden)
            claims[ident] = claim
        return replace(arrival, claims=claims, told=tuple(told.values()))

    def _place(self, arrival: Arrival, form: Form) -> Arrival:
        """Put every stated ward into today's areas; a ward that is unknown or was split holds the item."""
        placed = []
        for told in arrival.told:
            told = self._elsewhere(told)
            stated = told.said.get("ward_code")
            areas = self.places.areas(stated) if stated else ("",)
            if len(areas) != 1:
                reason = Reason.WARD_AMBIGUOUS if areas else Reason.WARD_UNKNOWN
                return _hold(arrival, reason, Problem(reason, f"{told.pointer}/ward_code", _WARDS[reason], areas))
            said = dict(told.said)
            if stated:
                said["ward_code"] = areas[0]
                if "hamlet_code" in self.catalogue.types[told.type].properties:
                    said["hamlet_code"] = self.places.hamlet(areas[0], stated, said.get("hamlet_code"))
            placed.append(replace(told, said=said))
        return replace(arrival, told=tuple(placed))

    def _elsewhere(self, told: Told) -> Told:
        """Wards that do not place the entity are read as of today where that is certain, and hold nothing."""
        properties = self.catalogue.types[told.type].properties
        wards = [n for n in told.said if properties[n].type is PropertyType.WARD and not properties[n].placement]
        now = {name: self.places.areas(told.said[name] or "") for name in wards}
        return replace(told, said={**told.said, **{name: areas[0] for name, areas in now.items() if len(areas) == 1}})

    def _today(self, seen: dict[str, Any]) -> dict[str, Any]:
        """A place that a phone showed by its earlier code is the one that this became."""
        ward = str(seen.get("ward_code") or "")
        areas = self.places.areas(ward) if ward else ()
        if len(areas) != 1:
            return seen
        hamlet = self.places.hamlet(areas[0], ward, seen.get("hamlet_code"))
        return seen | {"ward_code": areas[0]} | ({"hamlet_code": hamlet} if "hamlet_code" in seen else {})


_WARDS = {
    Reason.WARD_UNKNOWN: "Không có xã/phường nào mang mã này.",
    Reason.WARD_AMBIGUOUS: "Xã/phường cũ này đã chia cho nhiều xã/phường; cần cán bộ chọn nơi đúng.",
}


def _open(kind: EntityType) -> bool:
    """Whether a phone may name such an entity at all."""
    return kind.half is Half.OPEN


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
    return {**{element.id: _claim(element) for element in elements}, **claims}


def _claim(element: EntityElement) -> Claim:
    """What an engine says of one entity. Base: what its phone had last from the server; its own work: a branch."""
    base, trunk = _version(element.base_version), _version(element.trunk_version)
    known = partial(Claim, element.type, element.id, base_etag=ANY_ETAG, after=(), seen=None)
    if not element.update:
        return known(base_rev=0)
    if not element.branch_id or base is None:
        return known(base_rev=base)
    return known(base_rev=trunk or 0, branch=Branch(element.branch_id[:100], base, rooted=not trunk))


def _version(text: str) -> int | None:
    """A version as entities have it; None of what is none."""
    return int(text) if _VERSION.match(text) else None


def _bad_ids(told: Sequence[Told]) -> list[Problem]:
    counts = Counter(t.id for t in told)
    bad = [t for t in told if not _ENTITY_ID.match(t.id)]
    twice = [t for t in told if counts[t.id] > 1]
    return [
        *(Problem("bad_value", t.pointer, "Mã của hộ hoặc trẻ không hợp lệ.") for t in bad),
        *(Problem("bad_value", t.pointer, "Mã này dùng cho hai người trong cùng một phiếu.") for t in twice),
    ]


def _mended(answers: Any) -> bool:
    """Whether any text had to be mended beyond trimming (Ð for Đ, not NFC)."""
    stack = [answers]
    while stack:
        node = stack.pop()
        if isinstance(node, str) and normalise(node) != node.strip():
            return True
        stack += list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
    return False


def patched(answers: Any, patch: Mapping[str, Any]) -> Any:
    """The answers as a supervisor reads them: `patch` maps JSON pointers (`/answers/...`) to values.

    A pointer that leads nowhere is passed over; what was received stays as it is.
    """
    if not patch or not isinstance(answers, dict):
        return answers
    read = copy.deepcopy(answers)
    for pointer, value in patch.items():
        *above, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[2:]] or [""]
        node: Any = read
        for part in above:
            node = node.get(part) if isinstance(node, dict) else _row(node, part)
        if isinstance(node, dict) and last:
            node[last] = value
    return read


def _row(node: Any, part: str) -> Any:
    return node[int(part)] if isinstance(node, list) and part.isdigit() and int(part) < len(node) else None
