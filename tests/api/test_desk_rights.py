"""Who may act at the desk, what is written down of it, and that sending an act twice does it once."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from server import audit
from server.store.tables import AuditTable, Submission, db
from tests.api.builders import AREA, BAD_PHONE, OTHER, new_id, register, visit
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Lê Ngọc Hân"
WHY = "Gia đình gọi lại"
STRANGERS = ("u1", "u2", "u9", "c1", "a1", "u5", "s5")
BODIES: Mapping[str, Mapping[str, Any]] = {
    "correct": {"values": {"full_name": "Tên Khác"}},
    "delete": {},
    "restore": {},
    "approve": {},
    "return": {"comment": WHY},
    "reject": {},
    "unreject": {},
    "accept": {},
    "repair": {"patch": {"/answers/helmet": "0"}},
    "resolve": {},
}
ON_ENTITIES = ("correct", "delete", "restore")


class Case:
    """A child with a visit that stands, one that was rejected, one that is held, and a conflict."""

    def __init__(self, town: Town) -> None:
        self.town, self.child = town, new_id()
        created = town.apply(register(new_id(), {self.child: NAME}))
        base = next(entity["etag"] for entity in created["entities"] if entity["id"] == self.child)
        seen = {"full_name": NAME}
        self.visits = [visit(self.child, name, base, seen) for name in (NAME, "Lê Ngọc Hân Nhi", "Lê Thị Ngọc Hân")]
        self.held = visit(self.child, NAME, base, seen, caregiver_phone=BAD_PHONE)
        town.push([*self.visits, self.held])
        town.act(f"submissions/{self.visits[0]['id']}/reject", "s1", reason="Thử")
        (self.conflict,) = town.get("/api/v1/conflicts", "s1").get_json()["conflicts"]

    def path(self, act: str) -> str:
        if act in ON_ENTITIES:
            return f"entities/child/{self.child}/{act}"
        if act == "resolve":
            return f"conflicts/{self.conflict['id']}/resolve"
        sub = {"accept": self.held, "unreject": self.visits[0]}.get(act, self.visits[1])
        return f"submissions/{sub['id']}/{act}"

    def body(self, act: str) -> dict[str, Any]:
        body = {"reason": WHY, **BODIES[act]}
        if act in ON_ENTITIES:
            body["base"] = self.town.child(self.child)["etag"]
        if act == "resolve":
            body |= {"seen": self.conflict["members"], "choice": self.conflict["members"][0]}
        return body


@pytest.fixture
def case(town: Town) -> Case:
    return Case(town)


@pytest.mark.parametrize("act", BODIES)
def test_an_act_is_its_supervisors_alone_and_a_stranger_leaves_no_trace(town: Town, case: Case, act: str) -> None:
    before = _traces(town), town.child(case.child)
    for user in STRANGERS:
        assert town.refusal(case.path(act), user, **case.body(act)) == (404, "not_found"), user
    unknown = case.path(act).replace(case.child, new_id()).replace("uuid:", "uuid:x")
    if act != "resolve":
        assert town.refusal(unknown, "s1", **case.body(act)) == (404, "not_found")
    assert (_traces(town), town.child(case.child)) == before
    done = town.act(case.path(act), "s1", **case.body(act))
    assert (done["act"], done["outcome"]) == (act, "applied")


@pytest.mark.parametrize("act", BODIES)
def test_an_act_is_kept_as_a_submission_and_written_into_the_audit(town: Town, case: Case, act: str) -> None:
    _, entries = _traces(town)
    done = town.act(case.path(act), "s1", **case.body(act))
    _, after = _traces(town)
    (entry,) = after[len(entries) :]
    subject = done.get("target", case.child)
    assert entry == (AREA, "s1", act, subject, done["id"])
    said = orjson.loads(town.stored()[done["id"]])
    assert (said["act"], said["by"]) == (act, "s1")
    assert said.get("reason", WHY) == WHY
    with town.app.app_context():
        assert audit.verify(db.session.connection()) == []


@pytest.mark.parametrize("act", BODIES)
def test_the_same_act_sent_twice_is_done_once(town: Town, case: Case, act: str) -> None:
    body = case.body(act) | {"id": f"uuid:{new_id()}"}
    first = town.act(case.path(act), "s1", **body)
    state, traces = town.child(case.child), _traces(town)
    again = town.act(case.path(act), "s1", **body)
    assert again == first | {"repeat": True}
    assert (town.child(case.child), _traces(town)) == (state, traces)
    other = body | {"reason": "Việc khác", "comment": "Việc khác"}
    assert town.refusal(case.path(act), "s1", **other) == (409, "id_reuse")
    assert (town.child(case.child), _traces(town)) == (state, traces)


@pytest.mark.parametrize("act", [act for act in BODIES if act != "approve"])
@pytest.mark.parametrize("reason", [None, "", "  \n "])
def test_an_act_that_changes_anything_needs_a_reason(town: Town, case: Case, act: str, reason: str | None) -> None:
    body = {name: value for name, value in case.body(act).items() if name not in ("reason", "comment")}
    body |= {} if reason is None else {"reason": reason, "comment": reason}
    before = _traces(town)
    status, code = town.refusal(case.path(act), "s1", **body)
    assert (status, code) in ((422, "invalid"), (422, "reason_needed"))
    assert _traces(town) == before
    if reason and reason.isspace():
        assert code == "reason_needed"


def test_the_id_of_an_act_is_no_id_for_a_visit(town: Town, case: Case) -> None:
    done = town.act(case.path("approve"), "s1")
    value = register(new_id(), {}) | {"id": done["id"]}
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "id_reuse")
    used = {"id": case.visits[2]["id"], "reason": WHY}
    assert town.refusal(case.path("reject"), "s1", **used) == (409, "id_reuse")


@pytest.mark.parametrize("path", ["conflicts", "submissions"])
def test_lists_of_the_desk_are_of_ones_own_areas(town: Town, case: Case, path: str) -> None:
    for user in ("u1", "u2", "c1", "a1", "u5"):
        answer = town.get(f"/api/v1/{path}", user)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden"), user
    assert town.get(f"/api/v1/{path}?area={AREA}", "s5").status_code == 404
    assert town.get(f"/api/v1/{path}", "s5").get_json()[path] == []
    assert town.get(f"/api/v1/{path}?area={OTHER}", "s1").status_code == 404
    assert town.get(f"/api/v1/{path}?area={AREA}", "s1").get_json()[path]


@pytest.mark.parametrize("user", STRANGERS)
def test_pages_of_the_desk_are_its_supervisors_alone(town: Town, case: Case, user: str) -> None:
    """Also of one's own submission: what a form said of protected things never goes back to a phone."""
    for path in (f"conflicts/{case.conflict['id']}", *(f"submissions/{one['id']}" for one in case.visits)):
        answer = town.get(f"/api/v1/{path}", user)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found")
    answer = town.ask("submissions/acts", user, act="approve", ids=[case.visits[1]["id"]])
    if user == "s5":
        assert [one["code"] for one in answer.get_json()["results"]] == ["not_found"]
    else:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "forbidden")


