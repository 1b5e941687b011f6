"""Photos that come with a form: in one request or in several, some of which nobody wants."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from forms.catalogue import Catalogue
from server.clock import now
from server.openrosa import multipart as taking
from server.rebuild import rebuild_all
from server.store.tables import Media, SubmissionMedium
from tests.api.photos import with_photos
from tests.api.towns import Town
from tests.openrosa.answers import home, with_meta
from tests.openrosa.phone import FULL, Phone, said

PhoneOf = Callable[..., Phone]
JPEG, PNG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4, b"\x89PNG\r\n\x1a\n" + bytes(500)


@pytest.fixture
def pictured(town: Town, catalogue: Catalogue) -> Town:
    """The town with a form that asks for photos."""
    town.app.extensions["toam"] = replace(town.nest, catalogue=with_photos(catalogue))
    return town


@pytest.fixture
def phone(pictured: Town) -> PhoneOf:
    return lambda user="u1": Phone(pictured, pictured.tokens[user])


def photos(town: Town, phone: Phone, *names: str) -> tuple[str, str]:
    """A submission that names these files, and its child."""
    xml, _, child = home(town)
    phone.submit(xml)
    questions = ("photo", "told", "injury_photo")
    said = "".join(f"<{question}>{name}</{question}>" for question, name in zip(questions, names, strict=False))
    form = town.nest.catalogue.current_of("child_photo")
    assert form is not None
    element = f'<meta><entity dataset="child" id="{child}" update="1" baseVersion="1"/></meta>'
    xml = f'<data id="child_photo" version="{form.version}"><child>{child}</child>{said}{element}</data>'
    return with_meta(xml, "uuid:photos"), child


def named(town: Town) -> dict[str, Any]:
    return {row.name: row for row in town.rows(select(*SubmissionMedium.__table__.c))}


def here(town: Town) -> list[tuple[str, int]]:
    return sorted((row.type, row.size) for row in town.rows(select(Media.type, Media.size)))


def test_files_come_in_several_requests_with_the_identical_xml(pictured: Town, phone: PhoneOf) -> None:
    xml, child = photos(pictured, phone(), "a.jpg", "b.m4a", "c.png")
    assert phone().send(xml, True, a__jpg=JPEG).status_code == 201
    assert pictured.page("uuid:photos")["state"] == "received"
    assert set(named(pictured)) == {"a.jpg"}
    phone().submit(xml, c__png=PNG)
    phone().submit(xml, c__png=PNG)
    rows = named(pictured)
    assert {name: (row.question, row.entity, row.protected) for name, row in rows.items()} == {
        "a.jpg": ("photo", child, False),
        "c.png": ("injury_photo", child, True),
    }
    assert here(pictured) == [("image/jpeg", len(JPEG)), ("image/png", len(PNG))]
    for user, name, status in (
        ("u1", "a.jpg", 200),
        ("u1", "c.png", 404),
        ("s1", "c.png", 200),
        ("u9", "a.jpg", 404),
    ):
        answer = pictured.get(f"/api/v1/media/{rows[name].sha256}?sub=uuid:photos", user)
        assert answer.status_code == status, (user, name)
    assert pictured.get(f"/api/v1/media/{rows['a.jpg'].sha256}?sub=uuid:photos").data == JPEG


def test_a_file_that_nobody_asked_for_is_kept_for_officers(pictured: Town, phone: PhoneOf) -> None:
    xml, _ = photos(pictured, phone(), "a.jpg")
    phone().submit(xml, z__jpg=JPEG)
    row = named(pictured)["z.jpg"]
    assert (row.question, row.protected) == (None, True)
    assert pictured.get(f"/api/v1/media/{row.sha256}?sub=uuid:photos", "s1").data == JPEG


@pytest.mark.parametrize(
    ("content", "why"), [(b"MZ" + bytes(500), "không phải ảnh"), (b"", "không phải ảnh"), (JPEG * 30, "lớn hơn")]
)
def test_a_file_that_is_refused_costs_neither_the_form_nor_the_others(
    pictured: Town, phone: PhoneOf, content: bytes, why: str
) -> None:
    settings = replace(pictured.nest.settings, max_blob=20_000)
    pictured.app.extensions["toam"] = replace(pictured.nest, settings=settings)
    xml, _ = photos(pictured, phone(), "a.jpg")
    answer = phone().send(xml, b__jpg=content, a__jpg=JPEG)
    assert answer.status_code == 201
    assert said(answer).startswith("Đã lưu phiếu. Tệp b.jpg: ")
    assert why in said(answer)
    assert set(named(pictured)) == {"a.jpg"}
    assert here(pictured) == [("image/jpeg", len(JPEG))]


def test_more_than_any_request_may_bring_leaves_the_form_with_us(pictured: Town, phone: PhoneOf) -> None:
    pictured.app.extensions["toam"] = replace(
        pictured.nest, settings=replace(pictured.nest.settings, max_blob=20_000)
    )
    xml, _ = photos(pictured, phone(), "a.jpg")
    answer = phone().send(xml, a__jpg=JPEG * 90)
    assert answer.status_code == 413
    assert "đã được lưu" in said(answer)
    assert pictured.page("uuid:photos")["state"] == "received"


def test_what_can_come_later_is_asked_for_again(pictured: Town, phone: PhoneOf) -> None:
    """A day's volume is used up: the form is here, the phone keeps the photo."""
    usual = pictured.nest.settings
    pictured.app.extensions["toam"] = replace(pictured.nest, settings=replace(usual, max_volume=100))
    xml, _ = photos(pictured, phone(), "a.jpg")
    answer = phone().send(xml, a__jpg=JPEG)
    assert (answer.status_code, named(pictured)) == (429, {})
    assert int(answer.headers["Retry-After"]) > 0
    assert pictured.page("uuid:photos")["state"] == "received"
    pictured.app.extensions["toam"] = replace(pictured.nest, settings=usual)
    phone().submit(xml, a__jpg=JPEG)
    assert set(named(pictured)) == {"a.jpg"}


