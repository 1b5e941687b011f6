"""Who sees the files of a submission, and how they are served; which of them are still missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import time_machine
from sqlalchemy import delete

import server.world
from forms.catalogue import Catalogue
from server.clock import now
from server.rebuild import rebuild_all
from server.store.tables import SubmissionMedium, db
from tests.api.builders import AREA, new_id, register
from tests.api.conftest import Town
from tests.api.photos import SECRET, taken, with_photos
from tests.api.sender import Sender, medium, photo, refused, sha256

NAME = "Trần Gia Huy"
ALL = ("u1", "u2", "u9", "u5", "s1", "s5", "c1", "a1")
pytestmark = pytest.mark.usefixtures("rebuilt")


@pytest.fixture(scope="session")
def photos(catalogue: Catalogue) -> Catalogue:
    return with_photos(catalogue)


@pytest.fixture
def town(new_town: Callable[..., Town], photos: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(server.world, "load_catalogue", lambda folder: photos)
    return new_town()


@dataclass
class Child:
    """A child whom u1 has registered."""

    town: Town
    id: str
    home: str
    base: str

    def photographed(self, *media: Mapping[str, Any], user: str = "u1", **answers: Any) -> dict[str, Any]:
        """The receipt of a visit on which these were taken."""
        value = taken(self.id, self.base, {"full_name": NAME}, *media, **answers)
        (receipt,) = self.town.push([value], user)
        return receipt


@pytest.fixture
def child(town: Town) -> Child:
    ident, home = new_id(), new_id()
    receipt = town.apply(register(home, {ident: NAME}))
    return Child(town, ident, home, next(e["etag"] for e in receipt["entities"] if e["id"] == ident))


def seers(town: Town, data: bytes, sub: str) -> set[str]:
    """Who sees a file; whoever does not hears no more than of one that does not exist."""
    found = set()
    for user in ALL:
        answer = Sender(town, data, user).get(sub)
        if answer.status_code == 200:
            assert answer.get_data() == data
            found.add(user)
        else:
            assert refused(answer) == (404, "not_found")
    return found


def test_a_photo_is_seen_by_those_who_read_the_child(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data), photo="anh1.jpg")
    assert (receipt["outcome"], receipt["missing_media"]) == ("applied", [sha256(data)])
    assert seers(town, data, receipt["id"]) == set()
    Sender(town, data).send()
    assert seers(town, data, receipt["id"]) == {"u1", "u2", "s1"}
    town.act(f"submissions/{receipt['id']}/reject", reason="Nhầm trẻ")
    assert seers(town, data, receipt["id"]) == {"u1", "s1"}  # it says nothing of the child any longer
    town.act(f"submissions/{receipt['id']}/unreject", reason="Đúng trẻ")
    assert seers(town, data, receipt["id"]) == {"u1", "u2", "s1"}
    assert seers(town, data, "uuid:another") == set()


def test_a_photo_goes_where_the_child_goes(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data), photo="anh1.jpg")
    Sender(town, data).send()
    state = town.household(child.home)
    town.act(
        f"entities/household/{child.home}/correct", base=state["etag"], reason="Chuyển ấp",
        values={"ward_code": AREA, "hamlet_code": "05"},
    )  # fmt: skip
    assert town.child(child.id, "s1")["scope"] == f"{AREA}/05"
    assert seers(town, data, receipt["id"]) == {"u1", "u9", "s1"}


def test_a_protected_photo_is_for_officers_not_even_for_its_author(town: Town, child: Child) -> None:
    open_one, secret = photo(), photo(seed=1)
    receipt = child.photographed(
        medium(open_one, "a.jpg"), medium(secret, "b.jpg"), photo="a.jpg", **{SECRET: "b.jpg"}
    )
    assert set(receipt["missing_media"]) == {sha256(open_one), sha256(secret)}
    for data in (open_one, secret):
        assert Sender(town, data).send().status_code == 204
    assert seers(town, open_one, receipt["id"]) == {"u1", "u2", "s1"}
    assert seers(town, secret, receipt["id"]) == {"s1"}
    town.act(f"submissions/{receipt['id']}/reject", reason="Nhầm")
    assert seers(town, secret, receipt["id"]) == {"s1"}
    again = child.photographed(medium(secret, "b.jpg"), photo="b.jpg")  # named openly, to get it back
    assert again["missing_media"] == []
    assert seers(town, secret, again["id"]) == {"s1"}


def test_nothing_that_a_phone_is_told_names_a_protected_photo(town: Town, child: Child) -> None:
    secret = photo(seed=1)
    receipt = child.photographed(medium(secret, "vetthuong.jpg"), **{SECRET: "vetthuong.jpg"})
    told = [town.sync(user=user) for user in ("u1", "u2", "u9")]
    told += [town.child(child.id), town.act("sync/status", "u2", ids=[receipt["id"]])]
    words = orjson.dumps(told).decode()
    assert [word for word in ("vetthuong", SECRET, sha256(secret)) if word in words] == []
    half = town.page(receipt["id"])["entities"]
    assert SECRET in {cell for entity in half for cell in entity["cells"]}


def test_one_that_nobody_asked_for_is_for_officers(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data), note="anh1.jpg")
    Sender(town, data).send()
    assert seers(town, data, receipt["id"]) == {"s1"}


def test_a_held_submission_shows_its_photo_to_the_desk_and_its_author(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data), user="u9", photo="anh1.jpg")
    assert (receipt["outcome"], receipt["missing_media"]) == ("quarantined", [sha256(data)])
    Sender(town, data, "u9").send()
    assert seers(town, data, receipt["id"]) == {"u9", "s1"}
    town.act(f"submissions/{receipt['id']}/accept", reason="Đi thay")
    assert seers(town, data, receipt["id"]) == {"u1", "u2", "u9", "s1"}


def test_an_officer_of_elsewhere_sees_what_is_on_his_desk(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data), user="u5", photo="anh1.jpg")
    Sender(town, data, "u5").send()
    assert seers(town, data, receipt["id"]) == {"u5", "s5", "s1"}


def test_it_is_served_as_a_file_that_can_do_nothing(town: Town, child: Child) -> None:
    data = photo()
    receipt = child.photographed(medium(data, "Trần Gia Huy.jpg"), photo="Trần Gia Huy.jpg")
    Sender(town, data).send()
    sender = Sender(town, data, sub=receipt["id"])
    answer = sender.get()
    told = {name.lower(): value for name, value in answer.headers.items()}
    assert (told["content-type"], told["content-length"]) == ("image/jpeg", "3000")
    assert told["content-disposition"] == f"attachment; filename={sha256(data)[:16]}.jpg"
    assert told["content-security-policy"] == "default-src 'none'; sandbox"
    assert (told["x-content-type-options"], told["cache-control"]) == ("nosniff", "no-store")
    for asked, part in {"bytes=0-0": data[:1], "bytes=1000-1999": data[1000:2000], "bytes=-5": data[-5:]}.items():
        answer = sender.get(Range=asked)
        assert (answer.status_code, answer.get_data()) == (206, part), asked
    assert answer.headers["Content-Range"] == "bytes 2995-2999/3000"
    assert refused(sender.get(Range="bytes=3000-")) == (416, "bad_range")
    assert sender.get(If_None_Match=f'"{sha256(data)}"').status_code == 304
    path = f"/api/v1/media/{sha256(data)}?sub={receipt['id']}"
    head = sender.call("HEAD", path)
    assert (head.status_code, head.headers["Content-Length"], head.get_data()) == (200, "3000", b"")
    assert refused(sender.call("GET", f"/api/v1/media/{sha256(data)}")) == (422, "invalid")


def test_only_what_is_not_here_is_missing_and_a_receipt_stays(town: Town, child: Child) -> None:
    one, two = photo(), photo(seed=1)
    Sender(town, one).send()
    value = taken(
        child.id, child.base, {"full_name": NAME}, medium(one, "a.jpg"), medium(two, "b.jpg"), photo="a.jpg"
    )
    (receipt,) = town.push([value])
    assert receipt["missing_media"] == [sha256(two)]
    told = town.act("sync/status", "u1", ids=[value["id"], "uuid:x"])
    assert told["media"] == [
        {"id": value["id"], "missing_media": [sha256(two)]},
        {"id": "uuid:x", "missing_media": []},
    ]
    Sender(town, two).send()
    told = town.act("sync/status", "u1", ids=[value["id"]])
    assert told["media"] == [{"id": value["id"], "missing_media": []}]
    assert told["receipts"][0]["missing_media"] == [sha256(two)]
    (again,) = town.push([value])
    assert again == receipt | {"repeat": True}
    stranger = town.act("sync/status", "u9", ids=[value["id"]])
    assert stranger["media"] == [{"id": value["id"], "missing_media": []}]


def test_a_file_that_many_submissions_name_is_stored_once(town: Town, child: Child) -> None:
    data = photo()
    first = child.photographed(medium(data), photo="anh1.jpg")
    Sender(town, data).send()
    second = child.photographed(medium(data, "khac.jpg"), photo="khac.jpg", user="u2")
    assert second["missing_media"] == []
    assert seers(town, data, first["id"]) == seers(town, data, second["id"]) == {"u1", "u2", "s1"}


def test_what_submissions_name_is_computed_anew_from_their_bytes(town: Town, child: Child) -> None:
    data = photo()
    applied = child.photographed(medium(data), photo="anh1.jpg")
    held = child.photographed(medium(data), user="u9", photo="anh1.jpg")
    with town.app.app_context():
        db.session.execute(delete(SubmissionMedium))
        db.session.commit()
        found = rebuild_all(town.nest, now(), town.nest.committer.run, write=True).differences
    assert found == {("medium", f"{one['id']} {sha256(data)}") for one in (applied, held)}
    Sender(town, data).send()
    assert seers(town, data, applied["id"]) == {"u1", "u2", "s1"}


def test_the_desk_names_every_file_and_says_which_are_here(town: Town, child: Child) -> None:
    one, two = photo(), photo(seed=1)
    receipt = child.photographed(medium(one, "a.jpg"), medium(two, "b.jpg"), photo="a.jpg", **{SECRET: "b.jpg"})
    Sender(town, one).send()
    told = {file["name"]: file for file in town.page(receipt["id"])["media"]}
    assert told == {
        "a.jpg": medium(one, "a.jpg") | {"question": "photo", "protected": False, "here": True},
        "b.jpg": medium(two, "b.jpg") | {"question": SECRET, "protected": True, "here": False},
    }


def test_to_a_phone_it_is_all_one_which_question_a_file_answers(
    new_town: Callable[..., Town], photos: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told twice, with a protected photo and with one that answers nothing: collaborators hear the same."""
    monkeypatch.setattr(server.world, "load_catalogue", lambda folder: photos)
    ident, home, subs, data = new_id(), new_id(), [f"uuid:{new_id()}" for _ in range(2)], photo()
    heard = []
    for secret in (True, False):
        town = new_town()
        with time_machine.travel(datetime(2026, 11, 24, 1, 0, tzinfo=UTC), tick=False):
            created = town.apply(register(home, {ident: NAME}) | {"id": subs[0]})
            base = next(e["etag"] for e in created["entities"] if e["id"] == ident)
            answers = {SECRET: "anh1.jpg"} if secret else {}
            value = taken(ident, base, {"full_name": NAME}, medium(data), **answers) | {"id": subs[1]}
            told: list[Any] = [town.push([value])]
            for user in ("u1", "u2", "u9"):
                page = town.pull(user)
                told.append({name: part for name, part in page.items() if name != "token"})
                told.append(town.act("sync/status", user, ids=subs))
            told.append(Sender(town, data).send().headers["Upload-Offset"])
            told.append(town.act("sync/status", "u1", ids=subs))
            told += [Sender(town, data, user).get(subs[1]).get_json() for user in ("u1", "u2", "u9")]
            assert Sender(town, data, "s1").get(subs[1]).status_code == 200
        heard.append(told)
    assert heard[0] == heard[1]
