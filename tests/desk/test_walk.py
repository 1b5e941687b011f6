"""Every address of the desk with everybody who may not be there: nobody reads of a child who is not in his charge.

The walk takes the addresses from the application, so a new page is covered by itself; one with a part in its address
that is not known here fails until somebody says what it names.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from server.store.tables import SubmissionState
from tests.api.builders import AREA, BAD_PHONE, item, member, new_id, register, registration, report, visit
from tests.api.planners import asked as added
from tests.api.planners import issued, today
from tests.api.towns import Town
from tests.desk.pages import Pages

NAME, OTHER_NAME, HEAD, HELD = "Bùi Thị Quế Trân", "Bùi Thị Quế Trâm", "Thạch Sô Phia", "Danh Út Mười"
ADULT, REPORTED = "Lâm Thị Chín", "Kim Sa Rây"
STREET, PHONE = "45/6 hẻm Cây Bàng", "0912000345"
SECRETS = (NAME, OTHER_NAME, HEAD, HELD, ADULT, REPORTED, STREET, PHONE)
OPEN_TO_ALL = {"desk.login", "desk.logout", "desk.language"}
OWN = {"desk.home", "desk.account", "desk.end", "desk.password"}  # of everybody who signs in here
OF_PLANNERS = {
    f"desk.{name}"
    for name in (
        *("plan", "arrange_many", "add_form", "add_one", "lists", "issue_lists", "draft", "one_list", "print_list"),
        *("sheet_of_list", "reissue_list", "results", "type_in", "outcomes", "outcomes_sheet", "escalated"),
    )
}
OF_ADMINISTRATORS = {
    "desk.people",
    "desk.give_password",
    "desk.add",
    "desk.person",
    "desk.change",
} | {  # what keeps the server running
    *("desk.forms", "desk.form", "desk.form_file", "desk.check_form", "desk.publish_form", "desk.act_on"),
    *("desk.rules", "desk.preview_rules", "desk.calendar", "desk.set_day", "desk.drop"),
    *("desk.running", "desk.runs", "desk.settings", "desk.run_now"),
    *("desk.journal", "desk.journal_sheet", "desk.check_journal"),
}
OF_KEEPERS = {  # of supervisors, for their own people, and of administrators
    "desk.collaborators", "desk.one_collaborator", "desk.assign", "desk.end_charge", "desk.leave",
    "desk.handover", "desk.carry_out", "desk.handed_over",
    "desk.devices", "desk.invite_phone", "desk.set_up_collect", "desk.one_device", "desk.revoke_device",
    "desk.lost", "desk.report", "desk.close_incident", "desk.annex",
}  # fmt: skip
LATER = {"desk.annex", "desk.handed_over"}  # there once a phone was reported, a hamlet handed over
KINDS = ("household", "child", "person", "report")
WHY = "Đã hỏi lại"
Asked = tuple[Rule, str, str, TestResponse]


class Village:
    """A household with a child and an adult, a conflict, a decided one, a report, and something held."""

    def __init__(self, town: Town) -> None:
        self.town = town
        home, child, adult = new_id(), new_id(), new_id()
        rows = [member(NAME, 9, ident=child), member(ADULT, 40, "1", ident=adult)]
        made = register(home, {}, members=rows, head_name=HEAD, address_line=STREET, phone=PHONE)
        town.push([made])
        seen = town.child(child)
        values = [visit(child, OTHER_NAME, seen["etag"], seen["data"], risk_now="3", school_name=STREET)]
        values += [visit(child, f"{NAME} Ly", seen["etag"], seen["data"], risk_now="1")]
        for user, value in zip(("u1", "u2"), values, strict=True):
            town.push([value], user)
        self.reported = new_id()
        told = item("protection_report", report(child_name=REPORTED, child_known="2"))
        told["entities"] = [{"type": "report", "id": self.reported, "base": "0-", "after": []}]
        town.push([told], "u1")
        answers = registration(new_id(), {new_id(): HELD}, phone=BAD_PHONE)
        held = item("household_registration", answers)
        town.push([held])
        (conflict,) = town.child(child)["conflicts"]
        self.visit = added(town, child, days=0, to="u1")
        self.number = issued(town, today())["u1"]["number"]
        self.ids: Mapping[str, str] = {
            "household": home,
            "child": child,
            "person": adult,
            "report": self.reported,
            "conflicts": conflict["id"],
            "submissions": values[0]["id"],
            "files": values[0]["id"],
            "held": held["id"],
            "people": "u1",
            "collaborators": "u1",
            "devices": town.devices["u1"],
        }

    def addresses(self, rule: Rule) -> Iterator[str]:
        """The addresses that a rule stands for, of what there is in the village."""
        page = rule.rule.removeprefix("/desk").strip("/").partition("/")[0]
        for kind in sorted(_items(rule, "kind")) or [""]:
            for act in sorted(_items(rule, "act")) or [""]:
                form = self.town.nest.catalogue.current()[0]
                known = {"form_id": form.id, "version": form.version}
                known |= {"kind": kind, "act": act, "number": self.number, "sha256": hashlib.sha256(b"").hexdigest()}
                names = ("submissions", "held") if page == "submissions" else (kind or page,)
                for name in names if "ident" in rule.arguments else ("",):
                    values = known | {"ident": self.ids[name]} if name else known
                    strange = rule.arguments - values.keys()
                    assert not strange, f"{rule.rule}: what does {sorted(strange)} name?"
                    with self.town.app.test_request_context():
                        built = rule.build({key: values[key] for key in rule.arguments}, append_unknown=False)
                    assert built is not None, rule.rule
                    yield built[1]


def _items(rule: Rule, name: str) -> set[str]:
    converter = rule._converters.get(name)
    return set(getattr(converter, "items", ())) if name in rule.arguments else set()


def rules(town: Town) -> list[Rule]:
    found = [rule for rule in town.app.url_map.iter_rules() if rule.endpoint.startswith("desk.")]
    return sorted(found, key=lambda rule: (rule.rule, sorted(rule.methods or ())))


def asked(
    village: Village, pages: Pages, but: set[str] = OPEN_TO_ALL
) -> Iterator[tuple[Rule, str, str, TestResponse]]:
    """Every address, read and written to as a form would."""
    ids = village.ids
    said = {
        "reason": WHY,
        "comment": WHY,
        "choice": ids["submissions"],
        "seen": ids["submissions"],
        "ids": [ids["submissions"], ids["held"], village.visit],
        "act": "accept",
        "base": village.town.child(ids["child"])["etag"],
        "cell": "full_name",
        "full_name": "Tên Khác",
        "q": "bui que",
        "line": "1",
        "visit_result": "3",
        "made": today().isoformat(),
        "id": f"uuid:{new_id()}",
        "subject": ids["child"],
        "due": today(1).isoformat(),
        "revision": "1",
    }
    for rule in rules(village.town):
        if rule.endpoint in but:
            continue
        for path in village.addresses(rule):
            for method in sorted({"GET", "POST"} & set(rule.methods or ())):
                answer = pages.client.get(path) if method == "GET" else pages.post(path, **said)
                yield rule, f"{method} {path}", text_of(answer), answer


def text_of(answer: TestResponse) -> str:
    """What an answer says, also inside of a sheet."""
    body = answer.get_data()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as sheet:
            body = b"".join(sheet.read(name) for name in sheet.namelist())
    return body.decode("utf-8", "replace")


def silent(where: str, text: str) -> None:
    told = [secret for secret in SECRETS if secret in text]
    assert not told, (where, told)


def traces(town: Town) -> Any:
    states = town.rows(select(SubmissionState.sub, SubmissionState.state).order_by(SubmissionState.sub))
    return sorted(town.stored()), [tuple(row) for row in states]


@pytest.fixture
def village(town: Town) -> Village:
    return Village(town)


def test_the_walk_meets_every_page(town: Town, village: Village) -> None:
    endpoints = {rule.endpoint for rule, *_ in asked(village, Pages(town, None))}
    assert endpoints | OPEN_TO_ALL == {rule.endpoint for rule in rules(town)}
    assert len(endpoints) > 15


def test_nobody_is_led_to_the_way_in(town: Town, village: Village) -> None:
    before = traces(town)
    for _, where, text, answer in asked(village, Pages(town, None)):
        assert answer.status_code == 302, where
        assert answer.headers["Location"].startswith("/desk/login"), where
        silent(where, text)
    assert traces(town) == before


@pytest.mark.parametrize("user", ["u1", "a1"])
def test_who_is_no_officer_sees_no_child(
    village: Village, town: Town, visit: Callable[..., Pages], user: str
) -> None:
    mine = {"u1": set(), "a1": OWN | OF_ADMINISTRATORS | OF_KEEPERS}[user]
    before = traces(town)
    for rule, where, text, answer in asked(village, visit(user)):
        silent(where, text)
        assert rule.endpoint in mine or answer.status_code in (403, 404), (where, answer.status_code)
    assert traces(town) == before


def test_an_administrator_gets_every_page_of_his_and_sees_no_child(
    village: Village, town: Town, visit: Callable[..., Pages]
) -> None:
    """Also with the details of acts whose reasons name a child, and whatever is searched for."""
    officer, admin = visit("s1"), visit("a1")
    officer.client.get(f"/desk/child/{village.ids['child']}?tab=protected")
    officer.post(f"/desk/submissions/{village.ids['submissions']}/return", comment=f"Hỏi lại nhà {HEAD} về {NAME}")
    pages = 0
    for rule in rules(town):
        if rule.endpoint in OF_ADMINISTRATORS and "GET" in (rule.methods or ()):
            for path in village.addresses(rule):
                answer = admin.client.get(path)
                assert answer.status_code == 200, (path, answer.status_code)
                silent(path, text_of(answer))
                pages += 1
    assert pages > 10
    for query in ("act=read_protected", "act=return", f"subject={village.ids['child']}", "who=s1", "act=export"):
        silent(query, admin.client.get(f"/desk/journal?{query}").text)
    silent("sheet", text_of(admin.post("/desk/journal/sheet")))
    assert "Đọc hồ sơ bảo vệ" in admin.client.get("/desk/journal?who=s1").text


def test_a_scheduler_reads_names_and_addresses_on_his_pages_and_nothing_else(
    village: Village, town: Town, visit: Callable[..., Pages]
) -> None:
    told = ""
    for rule, where, text, answer in asked(village, visit("c1")):
        if rule.endpoint not in OF_PLANNERS:
            silent(where, text)
            assert rule.endpoint in OWN or answer.status_code in (403, 404), (where, answer.status_code)
        assert [secret for secret in (HELD, ADULT, REPORTED, PHONE) if secret in text] == [], where
        told += text
    assert HEAD in told and STREET in told


def test_an_officer_of_another_area_finds_nothing(village: Village, town: Town, visit: Callable[..., Pages]) -> None:
    before = traces(town)
    for rule, where, text, answer in asked(village, visit("s5")):
        silent(where, text)
        if rule.endpoint in OF_ADMINISTRATORS:
            assert answer.status_code == 403, where
        elif rule.arguments:
            assert answer.status_code == 404, (where, answer.status_code)
        else:
            assert answer.status_code < 500, where
    for path in ("", "/submissions", "/conflicts", "/quarantine", "/find"):
        assert visit("s5").client.get(f"/desk{path}?area={AREA}").status_code in (200, 404), path
    assert traces(town) == before


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_officer_in_charge_gets_every_page(village: Village, officer: Pages, language: str) -> None:
    """So that the silence above is not that of pages which show nothing at all; and that none of them fails."""
    officer.client.set_cookie("lang", language)
    told = ""
    for rule in rules(village.town):
        untold = OPEN_TO_ALL | OF_ADMINISTRATORS | LATER | {"desk.file"}
        if "GET" not in (rule.methods or ()) or rule.endpoint in untold:
            continue
        for path in village.addresses(rule):
            query = "?cell=full_name" if path.endswith("/child/" + village.ids["child"] + "/correct") else ""
            query = f"?subject={village.ids['child']}" if path.endswith("/plan/add") else query
            answer = officer.client.get(path + query)
            expected = (200, 404) if path.endswith("/correct") else (200,)
            assert answer.status_code in expected, (path, answer.status_code)
            told += text_of(answer)
    assert [secret for secret in SECRETS if secret not in told] == []


def test_no_act_fails_and_none_leads_off_the_desk(village: Village, officer: Pages) -> None:
    for _, where, _, answer in asked(village, officer, OPEN_TO_ALL | {"desk.password"}):
        assert answer.status_code < 500, where
        if answer.status_code in (301, 302, 303):
            assert answer.headers["Location"].startswith("/desk"), where


def test_every_page_forbids_frames_and_foreign_scripts(village: Village, officer: Pages) -> None:
    for _, where, _, answer in asked(village, officer):
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy, where
        assert "unsafe" not in policy and answer.headers["X-Content-Type-Options"] == "nosniff", where
        assert answer.headers["Cache-Control"] in ("no-store", "private, no-store"), where


def test_no_form_works_from_another_site(village: Village, town: Town, officer: Pages) -> None:
    """Every address that changes something asks for the secret of the session's own forms."""
    before = traces(town)
    for rule in rules(town):
        if "POST" in (rule.methods or ()):
            for path in village.addresses(rule):
                answer = officer.client.post(path, data={"reason": WHY, "ids": village.ids["submissions"]})
                assert (answer.status_code, "form_expired" in answer.text) == (400, True), path
    assert traces(town) == before


@pytest.mark.parametrize("path", ["/desk/", "/desk/nowhere", "/desk/devices/"])
def test_an_address_that_is_none_is_a_page_that_says_so(town: Town, officer: Pages, path: str) -> None:
    for pages in (officer, Pages(town, None)):
        answer = pages.client.get(path)
        assert (answer.status_code, "not_found" in answer.text) == (404, True), path