def test_a_full_disk_keeps_the_form_and_leaves_the_photo_on_the_phone(
    pictured: Town, phone: PhoneOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    xml, _ = photos(pictured, phone(), "a.jpg")

    def full(*_: Any) -> Any:
        raise OSError(28, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(taking.MediaFolder, "spool", full)
        answer = phone().send(xml, a__jpg=JPEG)
    assert answer.status_code == 503
    assert pictured.page("uuid:photos")["state"] == "received"
    assert phone().send(xml, a__jpg=JPEG).status_code == 201


def test_a_missing_file_is_no_reason_to_wait(pictured: Town, phone: PhoneOf) -> None:
    xml, child = photos(pictured, phone(), "a.jpg", "b.m4a")
    phone().submit(xml)
    assert pictured.child(child)["revision"] == 2
    assert named(pictured) == {}


def test_what_came_beside_the_xml_outlives_a_rebuild(pictured: Town, phone: PhoneOf) -> None:
    xml, _ = photos(pictured, phone(), "a.jpg", "b.m4a", "c.png")
    phone().submit(xml, a__jpg=JPEG, c__png=PNG)
    before = {name: tuple(row) for name, row in named(pictured).items()}
    with pictured.app.app_context():
        nest = pictured.nest
        assert not rebuild_all(nest, now(), nest.committer.run, write=False).differences
        table = SubmissionMedium.__table__
        with nest.store.transaction([]) as tx:
            tx.connection.execute(table.update().values(question=None, protected=False, entity=None))
        assert rebuild_all(nest, now(), nest.committer.run, write=True).differences
    assert {name: tuple(row) for name, row in named(pictured).items()} == before


def test_names_that_are_none(pictured: Town, phone: PhoneOf) -> None:
    xml, _ = photos(pictured, phone(), "a.jpg")
    for name in ("../../etc/passwd", "ảnh/a.jpg", "x" * 400, "\x00", ""):
        assert phone().send(xml, **{name: JPEG}).status_code == 201, name
    assert set(named(pictured)) == {"passwd", "a.jpg"}


def test_quarantined_ones_have_their_files_too(pictured: Town, phone: PhoneOf) -> None:
    answer = phone().send("<khong_co_bieu_mau/>", a__jpg=JPEG)
    assert answer.status_code == 201
    assert named(pictured)["a.jpg"].protected
    assert FULL not in said(answer)
