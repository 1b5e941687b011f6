"""Forms and lists as a phone with ODK Collect is served them: for whom, with which digests, and when they change."""

import csv
import gzip
import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from forms.entity_types import Half
from server.openrosa import lists
from server.openrosa.columns import FIRST, columns_of, shown_by
from server.store.tables import Entity, db
from tests.api.builders import AREA, new_id, register, situation
from tests.api.builders import item as item_of
from tests.api.towns import Town
from tests.openrosa.answers import home, visited
from tests.openrosa.phone import Phone, said

PhoneOf = Callable[..., Phone]
COLLABORATORS = [
    "child_situation", "follow_up_visit", "household_registration", "household_update", "protection_report",
]  # fmt: skip


def rows(content: bytes) -> dict[str, dict[str, str]]:
    """A list as Collect reads it: no row without name, label and version."""
    found = list(csv.DictReader(io.StringIO(content.decode())))
    assert all(row[column] for row in found for column in FIRST)
    return {row["name"]: row for row in found}


def family(town: Town, user: str = "u1", hamlet: str = "01", name: str = "Trần Gia Bảo") -> tuple[str, str]:
    household, child = new_id(), new_id()
    town.apply(register(household, {child: name}, hamlet_code=hamlet), user)
    return household, child


def test_the_form_list_byte_for_byte(town: Town, phone: PhoneOf) -> None:
    answer = phone().get("formList", Accept_Encoding="identity")
    assert answer.status_code == 200
    assert answer.content_type == "text/xml; charset=utf-8"
    base = f"http://localhost/odk/{town.tokens['u1']}/forms"
    items = []
    for ident in COLLABORATORS:
        form = town.nest.catalogue.current_of(ident)
        assert form is not None
        digest = hashlib.md5(form.xml.encode(), usedforsecurity=False).hexdigest()
        where = f"{base}/{ident}/{form.version}"
        items.append(
            f"<xform><formID>{ident}</formID><name>{form.title}</name><version>{form.version}</version>"
            f"<hash>md5:{digest}</hash><downloadUrl>{where}/form.xml</downloadUrl>"
            f"<manifestUrl>{where}/manifest</manifestUrl></xform>"
        )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<xforms xmlns="http://openrosa.org/xforms/xformsList">'
    assert answer.text == f"{head}{''.join(items)}</xforms>"
    one = (
        phone()
        .town.app.test_client()
        .get(f"/odk/{town.tokens['u1']}/formList?formID=child_situation", headers=phone().headers)
    )
    assert one.text.count("<xform>") == 1


def test_forms_are_served_as_they_were_published(town: Town, phone: PhoneOf) -> None:
    for ident, listed in phone().forms().items():
        answer = phone().get(listed["downloadUrl"])
        form = town.nest.catalogue.current_of(ident)
        assert form is not None
        assert answer.data == form.xml.encode()
        assert listed["hash"] == f"md5:{hashlib.md5(answer.data, usedforsecurity=False).hexdigest()}"
        assert answer.headers["ETag"] == f'"{listed["hash"][4:]}"'
        again = phone().get(listed["downloadUrl"], If_None_Match=answer.headers["ETag"])
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
        assert again.headers["Cache-Control"] == "private, no-cache"


