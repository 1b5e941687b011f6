"""The door: whatever comes in is refused as a whole without a trace, or every item of it is kept."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sync.envelope import MAX_DEPTH
from tests.api.builders import BAD_PHONE, in_xml, item, new_id, register, registration, situation, visit
from tests.api.conftest import Town, digest

NAME = "Đặng Thị Bé Tư"


def _batch(*items: Any) -> bytes:
    return orjson.dumps({"v": 1, "items": list(items)})


def _refused(town: Town, status: int, code: str, body: bytes, **headers: str) -> None:
    answer = town.post(body, **headers)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.content_type == "application/problem+json"
    assert town.stored() == {}


def test_a_gzip_bomb_is_not_unpacked(town: Town) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    body = bomb.compress(b'{"v":1,"items":[' + b" " * 200_000_000) + bomb.flush()
    assert len(body) < town.nest.limits.max_body
    _refused(town, 413, "too_large", body, Content_Encoding="gzip")


@pytest.mark.parametrize("cut", [1, 8, 9, 40])
def test_a_truncated_gzip_is_not_half_a_batch(town: Town, cut: int) -> None:
    body = gzip.compress(_batch(register(new_id(), {})))[:-cut]
    _refused(town, 400, "truncated", body, Content_Encoding="gzip")


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b", gzip.compress(b"{}", mtime=0) + b"{}", b'{"v":1,"items":[]}'])
def test_what_is_no_gzip_at_all(town: Town, body: bytes) -> None:
    _refused(town, 400, "truncated", body, Content_Encoding="gzip")


def test_an_unknown_encoding(town: Town) -> None:
    _refused(town, 400, "bad_encoding", _batch(register(new_id(), {})), Content_Encoding="br")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "no_digest"),
        ("sha-512=:abcd:", "no_digest"),
        ("sha-256=abcd", "no_digest"),
        ("sha-256=:abc:", "bad_digest"),
        (digest(b"something else"), "bad_digest"),
    ],
)
def test_a_missing_or_wrong_digest(town: Town, header: str, code: str) -> None:
    _refused(town, 400, code, _batch(register(new_id(), {})), Content_Digest=header)


def test_the_digest_is_of_the_bytes_sent(town: Town) -> None:
    plain = _batch(register(new_id(), {}))
    _refused(town, 400, "bad_digest", gzip.compress(plain), Content_Encoding="gzip", Content_Digest=digest(plain))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"v":1,"items":[}',
        b'{"v":1,"items":[{},]}',
        b'{"v":1,"items":[]} x',
        b'{"v":1,"items":{}}',
        b'{"v":1,"items":null}',
        b'{1:2,"items":[]}',
        b'{"v":1 "items":[]}',
        b'{"v":1,"items":[{"id":"x}]}',
        b'{"v":1,"app":"\\ud800","items":[]}',
        b'{"v":1,"app":"a\\u0000b","items":[]}',
        b'{"v":1,"app":"\xff\xfe","items":[]}',
        b"{" + b'"a":{' * 100_000,
        b'{"v":1,"items":[' + b"[" * 100_000,
        b'{"v":' + b"1" * 5_000 + b',"items":[]}',
    ],
)
def test_a_body_that_is_no_batch(town: Town, body: bytes) -> None:
    _refused(town, 400, "bad_json", body)


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"v": 2},
        {"v": "1"},
        {"v": None},
        {"v": 1, "app": 5},
        {"v": 1, "app": "x" * 101},
        {"v": 1, "clock": 3},
        {"v": 1, "clock": {}},
        {"v": 1, "clock": {"wall": "2026-11-23T07:00:00"}},
        {"v": 1, "clock": {"wall": "gestern"}},
        {"v": 1, "clock": {"wall": "2026-11-23T07:00:00+07:00", "mono_ms": 1.5}},
        {"v": 1, "clock": {"wall": "2026-11-23T07:00:00+07:00", "mono_ms": -1}},
    ],
)
def test_an_envelope_that_cannot_be_used(town: Town, envelope: Any) -> None:
    _refused(town, 400, "bad_envelope", orjson.dumps(envelope | {"items": [register(new_id(), {})]}))


@pytest.mark.parametrize("wall", ["0001-01-01T00:00:00+07:00", "9999-12-31T23:59:59-12:00", "1970-01-01T00:00:00Z"])
def test_a_clock_far_off_is_only_suspect(town: Town, wall: str) -> None:
    home, early = new_id(), new_id()
    (receipt,) = town.push([register(home, {early: NAME})], clock={"wall": wall})
    assert receipt["outcome"] == "applied"
    assert town.child(early)["data"]["full_name"] == NAME


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_an_item_observed_at_the_ends_of_time(town: Town, when: str) -> None:
    good, value = register(new_id(), {new_id(): NAME}), register(new_id(), {}) | {"observed_at": when}
    first, second = town.push([value, good])
    assert second["outcome"] == "applied"
    assert first["outcome"] in ("applied", "quarantined")
    assert town.stored()[value["id"]] == orjson.dumps(value)


def test_more_items_than_allowed(town: Town) -> None:
    _refused(town, 413, "too_many_items", _batch(*[{}] * 201))


def test_a_body_that_is_too_large(town: Town) -> None:
    limits = town.nest.limits
    _refused(town, 413, "too_large", b" " * (limits.max_body + 1))
    body = gzip.compress(b'{"v":1,"items":[' + b" " * limits.max_inflated + b"]}")
    _refused(town, 413, "too_large", body, Content_Encoding="gzip")


def _held(town: Town, raw: bytes, code: str, reason: str = "unreadable") -> dict[str, Any]:
    """Send this item between two good ones: it is kept as it is, and they are applied."""
    before, after = register(new_id(), {new_id(): NAME}), register(new_id(), {new_id(): NAME})
    body = b'{"v":1,"items":[' + orjson.dumps(before) + b" , " + raw + b"\n," + orjson.dumps(after) + b"]}"
    answer = town.post(body)
    assert answer.status_code == 200, answer.text
    first, held, last = answer.get_json()["receipts"]
    assert (first["outcome"], last["outcome"]) == ("applied", "applied")
    assert (held["outcome"], held["reason"]) == ("quarantined", reason)
    assert code in {problem["code"] for problem in held["problems"]}
    assert town.stored()[held["id"]] == raw
    assert town.post(body).get_json()["receipts"] == [receipt | {"repeat": True} for receipt in (first, held, last)]
    return held


def test_an_item_that_is_too_large(town: Town) -> None:
    raw = orjson.dumps(register(new_id(), {}, note="x" * town.nest.limits.max_item))
    _held(town, raw, "too_large")


def test_an_item_that_is_too_deep(town: Town) -> None:
    for depth in (MAX_DEPTH + 1, 100_000):
        raw = b'{"id":"deep' + str(depth).encode() + b'","answers":' + b"[" * depth + b"]" * depth + b"}"
        _held(town, raw, "too_deep")


def test_an_item_that_is_just_not_too_deep(town: Town) -> None:
    value = register(new_id(), {}, note=[])
    for _ in range(MAX_DEPTH - 3):
        value["answers"]["note"] = [value["answers"]["note"]]
    _held(town, orjson.dumps(value), "bad_value", "bad_value")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b'"a\\u0000b"', "bad_text"),
        (b'"\\ud83d"', "bad_text"),
        (b'"\\udc00\\ud800"', "bad_text"),
        (b'"\xff\xfe"', "bad_text"),
        (b'"Tr\xe2\xba"', "bad_text"),
        (b"NaN", "bad_number"),
        (b"Infinity", "bad_number"),
        (b"-Infinity", "bad_number"),
        (b"1e999", "bad_number"),
        (b"9" * 5_000, "too_deep"),
    ],
)
def test_characters_and_numbers_that_cannot_be_kept_as_data(town: Town, text: bytes, code: str) -> None:
    raw = orjson.dumps(register(new_id(), {}, note="@@")).replace(b'"@@"', text)
    held = _held(town, raw, code)
    assert held["id"].startswith(("uuid:", "sha256:"))


def test_a_strange_key_is_as_bad_as_a_strange_value(town: Town) -> None:
    raw = orjson.dumps(register(new_id(), {}) | {"@@": 1}).replace(b"@@", b"\\ud800")
    _held(town, raw, "bad_text")


@pytest.mark.parametrize("raw", [b"null", b"17", b'"phieu"', b"[]", b"true", b"{}", b"1.0", b"[[{}]]"])
def test_an_item_that_is_no_object_or_an_empty_one(town: Town, raw: bytes) -> None:
    assert _held(town, raw, "bad_field")["id"].startswith("sha256:")


@pytest.mark.parametrize(
    "ident", ["", " ", "a b", "ô", "x" * 151, "a~b", 7, None, ["x"], {"a": 1}, "a\nb", "a\u2028"]
)
def test_an_id_that_cannot_be_used(town: Town, ident: Any) -> None:
    raw = orjson.dumps(register(new_id(), {}) | {"id": ident})
    assert _held(town, raw, "bad_field")["id"].startswith("sha256:")


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        ({"form": "tax_return"}, "unknown_form", "unknown_form"),
        ({"version": "1999010101"}, "unknown_version", "unknown_version"),
        ({"kind": "resolve"}, "kind", "not_allowed"),
        ({"author": "nobody"}, "author", "not_allowed"),
        ({"form": 5}, "bad_field", "unreadable"),
        ({"version": None}, "bad_field", "unreadable"),
        ({"observed_at": "2026-11-23"}, "bad_field", "unreadable"),
        ({"observed_at": "2026-11-23T07:00:00"}, "bad_field", "unreadable"),
        ({"observed_at": 1_700_000_000}, "bad_field", "unreadable"),
        ({"seq": 1.5}, "bad_field", "unreadable"),
        ({"seq": -1}, "bad_field", "unreadable"),
        ({"entered_late": "yes"}, "bad_field", "unreadable"),
        ({"entities": {}}, "bad_field", "unreadable"),
        ({"entities": [7]}, "bad_field", "unreadable"),
        ({"entities": [{"type": "child", "id": "a/b"}]}, "bad_field", "unreadable"),
        ({"media": [{"name": "anh.jpg", "sha256": "zz", "size": 1}]}, "bad_field", "unreadable"),
        ({"xml": "<data/>"}, "bad_field", "unreadable"),
        ({"answers": None}, "bad_field", "unreadable"),
        ({"answers": 5}, "bad_value", "bad_value"),
        ({"answers": []}, "bad_value", "bad_value"),
        ({"answers": {}}, "required", "bad_value"),
    ],
)
def test_parts_of_an_item_that_are_wrong(town: Town, changes: Any, code: str, reason: str) -> None:
    _held(town, orjson.dumps(register(new_id(), {}) | changes), code, reason)


@pytest.mark.parametrize(
    ("answers", "code", "reason"),
    [
        ({"favourite_colour": "xanh"}, "unknown_property", "unknown_property"),
        ({"ward_code": "99999"}, "ward_unknown", "ward_unknown"),
        ({"poverty_year": "2024"}, "bad_value", "bad_value"),
        ({"poverty_year": 2024.5}, "bad_value", "bad_value"),
        ({"poverty_year": True}, "bad_value", "bad_value"),
        ({"poverty_year": 1800}, "constraint", "bad_value"),
        ({"poverty_status": "17"}, "bad_value", "bad_value"),
        ({"poverty_status": ["1"]}, "bad_value", "bad_value"),
        ({"deprivations": ["y_te", 5]}, "bad_value", "bad_value"),
        ({"deprivations": {"y_te": True}}, "bad_value", "bad_value"),
        ({"visit_date": "2025-02-30"}, "bad_value", "bad_value"),
        ({"visit_date": "23/11/2025"}, "bad_value", "bad_value"),
        ({"gps": "200 400"}, "bad_value", "bad_value"),
        ({"phone": BAD_PHONE}, "constraint", "bad_value"),
        ({"members": "nobody"}, "bad_value", "bad_value"),
        ({"members": [{}] * 61}, "bad_value", "bad_value"),
        ({"head_name": None}, "required", "bad_value"),
        ({"head_name": "x" * 101}, "constraint", "bad_value"),
    ],
)
def test_answers_that_are_wrong(town: Town, answers: Any, code: str, reason: str) -> None:
    value = register(new_id(), {}, **answers)
    held = _held(town, orjson.dumps(value), code, reason)
    if code != "unknown_property":
        assert f"/answers/{next(iter(answers))}" in held["problems"][0]["pointer"]


def test_an_id_of_a_household_that_is_none(town: Town) -> None:
    value = register(new_id(), {}, household_id="không phải mã")
    _held(town, orjson.dumps(value), "bad_value", "bad_value")


def test_eth_is_mended_and_the_bytes_stay(town: Town) -> None:
    child = new_id()
    value = register(new_id(), {child: "\u00d0\u1eb7ng Th\u1ecb  Be\u0301 Tu\u031b"})
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["warnings"]) == ("applied", ["text_normalised"])
    assert town.child(child)["data"]["full_name"] == "Đặng Thị Bé Tư"
    assert town.stored()[value["id"]] == orjson.dumps(value)


def test_a_good_text_is_not_warned_about(town: Town) -> None:
    assert town.apply(register(new_id(), {new_id(): NAME}))["warnings"] == []


SECRET = "bí mật của máy chủ"
EVIL = (
    '<!DOCTYPE data [<!ENTITY x SYSTEM "file:///{path}">]>{xml}',
    '<!DOCTYPE data [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY x "&b;&b;">]>{xml}',
    '<!DOCTYPE data SYSTEM "http://127.0.0.1:9/evil.dtd">{xml}',
    '<!DOCTYPE data [<!ENTITY % p SYSTEM "file:///{path}"> %p;]>{xml}',
)


@pytest.mark.parametrize("evil", EVIL)
def test_xml_with_a_doctype_is_not_read(town: Town, evil: str, tmp_path: Any) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET, encoding="utf-8")
    form = _form(town, "household_registration")
    value = in_xml(form, register(new_id(), {}, note="@@"))
    value["xml"] = evil.format(path=path, xml=value["xml"].replace("@@", "&x;"))
    held = _held(town, orjson.dumps(value), "bad_xml")
    assert SECRET not in str(held)


@pytest.mark.parametrize(
    "xml",
    ["", "x", "<data>", "<data/>", "<a:b/>", "<data id='household_registration'/>", "<" * 1_000, "<data>&x;</data>"],
)
def test_xml_that_is_no_such_form(town: Town, xml: str) -> None:
    value = register(new_id(), {}) | {"xml": xml}
    del value["answers"]
    _held(town, orjson.dumps(value), "bad_xml")


def test_xml_of_great_depth(town: Town) -> None:
    value = register(new_id(), {}) | {"xml": "<a>" * 40_000}
    del value["answers"]
    _held(town, orjson.dumps(value), "bad_xml")


def test_xml_and_json_say_the_same(new_town: Callable[..., Town]) -> None:
    home, child = new_id(), new_id()
    registered = register(home, {child: NAME}, deprivations=["y_te", "nha_o"], gps="10.03 105.77 2.0 9.0")
    visited = visit(
        child,
        NAME,
        "0-",
        after=[registered["id"]],
        seen={"full_name": NAME},
        sc_codes=["SC08", "SC13"],
        injuries=[{"injury_type": "2", "injury_date": registered["answers"]["visit_date"]}],
        new_injuries="1",
    )
    shown: list[Any] = []
    for town in (new_town(), new_town()):
        items = [registered, visited]
        if shown:
            forms = [_form(town, value["form"]) for value in items]
            items = [in_xml(form, value) for form, value in zip(forms, items, strict=True)]
        receipts = town.push(items)
        assert [receipt["outcome"] for receipt in receipts] == ["applied", "applied"], receipts
        shown.append([town.household(home)["data"], town.child(child)["data"], receipts])
    assert shown[0] == shown[1]
    assert shown[0][1]["sc_codes"] == ["SC08", "SC13"]


def test_an_element_that_the_form_does_not_have(town: Town) -> None:
    value = in_xml(_form(town, "household_registration"), register(new_id(), {}))
    value["xml"] = value["xml"].replace("</data>", "<colour>xanh</colour></data>")
    _held(town, orjson.dumps(value), "unknown_property", "unknown_property")


def test_one_id_for_two_people_is_held(town: Town) -> None:
    twin = new_id()
    rows = registration(new_id(), {twin: NAME})["members"]
    value = register(new_id(), {}, members=[*rows, rows[-1]])
    _held(town, orjson.dumps(value), "bad_value", "bad_value")


def test_a_household_cannot_become_a_child(town: Town) -> None:
    home = new_id()
    town.apply(register(home, {}))
    value = item("child_situation", situation(home, NAME), {"type": "child", "id": home, "base": "0-"})
    _held(town, orjson.dumps(value), "entity_type", "bad_value")
    assert town.household(home)["revision"] == 2  # taken by the held item, so that its phone is overtaken


def _form(town: Town, ident: str) -> Any:
    return next(form for form in town.nest.catalogue.current() if form.id == ident)
