"""A family that moves to another area: asked for by one, decided by either side, and then all of it goes at once."""

from typing import Any

import pytest
from sqlalchemy import select

from forms.entity_types import protected_id
from server.store.tables import ConflictTable, FeedEntry, VisitTable
from tests.api.builders import AREA, OTHER, PROTECTED, claim, item, member, new_id, newcomer, rewrite, update, visit
from tests.api.conftest import Town
from tests.api.test_authority import Family

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Trần Gia Huy"
WHY = "Gia đình đã dọn đi"
MOVED = {"ward_code": "31120", "hamlet_code": "02"}


class Request:
    """A family with a visit that is due and a protected half, and a collaborator's word that it has moved away."""

    def __init__(self, town: Town) -> None:
        self.town, self.family = town, Family(town)
        child = self.family.child
        self.half = protected_id(child)
        seen = town.child(child)
        dropped: dict[str, Any] = {"years": 13, "school_status": "3", **PROTECTED}
        value = visit(child, NAME, seen["etag"], seen["data"], **dropped)
        for gone in ("school_level", "grade", "school_name"):
            del value["answers"][gone]
        town.apply(value)
        home = town.household(self.family.home)
        self.value = rewrite(self.family.home, home["etag"], home["data"], **MOVED, landmark="Đã dọn đi")
        (self.receipt,) = town.push([self.value])

    @property
    def ids(self) -> list[str]:
        return [self.family.home, self.family.child, self.half]

    def scopes(self) -> dict[str, str]:
        """Where everything that belongs to the family is read."""
        kinds = ("household", "child", "child_protected")
        supervisor = next(u for u in ("s1", "s5") if self._get(kinds[0], self.family.home, u).status_code == 200)
        found = {kind: self._get(kind, i, supervisor).get_json() for kind, i in zip(kinds, self.ids, strict=True)}
        return {kind: page["scope"] for kind, page in found.items()}

    def _get(self, kind: str, ident: str, user: str) -> Any:
        return self.town.get(f"/api/v1/entities/{kind}/{ident}", user)

    def visits(self) -> set[tuple[str, str, str]]:
        query = select(VisitTable.rule, VisitTable.area, VisitTable.scope)
        found = self.town.rows(query.where(VisitTable.subject.in_(self.ids), VisitTable.state == "open"))
        return {tuple(row) for row in found}

    def conflict(self, user: str = "s1") -> dict[str, Any]:
        (line,) = self.town.get("/api/v1/conflicts", user).get_json()["conflicts"]
        return self.town.get(f"/api/v1/conflicts/{line['id']}", user).get_json()

    def resolve(self, user: str, choice: str) -> dict[str, Any]:
        page = self.conflict(user)
        members = [member["submission"] for member in page["members"]]
        return self.town.act(f"conflicts/{page['id']}/resolve", user, seen=members, choice=choice, reason=WHY)


@pytest.fixture
def request_(town: Town) -> Request:
    return Request(town)


def test_a_collaborators_move_to_another_area_is_a_request(town: Town, request_: Request) -> None:
    assert request_.receipt["outcome"] == "conflict"
    state = town.household(request_.family.home)
    assert (state["scope"], state["data"]["landmark"]) == (f"{AREA}/01", "Đã dọn đi")
    assert [one["cell"] for one in state["conflicts"]] == ["place"]
    assert request_.scopes() == {"household": f"{AREA}/01", "child": f"{AREA}/01", "child_protected": f"{AREA}/!"}
    assert {(area, scope) for _, area, scope in request_.visits()} == {(AREA, f"{AREA}/01"), (AREA, f"{AREA}/!")}


def test_the_request_is_before_the_supervisors_of_both_areas_and_nobody_else(town: Town, request_: Request) -> None:
    page = request_.conflict("s1")
    assert request_.conflict("s5") == page
    assert [m["request"] for m in page["members"] if m["submission"] == request_.value["id"]] == [True]
    assert town.rows(select(ConflictTable.area, ConflictTable.also)) == [(AREA, OTHER)]
    for user in ("u1", "u9", "u5", "c1", "a1"):
        assert town.get(f"/api/v1/conflicts/{page['id']}", user).status_code == 404
    for kind, ident in zip(("household", "child", "child_protected"), request_.ids, strict=True):
        assert town.get(f"/api/v1/entities/{kind}/{ident}", "s5").status_code == 404  # not his before it is granted


@pytest.mark.parametrize("user", ["s1", "s5"])
def test_granted_by_either_side_everything_moves_at_once(town: Town, request_: Request, user: str) -> None:
    before = request_.visits()
    old = {f"{AREA}/01", f"{AREA}/!"}
    visits = select(VisitTable.id).where(VisitTable.subject.in_(request_.ids), VisitTable.state == "open")
    gone_to = [*request_.ids, *(row.id for row in town.rows(visits))]
    request_.resolve(user, request_.value["id"])
    assert request_.scopes() == {"household": f"{OTHER}/02", "child": f"{OTHER}/02", "child_protected": f"{OTHER}/!"}
    rules = {rule for rule, _, _ in before}
    assert {"F-DROPOUT", "F-HHQ", "F-EMERG", "F-INTAKE"} <= rules
    moved = {"F-EMERG": f"{OTHER}/!", "F-INTAKE": f"{OTHER}/!"}
    assert request_.visits() == {(rule, OTHER, moved.get(rule, f"{OTHER}/02")) for rule in rules}
    town.assigned("u5", OTHER, "02", -1)
    assert town.household(request_.family.home, "u5")["conflicts"] == []
    for gone in ("u1", "s1"):
        assert town.get(f"/api/v1/entities/child/{request_.family.child}", gone).status_code == 404
        assert town.get(f"/api/v1/entities/child_protected/{request_.half}", gone).status_code == 404
    left = select(FeedEntry.here).where(FeedEntry.scope.in_(old), FeedEntry.id.in_(gone_to))
    assert town.rows(left) == [(False,)] * len(gone_to)  # whoever had them is told that they have left
    assert town.status(request_.value["id"])["notices"] == []


