"""A submission by the way of OpenRosa: what is kept, what the phone hears, and that nothing is lost."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from server.store.tables import Media, Submission, SubmissionMedium
from sync.times import to_ms
from tests.api.builders import BAD_PHONE, day
from tests.api.towns import Town
from tests.openrosa.answers import home, visited, with_meta
from tests.openrosa.phone import BOUNDARY, FULL, Phone, multipart, said

PhoneOf = Callable[..., Phone]
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4


def kept(town: Town) -> dict[str, Any]:
    return {row.id: row for row in town.rows(select(*Submission.__table__.c))}


def test_a_submission_is_kept_byte_for_byte_and_answered_as_collect_reads_it(town: Town, phone: PhoneOf) -> None:
    xml, household, child = home(town, ident="uuid:một-phiếu".replace("ộ", "o").replace("ế", "e"))
    answer = phone().send(xml)
    assert answer.status_code == 201
    assert answer.data == (
        b'<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">'
        b'<message nature="">full submission upload was successful!</message></OpenRosaResponse>'
    )
    assert answer.content_type == "text/xml; charset=utf-8"
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    (row,) = kept(town).values()
    assert (row.id, row.outcome, row.author, row.device, row.dialect) == (
        "uuid:mot-phieu", "applied", "u1", town.devices["u1"], "openrosa",
    )  # fmt: skip
    assert orjson.loads(town.stored()[row.id])["xml"] == xml
    assert town.child(child)["data"]["full_name"] == "Lê Ngọc Hân"
    assert town.household(household)["revision"] == 1


def test_head_says_how_much_may_come(town: Town, phone: PhoneOf) -> None:
    client = town.app.test_client()
    answer = client.head(f"/odk/{town.tokens['u1']}/submission", headers=phone().headers)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == str(town.nest.limits.max_blob)
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert "Location" not in answer.headers


def test_a_repeat_is_the_same_submission_whatever_the_clock_says_meanwhile(town: Town, phone: PhoneOf) -> None:
    xml, _, child = home(town)
    mine = phone()
    mine.submit(xml)
    mine.clock = datetime.now(UTC) + timedelta(hours=3)
    mine.submit(xml)
    assert len(kept(town)) == 1
    assert town.child(child)["revision"] == 1


def test_one_id_and_two_contents_are_both_kept(town: Town, phone: PhoneOf) -> None:
    xml, *_ = home(town, ident="uuid:1")
    other, *_ = home(town, ident="uuid:1")
    phone().submit(xml)
    answer = phone().send(other)
    assert answer.status_code == 201
    assert "Mã phiếu này đã dùng" in said(answer)
    assert sorted(row.outcome for row in kept(town).values()) == ["applied", "quarantined"]
    assert {orjson.loads(raw)["xml"] for raw in town.stored().values()} == {xml, other}
    assert phone().send(other).status_code == 201
    assert len(kept(town)) == 2


def test_without_an_id_it_is_kept_under_the_hash_of_its_bytes(town: Town, phone: PhoneOf) -> None:
    xml = home(town)[0].replace("<instanceID>", "<!--").replace("</instanceID>", "-->")
    for _ in range(2):
        phone().submit(xml)
    assert list(kept(town)) == [f"sha256:{hashlib.sha256(xml.encode()).hexdigest()}"]


def test_an_edit_amends_what_it_replaces(town: Town, phone: PhoneOf) -> None:
    xml, _, child = home(town)
    phone().submit(xml)
    phone().submit(visited(town, child, 1, ident="uuid:a", school_name="Trường Một"))
    phone().submit(visited(town, child, 1, ident="uuid:b", replaces="uuid:a", school_name="Trường Hai"))
    assert town.child(child)["data"]["school_name"] == "Trường Hai"
    assert town.page("uuid:a")["state"] == "edited"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda xml: xml.replace('id="household_registration"', 'id="khong_co"'), "unknown_form"),
        (lambda xml: xml.replace('version="2026112601"', 'version="1999010101"'), "unknown_version"),
        (lambda xml: xml.replace("0912345678", BAD_PHONE), "bad_value"),
        (lambda xml: xml.replace("<hamlet_code>01", "<hamlet_code>05"), "out_of_area"),
        (lambda xml: xml.replace(' id="household_registration"', ""), "unreadable"),
        (lambda xml: xml.replace('id="household_registration"', f'id="{"x" * 300}"'), "unreadable"),
    ],
)
def test_what_cannot_be_applied_is_kept_and_is_sent_for_the_phone(
    town: Town, phone: PhoneOf, change: Callable[[str], str], why: str
) -> None:
    xml = change(home(town)[0])
    answer = phone().send(xml)
    assert answer.status_code == 201
    assert said(answer).startswith("Đã nhận và lưu phiếu, cán bộ sẽ xem: ")
    (row,) = kept(town).values()
    assert (row.outcome, row.reason) == ("quarantined", why)
    assert orjson.loads(town.stored()[row.id])["xml"] == xml


def test_a_lost_phone_still_sends_and_reads_nothing(town: Town, phone: PhoneOf) -> None:
    xml, *_ = home(town)
    mine = phone()
    lists = mine.manifest("child_situation")["child.csv"]["downloadUrl"]
    town.revoke("u1")
    for path in ("formList", lists, "forms/child_situation/2026112602/form.xml"):
        answer = mine.get(path)
        assert answer.status_code == 403
        assert "thu hồi" in said(answer)
    assert town.app.test_client().head(f"/odk/{mine.token}/submission", headers=mine.headers).status_code == 204
    answer = mine.send(xml, photo__jpg=JPEG)
    assert answer.status_code == 201
    assert "thu hồi" in said(answer)
    (row,) = kept(town).values()
    assert (row.outcome, row.reason) == ("quarantined", "device_revoked")
    assert len(town.rows(select(SubmissionMedium.sub))) == 1


@pytest.mark.parametrize(
    ("token", "status"),
    [("x", 401), ("toam_" + "A" * 42, 401), ("toam_" + "ă" * 43, 401), ("toam_" + "A" * 43, 403)],
)
def test_a_token_that_is_none_and_one_that_is_not_known(town: Town, token: str, status: int) -> None:
    mine = Phone(town, token)
    for answer in (mine.get("formList"), mine.send(home(town)[0])):
        assert answer.status_code == status
        assert said(answer)
        assert "WWW-Authenticate" not in answer.headers
    assert kept(town) == {}


def test_without_the_version_header_nothing_is_answered(town: Town, phone: PhoneOf) -> None:
    answer = town.app.test_client().get(f"/odk/{town.tokens['u1']}/formList")
    assert answer.status_code == 400
    assert said(answer)


def hostile(xml: str) -> list[bytes]:
    bomb = "".join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    return [
        b"",
        b"no xml",
        xml.encode()[:-20],
        xml.encode("utf-16"),
        f"<!DOCTYPE data>{xml}".encode(),
        f"<!DOCTYPE data [{bomb}]>{xml.replace('Lê Ngọc Hân', '&b9;')}".encode(),
        f'<!DOCTYPE data [<!ENTITY x SYSTEM "file:///etc/passwd">]>{xml.replace("Lê Ngọc Hân", "&x;")}'.encode(),
        b"<a>" * 100_000,
        xml.replace("Lê Ngọc Hân", "&undefined;").encode(),
        xml.encode().replace("Lê Ngọc Hân".encode(), b"L\xff"),
        xml.replace("Lê Ngọc Hân", "&#0;").encode(),
        b'<?xml version="1.0" encoding="no-such"?>' + xml.encode(),
    ]


def test_hostile_xml_is_refused_in_words_and_costs_nothing(town: Town, phone: PhoneOf) -> None:
    for body in hostile(home(town)[0]):
        answer = phone().send(body)
        assert answer.status_code == 400, body[:100]
        assert said(answer)
    assert kept(town) == {}


ODD = (
    "<a/>",
    "<data id='household_registration' version='2026112601'/>",
    "<a><start>x</start><end/></a>",
    "<a><end>9999-12-31T23:59:59Z</end></a>",
    "<a><start>0001-01-01T00:00:00+14:00</start></a>",
    "<a><visit_date>9999-12-31</visit_date><today>2026-01-01</today></a>",
    f"<a><meta><instanceID>{'x' * 5_000}</instanceID></meta></a>",
    f"<a><meta><instanceID>ạ</instanceID><deprecatedID>{'y' * 999}</deprecatedID></meta></a>",
)


def test_odd_instances_are_kept(town: Town, phone: PhoneOf) -> None:
    for xml in ODD:
        answer = phone().send(xml)
        assert answer.status_code == 201, answer.text
    assert len(kept(town)) == len(ODD)
    assert {row.outcome for row in kept(town).values()} == {"quarantined"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", f"multipart/form-data; boundary={BOUNDARY}", 400),
        (b"junk", f"multipart/form-data; boundary={BOUNDARY}", 400),
        (b"<data/>", "text/xml", 400),
        (b"<data/>", "multipart/form-data", 400),
        (multipart(None, {"a.jpg": JPEG}), f"multipart/form-data; boundary={BOUNDARY}", 400),
        (multipart(b"<a/>", {"a.jpg": JPEG})[:200], f"multipart/form-data; boundary={BOUNDARY}", 400),
        (f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--".encode(), f"multipart/form-data; boundary={BOUNDARY}", 400),
        (b"h: " + b"x" * 900_000, f"multipart/form-data; boundary={BOUNDARY}", 400),
        (multipart(b"<a/>", {f"{n}.jpg": b"" for n in range(600)}), f"multipart/form-data; boundary={BOUNDARY}", 413),
        (multipart(b"<a>" + b" " * 9_000_000 + b"</a>", {}), f"multipart/form-data; boundary={BOUNDARY}", 413),
    ],
)
def test_bodies_that_hold_no_submission(town: Town, phone: PhoneOf, body: bytes, kind: str, status: int) -> None:
    answer = phone().post(body, kind)
    assert answer.status_code == status, answer.text
    assert said(answer)


def test_a_body_that_breaks_off_behind_the_xml_is_kept_and_asked_for_again(town: Town, phone: PhoneOf) -> None:
    xml, _, child = home(town)
    answer = phone().post(multipart(xml.encode(), {"a.jpg": JPEG})[:-300])
    assert answer.status_code == 400
    assert town.child(child)["revision"] == 1
    assert town.rows(select(Media.sha256)) == []
    answer = phone().send(xml, a__jpg=JPEG)
    assert (answer.status_code, said(answer)) == (201, FULL)
    assert len(town.rows(select(Media.sha256))) == 1


def test_a_large_xml_is_kept_for_a_person(town: Town, phone: PhoneOf) -> None:
    xml = home(town)[0].replace("Lê Ngọc Hân", "x" * town.nest.limits.max_item)
    answer = phone().send(xml)
    assert (answer.status_code, "lớn hơn" in said(answer)) == (201, True)
    (row,) = kept(town).values()
    assert row.reason == "unreadable"
    assert orjson.loads(town.stored()[row.id])["xml"] == xml


def test_what_the_phone_s_clock_says_is_mended_by_the_date_of_its_request(town: Town, phone: PhoneOf) -> None:
    """It is two hours slow: what it observed just now is not two hours old. Twelve hours it never says."""
    for hours in (2, -2, 0):
        xml, *_ = home(town)
        mine = phone()
        mine.clock = datetime.now(UTC) - timedelta(hours=hours)
        said_by_phone = mine.clock.astimezone(UTC).isoformat(timespec="milliseconds")
        xml = xml.replace("<visit>", f"<start>{said_by_phone}</start><end>{said_by_phone}</end><visit>", 1)
        before = to_ms(datetime.now(UTC))
        mine.submit(xml)
        row = max(kept(town).values(), key=lambda one: one.received_at)
        wall, *_ = orjson.loads(row.facts)["clock"]
        assert abs(before - wall - hours * 3_600_000) < 5_000
        entity = orjson.loads(town.stored()[row.id])
        assert entity["observed_at"] == said_by_phone


def test_a_visit_of_an_earlier_day_keeps_its_day(town: Town, phone: PhoneOf) -> None:
    xml, *_ = home(town, visit_date=day(-3))
    start = datetime.now(UTC).isoformat()
    phone().submit(with_meta(xml, None, start=start, end=start))
    (raw,) = town.stored().values()
    value = orjson.loads(raw)
    assert (value["entered_late"], value["observed_at"]) == (True, f"{day(-3)}T23:59:59.999+07:00")