def test_a_supervisor_whose_charge_has_ended_decides_no_longer(town: Town, case: Case) -> None:
    town.relieved("s1")
    town.assigned("s1", AREA, None, -20, -1)
    for act in BODIES:
        assert town.refusal(case.path(act), "s1", **case.body(act) | {"base": "1-x"})[0] == 404
    assert town.get("/api/v1/submissions", "s1").status_code == 403


def test_an_act_of_a_revoked_device_is_refused(town: Town, case: Case) -> None:
    town.revoke("u1")
    assert town.refusal(case.path("approve"), "u1") == (403, "device_revoked")


@pytest.mark.parametrize("kind", ["household", "person", "child_protected"])
@pytest.mark.parametrize("act", ON_ENTITIES)
def test_an_entity_is_acted_on_under_its_own_type_only(town: Town, case: Case, act: str, kind: str) -> None:
    path = case.path(act).replace("/child/", f"/{kind}/")
    assert town.refusal(path, "s1", **case.body(act)) == (404, "not_found")


def test_submissions_are_listed_in_pages(town: Town) -> None:
    values = [register(new_id(), {}) for _ in range(5)]
    for value in values:
        town.push([value])
    ids, after, more = [], "", []
    for _ in range(3):
        page = town.get(f"/api/v1/submissions?limit=2{after}", "s1").get_json()
        ids += [line["id"] for line in page["submissions"]]
        more.append(page["more"])
        after = f"&after={ids[-1]}"
    assert (ids, more) == ([value["id"] for value in values], [True, True, False])


def _traces(town: Town) -> tuple[int, list[tuple[Any, ...]]]:
    """How many submissions there are, and what the audit says of whom."""
    (count,) = town.rows(select(func.count()).select_from(Submission))
    query = select(AuditTable.area, AuditTable.who, AuditTable.act, AuditTable.subject, AuditTable.sub)
    return count[0], [tuple(row) for row in town.rows(query.order_by(AuditTable.area, AuditTable.n))]
