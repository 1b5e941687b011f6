"""Small builders: valid answers of both forms, items of a batch, and the same answers as an XForm instance."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from forms.form import Form, Kind
from forms.schema import ROW_ID
from sync.times import ZONE

AREA = "2025.31135"
OTHER = "2025.31120"
VERSIONS = {
    "household_registration": "2026112601",
    "household_update": "2026112601",
    "child_situation": "2026112602",
    "follow_up_visit": "2026112601",
    "protection_report": "2026112601",
    "child_review": "2026112601",
}
ENTITIES = "http://www.opendatakit.org/xforms/entities"

BAD_PHONE = "0" * 31  # longer than the forms take; whatever is shorter is only noted
Answers = dict[str, Any]

# An answer to every question whose answer the officers alone read; for a child of 12 or more.
PROTECTED: Answers = {
    "abuse_signs": ["5", "7"],
    "immediate_danger": "1",
    "sc_protected": ["SC11"],
    "at_risk_protected": ["AR10"],
    "child_marriage": "1",
    "substance_use": "1",
}


def new_id() -> str:
    """The id of a household or child."""
    return str(uuid.uuid4())


def moment(days: float = 0) -> str:
    """The local time so many days from now, as a phone states it."""
    return (datetime.now(ZONE) + timedelta(days=days)).isoformat(timespec="seconds")


def day(days: float = 0) -> str:
    """The local date so many days from now."""
    return moment(days)[:10]


def born(years: int) -> str:
    """A date of birth for a child who is that many years old, whatever today is."""
    return (datetime.now(ZONE) - timedelta(days=years * 366 + 100)).date().isoformat()


def member(name: str, years: int, relationship: str = "3", ident: str | None = None, **more: Any) -> Answers:
    """One row of the members of a household: a child, or from 16 years on an adult."""
    row: Answers = {
        "full_name": name,
        "relationship": relationship,
        "sex": "2",
        "dob": born(years),
        "dob_precision": "D",
        "residence_status": "1",
        "ethnicity": "01",
    }
    if years >= 16:
        row = {f"adult_{name}": value for name, value in row.items()} | {"education": "2", "marital": "2"}
    row |= {"member_kind": "1" if years < 16 else "2"} | ({ROW_ID: ident} if ident else {})
    return row | more


def registration(household: str, children: Mapping[str, str], years: int = 9, **more: Any) -> Answers:
    """A household of these children (id -> name), all of `years`; its adults are left to whom they concern."""
    rows = [member(name, years, ident=ident) for ident, name in children.items()]
    answers: Answers = {
        "visit_date": day(),
        "visit_result": "1",
        "respondent": "1",
        "informed_and_agreed": "1",
        "household_id": household,
        "ward_code": "31135",
        "hamlet_code": "01",
        "address_type": "1",
        "address_line": "12/3, hẻm 5, tổ 2",
        "head_name": "Nguyễn Thị Mỹ Duyên",
        "phone": "0912345678",
        "phone_owner": "Chủ hộ",
        "members": rows,
        "poverty_status": "0",
        "poverty_year": datetime.now(ZONE).year,
        "water_hazard_near": "1",
        "water_hazard_fenced": "0",
        "flood_affected": "0",
        "electric_fire_poison_ok": "1",
    }
    return answers | more


def situation(child: str, name: str, years: int = 9, **more: Any) -> Answers:
    """An ordinary visit to a child who goes to school."""
    answers: Answers = {
        "visit_date": day(),
        "visit_result": "1",
        "respondent": "2",
        "informed_and_agreed": "1",
        "child": child,
        "full_name": name,
        "sex": "2",
        "dob": born(years),
        "dob_precision": "D",
        "ethnicity": "01",
        "birth_reg": "1",
        "father_status": "1",
        "mother_status": "1",
        "caregiver_type": "1",
        "parents_away": "0",
        "hi_card": "1",
        "hi_number": "0123456789",
        "serious_illness": "0",
        "disability_degree": "0",
        "school_status": "1",
        "school_level": "3",
        "grade": 4,
        "school_name": "Tiểu học Bờ Kênh",
        "reads_vietnamese": "1",
        "work_status": "0",
        "new_injuries": "0",
        "water_safety_skill": "0",
        "uses_boat": "1",
        "life_jacket_transport": "0",
        "helmet": "1",
        "child_consulted": "1",
        "risk_now": "0",
    }
    return answers | more


def nobody_home(child: str) -> Answers:
    """A visit on which nobody was met."""
    return {"visit_date": day(), "visit_result": "3", "child": child, "note": "Cả nhà đi vắng."}


def update(household: str, *rows: Answers, **more: Any) -> Answers:
    """The answers of a household's update; each row is one change of a member, made by the functions below."""
    answers: Answers = {
        "visit_date": day(),
        "visit_result": "1",
        "respondent": "1",
        "informed_and_agreed": "1",
        "household": household,
        "changes": ["members"] if rows else [],
        "member_changes": list(rows),
    }
    return answers | more


def newborn(name: str, ident: str | None = None, **more: Any) -> Answers:
    """A row of an update: a child that was born a week ago."""
    row = member(name, 0, ident=ident) | {"dob": day(-7)} | {"change_kind": "1", "joined": "BIRTH"}
    del row["member_kind"]
    return row | more


