"""Names are found however they are typed, in Vietnamese order, and only of those whom one reads."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import event, select, update

from forms.entity_types import protected_id
from server.clock import now
from server.rebuild import rebuild_all
from server.store.tables import Entity, db
from sync.names import search_key, sort_key
from tests.api.builders import AREA, OTHER, PROTECTED, member, new_id, register
from tests.api.conftest import Town
from tests.api.homes import Home
from tests.databases import DATABASES

pytestmark = pytest.mark.usefixtures("rebuilt")
both = pytest.mark.parametrize("database", DATABASES, indirect=True)
IN_ORDER = [
    "Trần Thị Ánh",
    "Lê Ngọc Ân",
    "Quách Vĩ Cường",
    "Đinh Văn Đức",
    "Nguyễn Thị Hoa",
    "Danh Thị Sà Hoa",
    "Nguyễn Thị Hoà",
    "Thạch Sa Rết",
    "Út",
]
PEOPLE = [name.replace("Đinh", "\u00d0inh") for name in (*IN_ORDER[1::2], *IN_ORDER[::2])]
HEAD = "Nguyễn Thị Mỹ Duyên"


def village(town: Town, names: Sequence[str] = PEOPLE, **more: Any) -> dict[str, str]:
    """Children of these names in one household (id -> name)."""
    children = {new_id(): name for name in names}
    town.apply(register(new_id(), children, **more))
    return children


def search(town: Town, user: str = "u1", **asked: Any) -> dict[str, Any]:
    return town.act("entities/search", user, **asked)


def labels(page: dict[str, Any]) -> list[str]:
    return [one["label"] for one in page["entities"]]


@both
def test_a_name_is_found_however_it_is_typed(town: Town) -> None:
    village(town)
    for q, names in {
        "hoa": ["Nguyễn Thị Hoa", "Danh Thị Sà Hoa", "Nguyễn Thị Hoà"],
        "HÒA": ["Nguyễn Thị Hoa", "Danh Thị Sà Hoa", "Nguyễn Thị Hoà"],
        "duc": ["Đinh Văn Đức"],
        "\u00d0ức đinh": ["Đinh Văn Đức"],
        "  sa   re": ["Thạch Sa Rết"],
        "th ho nguy": ["Nguyễn Thị Hoa", "Nguyễn Thị Hoà"],
        "oa": [],
        "út": ["Út"],
        "%": [],
        "_": [],
        "hoa%": [],
        "\\": [],
        "' or 1=1 --": [],
    }.items():
        assert labels(search(town, q=q, type="child")) == names, q
    assert labels(search(town, q="my duyen")) == [HEAD]


@both
def test_what_is_found_is_told_in_vietnamese_order_page_by_page(town: Town) -> None:
    children = village(town)
    whole = search(town, type="child")
    assert (labels(whole), whole["more"]) == (IN_ORDER, False)
    one = whole["entities"][0]
    assert one.keys() == {"type", "id", "label", "dob", "household", "area", "scope"}
    assert (one["type"], one["area"], one["scope"]) == ("child", AREA, f"{AREA}/01")
    assert children[one["id"]] == one["label"]
    told: list[str] = []
    after: dict[str, str] = {}
    for _ in range(20):
        page = search(town, type="child", limit=2, **after)
        told += labels(page)
        assert len(page["entities"]) <= 2
        if not page["more"]:
            break
        after = {"after": page["entities"][-1]["id"]}
    assert told == IN_ORDER


@both
def test_the_same_name_many_times_is_told_once_each(town: Town) -> None:
    children = village(town, ["Trần Thị Hoa"] * 7)
    first = search(town, q="hoa", limit=4)
    rest = search(town, q="hoa", limit=4, after=first["entities"][-1]["id"])
    ids = [one["id"] for one in (*first["entities"], *rest["entities"])]
    assert (first["more"], rest["more"]) == (True, False)
    assert len(ids) == len(set(ids)) and set(ids) == set(children)


@both
def test_each_finds_whom_he_reads_and_nobody_else(town: Town) -> None:
    here, there = village(town, ["Trần Thị Hoa"]), village(town, ["Lê Thị Hoa"], hamlet_code="00")
    child = Home(town, years=13).child
    for user, names in {
        "u1": ["Lê Thị Hoa", "Trần Thị Hoa"],
        "u2": ["Lê Thị Hoa", "Trần Thị Hoa"],
        "u9": ["Lê Thị Hoa"],  # of another hamlet: only where no hamlet is known yet
        "s1": ["Lê Thị Hoa", "Trần Thị Hoa"],
        "u5": [],
        "s5": [],
    }.items():
        assert labels(search(town, user, q="hoa")) == names, user
    for user in ("c1", "a1"):
        assert town.refusal("entities/search", user, q="hoa") == (403, "forbidden")
    assert here and there and child


def test_an_area_that_is_not_ones_own_is_not_there(town: Town) -> None:
    village(town, ["Trần Thị Hoa"])
    assert labels(search(town, "u1", area=AREA, q="hoa")) == ["Trần Thị Hoa"]
    for user in ("u1", "s1"):
        assert town.refusal("entities/search", user, area=OTHER) == (404, "not_found")
    assert labels(search(town, "s5", area=OTHER)) == []


def test_a_cursor_tells_nothing_of_whom_one_does_not_read(town: Town) -> None:
    """Otherwise it would tell where in the alphabet that name stands."""
    (child,) = village(town, ["Trần Thị Hoa"])
    for user in ("u9", "s5"):
        assert town.refusal("entities/search", user, after=child) == (404, "not_found")
    assert town.refusal("entities/search", "u1", after="nobody") == (404, "not_found")
    assert search(town, "u1", after=child)["more"] is False


def test_the_halves_the_deleted_and_the_withdrawn_are_not_found(town: Town) -> None:
    family = Home(town, years=13)
    sent = family.visit(years=13, **PROTECTED)
    assert protected_id(family.child) not in {one["id"] for one in search(town, "s1")["entities"]}
    town.act(f"submissions/{sent['id']}/reject", reason="Thử")
    (deleted,) = village(town, ["Lê Thị Hoa"])
    town.act(f"entities/child/{deleted}/delete", reason="Ghi hai lần", base=town.child(deleted)["etag"])
    item = register(new_id(), {new_id(): "Lê Thị Huệ"})
    town.apply(item)
    assert labels(search(town, "s1", q="le thi")) == ["Lê Thị Huệ"]
    town.act(f"submissions/{item['id']}/reject", reason="Thử")
    assert labels(search(town, "s1", q="le thi")) == []


def test_a_new_name_is_found_and_the_old_one_no_longer(town: Town) -> None:
    (child,) = village(town, ["Trần Thị Hoa"])
    etag = town.child(child)["etag"]
    town.act(f"entities/child/{child}/correct", reason="Sai tên", base=etag, values={"full_name": "Trần Văn Đạt"})
    assert labels(search(town, q="hoa")) == []
    assert labels(search(town, q="dat")) == ["Trần Văn Đạt"]


def test_who_moves_away_is_found_by_the_others(town: Town) -> None:
    family = Home(town)
    family.move("31135", "05")
    assert search(town, "u1", q="buoi")["entities"] == []
    assert [one["id"] for one in search(town, "u9", q="buoi")["entities"]] == [family.child]


def test_a_search_that_makes_no_sense_is_refused(town: Town) -> None:
    for body in ({"q": "x" * 201}, {"q": 5}, {"limit": 0}, {"limit": 51}, {"type": "child_protected"}, {"q": "\x00"}):
        assert town.refusal("entities/search", "u1", **body) == (422, "invalid")
    assert town.ask("entities/search", "u1", bearer="nobody").status_code == 401


def test_the_number_of_statements_does_not_grow_with_what_is_found(town: Town) -> None:
    village(town, ["Trần Thị Hoa"])
    few = statements(town)
    village(town, ["Trần Thị Hoa"] * 15)
    assert statements(town) == few <= 8


def statements(town: Town) -> int:
    seen = []
    with town.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    search(town, q="hoa")
    return len([one for one in seen if "entity" in one or "scope" in one or "assignment" in one])


@both
def test_a_name_of_any_length_is_kept(town: Town) -> None:
    """The form allows a hundred characters; a supervisor may take in what it refuses."""
    item = register(new_id(), {}, members=[member("Ưỡ" * 3_000, 9)])
    (receipt,) = town.push([item])
    assert receipt["outcome"] == "quarantined"
    town.act(f"submissions/{item['id']}/accept", reason="Thử")


def test_keys_that_are_out_of_date_are_found_and_mended(town: Town) -> None:
    (child,) = village(town, ["Trần Thị Hoa"])
    with town.app.app_context():
        db.session.execute(update(Entity).where(Entity.id == child).values(search="x", sort=b"x"))
        db.session.commit()
        run = town.nest.committer.run
        assert rebuild_all(town.nest, now(), run, write=True).differences == {("entity", child)}
    ((found, order),) = town.rows(select(Entity.search, Entity.sort).where(Entity.id == child))
    assert found.startswith(search_key("Trần Thị Hoa") + " ")
    assert order == sort_key("Trần Thị Hoa")