def test_a_form_travels_compressed_under_a_digest_of_its_own(town: Town, phone: PhoneOf) -> None:
    address = phone().forms()["child_situation"]["downloadUrl"]
    plain, packed = phone().get(address), phone().get(address, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert phone().get(address, If_None_Match=packed.headers["ETag"], Accept_Encoding="gzip").status_code == 304


def test_earlier_versions_are_there_for_drafts(town: Town, phone: PhoneOf) -> None:
    assert phone().get("forms/child_situation/2026112301/form.xml").status_code == 200
    assert phone().get("forms/child_situation/2026112301/manifest").status_code == 200
    assert phone().get("forms/child_situation/1/form.xml").status_code == 404


def test_officers_forms_and_lists_are_for_officers(town: Town, phone: PhoneOf) -> None:
    version = town.nest.catalogue.current_of("child_review")
    assert version is not None
    path = f"forms/child_review/{version.version}"
    assert "child_review" not in phone().forms()
    for name in (f"{path}/form.xml", f"{path}/manifest", "lists/report.csv", "lists/child_protected.csv"):
        assert phone().get(name).status_code == 404, name
    assert set(phone("s1").manifest("child_review")) == {"child.csv", "report.csv"}
    for user in ("c1", "a1"):
        assert sorted(phone(user).forms()) == COLLABORATORS
        assert rows(phone(user).files("child_situation")["child.csv"]) == {}


def test_the_manifest_byte_for_byte(town: Town, phone: PhoneOf) -> None:
    family(town)
    base = f"http://localhost/odk/{town.tokens['u1']}/lists"
    files = phone().files("follow_up_visit")
    answer = phone().get(phone().forms()["follow_up_visit"]["manifestUrl"], Accept_Encoding="identity")

    def one(name: str, listed: bool) -> str:
        digest = hashlib.md5(files[f"{name}.csv"], usedforsecurity=False).hexdigest()
        asked = f"<integrityUrl>{base}/{name}/integrity</integrityUrl>" if listed else ""
        kind = ' type="entityList"' if listed else ""
        return (
            f"<mediaFile{kind}><filename>{name}.csv</filename><hash>md5:{digest}</hash>"
            f"<downloadUrl>{base}/{name}.csv</downloadUrl>{asked}</mediaFile>"
        )

    head = '<?xml version="1.0" encoding="UTF-8"?>\n<manifest xmlns="http://openrosa.org/xforms/xformsManifest">'
    listed = [one(name, name != "visits") for name in (n.removesuffix(".csv") for n in files)]
    assert answer.text == f"{head}{''.join(listed)}</manifest>"
    assert set(files) == {"visits.csv", "child.csv", "household.csv"}


def test_a_list_holds_what_its_collaborator_may_see_as_it_is(town: Town, phone: PhoneOf) -> None:
    household, child = family(town)
    _, elsewhere = family(town, "s1", "05", "Lê Văn Xa")
    files = phone().files("household_update")
    children, homes = rows(files["child.csv"]), rows(files["household.csv"])
    assert set(children) == {child}
    assert set(homes) == {household}
    row = children[child]
    assert (row["label"], row["__version"], row["household"]) == ("Trần Gia Bảo", "1", household)
    assert set(rows(phone("u9").files("child_situation")["child.csv"])) == {elsewhere}
    assert set(rows(phone("s1").files("child_situation")["child.csv"])) == {child, elsewhere}
    state = town.child(child)
    for name in set(row) - {*FIRST}:
        value = state["data"].get(name)
        told = "" if value is None else " ".join(value) if isinstance(value, list) else str(value)
        assert row[name] == told, name


def test_digests_change_with_the_content_and_only_with_it(town: Town, phone: PhoneOf) -> None:
    _, child = family(town)
    mine = phone()

    def digest(user: str = "u1") -> str:
        return phone(user).manifest("child_situation")["child.csv"]["hash"]

    first = digest()
    answer = mine.get("lists/child.csv")
    assert first == f"md5:{answer.headers['ETag'].strip(chr(34))}"
    assert digest("u2") == first
    household = new_id()
    town.apply(register(household, {}, members=[], head_name="Hộ Mới"), "u2")  # same scope, another list
    family(town, "s1", "05")
    assert digest() == first
    assert mine.get("lists/child.csv", If_None_Match=answer.headers["ETag"]).status_code == 304
    mine.submit(visited(town, child, 1, "Trần Gia Bảo", school_name="Trường Mới"))
    assert digest() != first
    changed = mine.get("lists/child.csv", If_None_Match=answer.headers["ETag"])
    assert changed.status_code == 200
    row = rows(changed.data)[child]
    assert (row["__version"], row["school_name"]) == ("2", "Trường Mới")


def test_what_is_held_raises_the_version_too(town: Town, phone: PhoneOf) -> None:
    """Else the phone would keep its own copy of what was never applied."""
    _, child = family(town)
    answer = phone().send(visited(town, child, 1, "Trần Gia Bảo", risk_now="77"))
    assert (answer.status_code, "cán bộ sẽ xem" in said(answer)) == (201, True)
    assert rows(phone().files("child_situation")["child.csv"])[child]["__version"] == "2"


def test_nothing_of_the_protected_half_is_in_any_list(town: Town, phone: PhoneOf) -> None:
    """Every property of every half, walked; and what was answered of it, sought in every byte."""
    household, child = new_id(), new_id()
    town.apply(register(household, {child: "Trần Gia Bảo"}, 13))
    told = {"abuse_signs": ["5"], "immediate_danger": "1", "sc_protected": ["SC11"], "child_marriage": "1"}
    said_of_it = situation(child, "Trần Gia Bảo", 13, **told)
    town.push([item_of("child_situation", said_of_it)])
    types = town.nest.catalogue.types
    secret = {name for kind in types.values() for name, p in kind.properties.items() if p.half is Half.PROTECTED}
    secret |= {name for kind in types.values() if kind.protected_half for name in kind.protected_half.properties}
    assert len(secret) > 10
    for user in ("u1", "u2", "s1"):
        for form in phone(user).forms():
            for name, content in phone(user).files(form).items():
                kind = types.get(name.removesuffix(".csv"))
                columns = set(content.decode().splitlines()[0].split(","))
                open_names = set(kind.properties) if kind and kind.half is Half.OPEN else set()
                assert not columns & (secret - open_names), (form, name)
                assert b"SC11" not in content
                if name == "report.csv":
                    assert columns == set(FIRST)


def test_of_what_is_sensitive_only_what_a_form_shows_is_in_a_list(town: Town) -> None:
    catalogue = town.nest.catalogue
    forms = [form for form in catalogue.offered() if not form.officers]
    for kind in ("household", "child", "person"):
        properties = catalogue.types[kind].properties
        shown = frozenset().union(*(shown_by(form, kind) for form in forms))
        prefilled = {
            q.property
            for form in forms
            for q in form.questions
            if q.prefilled and q.container and q.container.type == kind
        }
        assert prefilled <= shown
        columns = set(columns_of(catalogue.types[kind], forms))
        sensitive = {name for name, one in properties.items() if one.sensitivity == "S3"}
        assert columns & sensitive <= shown
        assert not sensitive or sensitive - columns, kind
        assert not [name for name in columns if properties[name].officer]


def test_a_nameless_child_does_not_spoil_the_list(town: Town, phone: PhoneOf) -> None:
    _, child = family(town)
    with town.app.app_context():
        db.session.execute(update(Entity).where(Entity.id == child).values(label=""))
        db.session.commit()
    assert rows(phone().files("child_situation")["child.csv"])[child]["label"] == "(chưa có tên)"


@pytest.mark.parametrize("name", ['Bé "Tí", con út', "Bé, Tí", "=1+1", "Trần Thị Ánh Nguyệt"])
def test_odd_names_stay_in_their_cell(town: Town, phone: PhoneOf, name: str) -> None:
    _, child = family(town, name=name)
    assert rows(phone().files("child_situation")["child.csv"])[child]["full_name"] == name


def test_integrity_tells_what_a_phone_must_drop(town: Town, phone: PhoneOf) -> None:
    _, child = family(town)
    _, other = family(town, "s1", "05")
    ghost, dead = new_id(), family(town)[1]
    town.act(f"entities/child/{dead}/delete", base=town.child(dead, "s1")["etag"], reason="Ghi nhầm.")
    where = phone().manifest("child_situation")["child.csv"]["integrityUrl"]
    path = where.removeprefix("http://localhost")
    answer = town.app.test_client().get(f"{path}?id={child},{other},{ghost},{dead}", headers=phone().headers)
    flags = [(child, "false"), (other, "true"), (ghost, "false"), (dead, "true")]
    items = "".join(f'<entity id="{ident}"><deleted>{gone}</deleted></entity>' for ident, gone in flags)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    assert answer.text == f"{head}<data><entities>{items}</entities></data>"
    assert answer.content_type == "text/xml; charset=utf-8"
    assert set(rows(phone().files("child_situation")["child.csv"])) == {child}
    many = ",".join(["x"] * 10 + [f"{n}" for n in range(2_000)])
    assert town.app.test_client().get(f"{path}?id={many}", headers=phone().headers).status_code == 413


def test_wards_and_hamlets_of_the_form(town: Town, phone: PhoneOf) -> None:
    files = phone().files("household_registration")
    assert set(files) == {"household.csv", "wards.csv", "hamlets.csv"}
    wards = list(csv.DictReader(io.StringIO(files["wards.csv"].decode())))
    assert wards[0] == {"name": AREA, "label": "Phường Ninh Kiều"}
    hamlets = list(csv.DictReader(io.StringIO(files["hamlets.csv"].decode())))
    mine = [row for row in hamlets if row["ward"] == AREA]
    assert mine[-1] == {"name": "00", "label": "Chưa rõ", "ward": AREA}
    assert len(mine) > 1
    assert {row["ward"] for row in hamlets} == {row["name"] for row in wards}


def test_what_a_phone_was_given_is_known(town: Town, phone: PhoneOf) -> None:
    household, child = family(town)
    phone().files("child_situation")
    assert town.held("u1") == {("u1", child)}
    assert town.device("u1").app == "ODK Collect"
    assert abs(town.device("u1").clock_offset) < 5_000
    phone().files("household_update")
    assert town.held("u1") == {("u1", child), ("u1", household)}
    town.act(f"entities/child/{child}/delete", base=town.child(child, "s1")["etag"], reason="Ghi nhầm.")
    phone().files("child_situation")
    assert town.held("u1") == {("u1", household)}


def test_a_list_is_read_once_however_often_it_is_asked_for(town: Town, phone: PhoneOf, monkeypatch: Any) -> None:
    family(town)
    phone().files("child_situation")

    def never(*_: Any) -> Any:
        raise AssertionError("rows were read again")

    monkeypatch.setattr("server.openrosa.lists._changed", never)
    phone("u2").files("child_situation")


def test_of_a_list_only_what_changed_is_read_again(town: Town, phone: PhoneOf, monkeypatch: Any) -> None:
    """A new name, a move to another hamlet, a death: the same bytes as of a list that is made from nothing."""
    homes = [family(town, name=name) for name in ("Trần Gia Bảo", "Lê Thị Na", "Kim Sa Rây")]
    mine = phone()
    mine.files("child_situation")
    read, lines = [], lists._lines

    def counted(connection: Any, ids: list[str], columns: Any) -> Any:
        read.append(set(ids))
        return lines(connection, ids, columns)

    monkeypatch.setattr(lists, "_lines", counted)
    (_, child), (moving, _), (_, deleted) = homes
    seen = town.child(child, "s1")
    town.act(f"entities/child/{child}/correct", base=seen["etag"], values={"full_name": "Ánh"}, reason="Sai tên.")
    assert rows(mine.files("child_situation")["child.csv"])[child]["label"].startswith("Ánh")
    assert set().union(*read) == {child}
    values, etag = {"ward_code": AREA, "hamlet_code": "05"}, town.household(moving, "s1")["etag"]
    town.act(f"entities/household/{moving}/correct", base=etag, values=values, reason="Ghi nhầm ấp.")
    town.act(f"entities/child/{deleted}/delete", base=town.child(deleted, "s1")["etag"], reason="Ghi nhầm.")
    now = mine.files("child_situation")["child.csv"]
    assert rows(now).keys() == {child}
    assert town.held("u1") == {("u1", child)}
    nest = town.app.extensions["toam"]
    for made in ("lists", "listed"):
        nest.__dict__.pop(made)
    assert phone("u2").files("child_situation")["child.csv"] == now


def test_no_entity_is_in_two_scopes_of_a_list(town: Town, phone: PhoneOf) -> None:
    """After a move inside the area the list of each hamlet says where the child is now."""
    household, child = family(town, "s1", "01")
    data = town.household(household, "s1")
    values = {"ward_code": AREA, "hamlet_code": "05"}
    town.act(f"entities/household/{household}/correct", base=data["etag"], values=values, reason="Ghi nhầm ấp.")
    assert child not in rows(phone().files("child_situation")["child.csv"])
    assert child in rows(phone("u9").files("child_situation")["child.csv"])
    assert len(town.rows(select(Entity.id).where(Entity.id == child))) == 1


def test_home_as_xml_is_on_every_phone_of_the_hamlet(town: Town, phone: PhoneOf) -> None:
    xml, household, child = home(town)
    phone().submit(xml)
    for user in ("u1", "u2"):
        assert child in rows(phone(user).files("child_situation")["child.csv"])
        assert household in rows(phone(user).files("household_update")["household.csv"])