def newcomer(name: str, years: int, ident: str | None = None, **more: Any) -> Answers:
    """A row of an update: somebody who moved in yesterday, a child or an adult."""
    row = member(name, years, ident=ident)
    kind = row.pop("member_kind")
    come = {"joined": "IN", "joined_on": day(-1)} if kind == "1" else {"adult_joined_on": day(-1)}
    return row | {"change_kind": kind} | come | more


def gone(ident: str, presence: str, adult: bool = False, since: str | None = None) -> Answers:
    """A row of an update: a known member left (OUT), died (DEATH) or came back (BACK)."""
    told = {"presence": presence, "presence_on": since or day(-2)}
    if adult:
        return {"change_kind": "4", "who_adult": ident} | {f"adult_{name}": value for name, value in told.items()}
    return {"change_kind": "3", "who_child": ident} | told


def follow_up(child: str | None = None, household: str | None = None, result: str = "1", **more: Any) -> Answers:
    """A follow-up visit to a child or to a household."""
    answers: Answers = {"visit_date": day(), "visit_result": result}
    if child is not None:
        answers |= {"about": "child", "child": child}
        answers |= {"next_step": "1", "risk_now": "1"} if result in ("1", "2") else {}
    else:
        answers |= {"about": "household", "household": household}
        answers |= {"home_next_step": "1"} if result in ("1", "2") else {}
    return answers | more


def report(**more: Any) -> Answers:
    """The least that a protection report asks: of a child whose name nobody knows."""
    answers: Answers = {
        "report_channel": "quan_sat",
        "received_at": moment(-0.1),
        "immediate_danger": "9",
        "current_condition": "Chưa rõ",
        "child_known": "3",
        "confidentiality_level": "han_che",
    }
    return answers | more


def review(child: str, **more: Any) -> Answers:
    """An officer's review of a child, part a of Mẫu 06."""
    answers: Answers = {
        "visit_date": day(),
        "visit_result": "1",
        "child": child,
        "harm_still_serious": "2",
        "perpetrator_access": "1",
        "care_obstacles": "1",
        "risk_conclusion": "2",
    }
    return answers | more


def claim(
    kind: str, ident: str, base: str = "0-", seen: Mapping[str, Any] | None = None, after: Sequence[str] = ()
) -> Answers:
    """What an item says of one entity."""
    return {"type": kind, "id": ident, "base": base, "after": list(after)} | ({"seen": dict(seen)} if seen else {})


def item(form: str, answers: Any, *entities: Answers, **more: Any) -> Answers:
    """One item of a batch, observed a moment ago."""
    return {
        "id": f"uuid:{uuid.uuid4()}",
        "form": form,
        "version": VERSIONS.get(form, "1"),
        "kind": "visit",
        "observed_at": moment(),
        "answers": answers,
        "entities": list(entities),
    } | more


def register(household: str, children: Mapping[str, str], years: int = 9, **more: Any) -> Answers:
    """The item that registers a household with children (id -> name)."""
    answers = registration(household, children, years, **more)
    return item("household_registration", answers, claim("household", household))


def rewrite(household: str, base: str, data: Mapping[str, Any], **changes: Any) -> Answers:
    """The item of a household's form filled in again, on the state `base` that showed `data`."""
    answers = registration(household, {}, **({"head_name": data["head_name"], "members": []} | changes))
    return item("household_registration", answers, claim("household", household, base, data))


def visit(
    child: str,
    name: str,
    base: str,
    seen: Mapping[str, Any] | None = None,
    after: Sequence[str] = (),
    **changes: Any,
) -> Answers:
    """The item of a visit to a child, filled in on the state `base` that showed `seen`."""
    return item("child_situation", situation(child, name, **changes), claim("child", child, base, seen, after))


def as_xml(form: Form, answers: Mapping[str, Any], entity: Mapping[str, str] | None = None) -> str:
    """The same answers as a phone's form engine would send them; `entity` are the attributes of its element."""
    root = etree.Element("data", id=form.id, version=form.version)
    for question in form.of(None):
        if question.name in answers:
            node = _descend(root, question.path.split("/")[2:])
            node.text = _text(question.kind, answers[question.name])
    for repeat in form.repeats:
        path = next(path for path in form.nodes if path.endswith(f"/{repeat}"))
        *above, last = path.split("/")[2:]
        for row in answers.get(repeat) or ():
            holder = etree.SubElement(_descend(root, above), last)
            for question in form.of(repeat):
                if question.name in row:
                    node = _descend(holder, question.path.removeprefix(f"{path}/").split("/"))
                    node.text = _text(question.kind, row[question.name])
            if ROW_ID in row:
                meta = etree.SubElement(holder, "meta")
                etree.SubElement(meta, "entity", dataset="child", create="1", id=row[ROW_ID])
    if entity is not None:
        etree.SubElement(etree.SubElement(root, "meta"), "entity", dict(entity))
    return etree.tostring(root, encoding="unicode")


def in_xml(form: Form, value: Mapping[str, Any], entity: Mapping[str, str] | None = None) -> Answers:
    """An item with its answers as XML instead of JSON."""
    rest = {name: part for name, part in value.items() if name != "answers"}
    return rest | {"xml": as_xml(form, value["answers"], entity)}


def _descend(node: etree._Element, names: Sequence[str]) -> etree._Element:
    for name in names:
        found = node.find(name)
        node = etree.SubElement(node, name) if found is None else found
    return node


def _text(kind: Kind, value: Any) -> str:
    if value is None:
        return ""
    return " ".join(value) if kind is Kind.CODES and isinstance(value, list) else str(value)