def test_the_feed_of_the_old_place_hears_that_its_visits_have_left(town: Town, request_: Request) -> None:
    query = select(FeedEntry.kind, FeedEntry.seq).where(FeedEntry.scope == f"{AREA}/01").order_by(FeedEntry.seq)
    newest = town.rows(query)[-1].seq
    request_.resolve("s1", request_.value["id"])
    heard = [row.kind for row in town.rows(query) if row.seq > newest]
    assert sorted(set(heard)) == ["entity", "visit"]  # a phone that was up to date hears of all of it
    assert heard.count("visit") == 3  # F-HHQ, F-DROPOUT, F-CHECKUP


@pytest.mark.parametrize("user", ["s1", "s5"])
def test_refused_it_stays_and_who_asked_is_told(town: Town, request_: Request, user: str) -> None:
    request_.resolve(user, request_.family.created["id"])
    state = town.household(request_.family.home)
    assert (state["scope"], state["conflicts"]) == (f"{AREA}/01", [])
    notice = {"entity": request_.family.home, "cell": "place", "kind": "ruled"}
    assert town.status(request_.value["id"])["notices"] == [notice]
    assert town.get("/api/v1/conflicts", "s5").get_json()["conflicts"] == []


def test_who_is_assigned_in_both_areas_moves_it_himself(town: Town) -> None:
    town.assigned("u1", OTHER, "02", -1)
    request = Request(town)
    assert request.receipt["outcome"] == "applied"
    assert request.scopes()["child_protected"] == f"{OTHER}/!"


def test_a_collaborator_moves_a_household_within_the_area(town: Town) -> None:
    family = Family(town)
    town.apply(family.rewritten(hamlet_code="05"))
    assert town.household(family.home, "u9")["scope"] == f"{AREA}/05"
    assert town.child(family.child, "u9")["scope"] == f"{AREA}/05"
    assert town.get(f"/api/v1/entities/household/{family.home}", "u1").status_code == 404


def test_a_supervisor_corrects_a_mistyped_ward_and_the_other_area_has_it(town: Town, request_: Request) -> None:
    home = town.household(request_.family.home)
    body = {"base": home["etag"], "values": {"ward_code": OTHER}, "reason": "Gõ nhầm phường"}
    town.act(f"entities/household/{request_.family.home}/correct", "s1", **body)
    assert request_.scopes() == {"household": f"{OTHER}/00", "child": f"{OTHER}/00", "child_protected": f"{OTHER}/!"}
    assert town.household(request_.family.home, "s5")["data"]["hamlet_code"] == "00"


def test_a_child_that_joins_after_the_move_is_in_the_new_place(town: Town, request_: Request) -> None:
    """What u1 wrote before the family left counts there, and he hears no more of it."""
    request_.resolve("s5", request_.value["id"])
    child = new_id()
    late = rewrite(request_.family.home, request_.family.bases[request_.family.home], request_.family.data)
    late["answers"]["members"] = [member("Nguyễn Thị Mỹ Duyên", 35, "1"), member("Trần Gia Bảo", 3, ident=child)]
    receipt = town.apply(late)
    assert all("etag" not in entity for entity in receipt["entities"])
    assert town.child(child, "s5")["scope"] == f"{OTHER}/02"
    assert town.household(request_.family.home, "s5")["conflicts"] == []


@pytest.mark.parametrize("together", [False, True])
def test_a_wish_is_granted_once_the_place_that_the_child_leaves_is_its_authors_too(
    town: Town, together: bool
) -> None:
    """Who may write both households moves a child between them, whichever of it all is heard first."""
    for user, area, hamlet in (("u1", OTHER, "02"), ("u9", AREA, "01"), ("s1", OTHER, None)):
        town.assigned(user, area, hamlet, -1)
    town.second_token("u9", "u1")
    old, new = Family(town, "u9", hamlet_code="05"), Family(town, **MOVED)

    def moves_in(home: Family) -> dict[str, Any]:
        seen, house = town.child(old.child, "s1"), town.household(home.home, "s1")
        answers = update(home.home, newcomer(NAME, 9, ident=old.child))
        claims = (claim("household", home.home, house["etag"]), claim("child", old.child, seen["etag"], seen["data"]))
        return item("household_update", answers, *claims)

    for home in (new, old):  # so that who works in the new place may write the child at all
        town.apply(moves_in(home), "s1")
    wish, homecoming = moves_in(new), old.rewritten(hamlet_code="01") | {"author": "u9"}
    if together:
        town.push([wish, homecoming], "u1")
    else:
        town.push([wish], "u1")
        assert town.child(old.child, "s1")["data"]["household"] == old.home
        town.push([homecoming], "u1")
    assert town.child(old.child, "u1")["scope"] == f"{OTHER}/02"
