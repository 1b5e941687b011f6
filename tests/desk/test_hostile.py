"""A phone that fills every text question of every form with markup, officers who type it: all of it stays text."""

from collections.abc import Iterator

import pytest
from lxml import html
from sqlalchemy import select

from forms.form import Form, Kind, Question
from server.console.planners import week_name
from server.store.tables import ConflictTable, Entity, ReminderList, Submission, VisitTable
from tests.api.builders import (
    Answers,
    claim,
    follow_up,
    item,
    member,
    new_id,
    newcomer,
    registration,
    report,
    review,
    situation,
    update,
)
from tests.api.planners import asked, issued, today
from tests.api.towns import Town
from tests.desk.pages import Pages

NAME = "Bùi Thị Quế Trân"
EVIL = "'\"><img src=x onerror=alert({0})><script>alert({0})</script><b data-evil>x{0}x"
SHORT = "'\"><b data-evil>x{0}x"  # within the thirty characters of a phone number
SPLIT = "Lan\r\nSet-Cookie: evil=1\r\n\r\n<html>"
HEADERS = ("Set-Cookie", "Location", "Content-Disposition")


class Attack:
    """Submissions of every form in which every text question is markup with a number of its own."""

    def __init__(self, town: Town) -> None:
        self.town, self.numbers, self.applied = town, iter(range(1000, 9999)), set[str]()
        self.said: dict[str, str] = {}  # mark -> the question that it answers
        self.home, self.child, self.adult = new_id(), new_id(), new_id()
        rows = [member(NAME, 9, ident=self.child), member(NAME, 40, "1", ident=self.adult)]
        self.form("household_registration", registration(self.home, {}, members=rows), claim("household", self.home))
        seen, home = town.child(self.child), town.household(self.home)
        known = claim("child", self.child, seen["etag"], seen["data"])
        housed = claim("household", self.home, home["etag"], home["data"])
        for user in ("u1", "u2"):
            self.form("child_situation", situation(self.child, NAME), known, user)
        new = newcomer(NAME, 7, ident=new_id())
        more: Answers = {"changes": ["members", "contact", "place"], "address_type": "1", "head_name": NAME}
        more |= {"ward_code": "31135", "hamlet_code": "01"}
        self.form("household_update", update(self.home, new, **more), housed)
        self.form("follow_up_visit", follow_up(self.child), known)
        self.form("protection_report", report(child_known="2"), claim("report", new_id()))
        self.form("child_review", review(self.child), known, "s1")

    def form(self, name: str, answers: Answers, about: Answers, user: str = "u1") -> None:
        """Once with every text question, whatever the form says of it; once with those that it takes."""
        form = self.town.nest.catalogue.current_of(name)
        assert form is not None
        self.town.push([item(name, self._filled(form, answers, EVIL, set()), about)], user)
        refused: set[str] = set()
        receipt: Answers = {}
        for _ in range(3):
            marks = set(self.said)
            (receipt,) = self.town.push([item(name, self._filled(form, answers, SHORT, refused), about)], user)
            if receipt["outcome"] != "quarantined":
                self.applied |= self.said.keys() - marks
                return
            refused |= {problem["pointer"].rpartition("/")[2] for problem in receipt["problems"]}
        raise AssertionError((name, receipt["problems"]))

    def _filled(self, form: Form, answers: Answers, evil: str, but: set[str]) -> Answers:
        filled = answers | {q.name: self._evil(form, q, evil) for q in _texts(form, None) if q.name not in but}
        for repeat in form.repeats:
            rows = answers.get(repeat) or []
            filled[repeat] = [
                row
                | {
                    q.name: self._evil(form, q, evil)
                    for q in _texts(form, repeat)
                    if q.name not in but and q.name in row
                }
                for row in rows
            ]
        return {name: value for name, value in filled.items() if value != [] or name in answers}

    def _evil(self, form: Form, question: Question, evil: str) -> str:
        number = next(self.numbers)
        self.said[f"x{number}x"] = f"{form.id}/{question.name}"
        return evil.format(number)


def _texts(form: Form, repeat: str | None) -> list[Question]:
    """What people type; ids are no text."""
    ids = {container.id_question for container in form.containers}
    given = ("household", "child", "household_id", "who_child", "who_adult", "visit_id")
    return [q for q in form.of(repeat) if q.kind is Kind.TEXT and q.name not in ids and q.name not in given]


PLANNING = ("plan", "lists", "lists/preview", "outcomes", "outcomes/escalations")


def pages_about(town: Town) -> Iterator[str]:
    """Every page that shows anything of it."""
    yield from ("/desk", "/desk/submissions?shelf=all", "/desk/quarantine", "/desk/find")
    yield from (f"/desk/conflicts?tab={tab}" for tab in ("waiting", "moves", "decided", "rules"))
    for row in town.rows(select(Submission.id).where(Submission.dialect != "desk")):
        yield f"/desk/submissions/{row.id}"
    for row in town.rows(select(Entity.id, Entity.type).where(Entity.type != "child_protected")):
        for tab in ("now", "story", "history", "charts", "protected"):
            yield f"/desk/{row.type}/{row.id}?tab={tab}"
    for row in town.rows(select(ConflictTable.id)):
        yield f"/desk/conflicts/{row.id}"
    for week in ("", f"?week={week_name(today(90))}"):
        yield f"/desk/plan{week}"
    yield from ("/desk/lists", "/desk/outcomes", "/desk/outcomes/escalations")
    for row in town.rows(select(ReminderList.number)):
        yield from (f"/desk/lists/{row.number}{part}" for part in ("", "/print", "/results"))


def harmless(where: str, text: str) -> None:
    """Parsed as a browser does: no element or attribute of ours has come from what was typed."""
    page = html.fromstring(text)
    assert page.xpath("//*[@data-evil] | //*[@onerror]") == [], where
    assert all((one.get("src") or "").startswith("/static/") for one in page.xpath("//script")), where
    assert all((one.get("src") or "").startswith("/desk/files/") for one in page.xpath("//img")), where
    assert page.xpath("//style | //iframe | //object | //embed | //*[@style] | //base") == [], where
    links = [str(link) for link in page.xpath("//@href | //@action | //@src")]
    assert all(link.startswith(("/", "#", "?", "tel:", "http")) for link in links), where
    assert not [link for link in links if link.startswith("http") and "onerror" in link], where


@pytest.fixture
def attack(town: Town) -> Attack:
    return Attack(town)


def test_whatever_a_phone_writes_is_shown_as_text(attack: Attack, town: Town, officer: Pages) -> None:
    shown = set[str]()
    for path in pages_about(town):
        answer = officer.client.get(path)
        assert answer.status_code == 200, path
        harmless(path, answer.text)
        shown |= {mark for mark in attack.said if mark in answer.text}
    assert len(attack.applied) > 20
    hidden = {attack.said[mark] for mark in attack.said.keys() - shown}
    assert hidden == set(), "no page shows these answers, so nothing is proved about them"


def test_what_is_found_by_markup_is_shown_as_text(attack: Attack, officer: Pages) -> None:
    page = officer.open("/desk/find")
    for wanted in (EVIL.format(1), "alert", "bui que"):
        answer = officer.post("/desk/find", q=wanted)
        assert answer.status_code == 200
        harmless(wanted, answer.text)
    assert page is not None


def test_what_an_officer_types_is_shown_as_text(attack: Attack, town: Town, officer: Pages) -> None:
    (ident,) = [row.id for row in town.rows(select(ConflictTable.id).where(ConflictTable.cell == "full_name"))]
    page = officer.open(f"/desk/conflicts/{ident}")
    refused = officer.submit(page, ident, choice=EVIL.format(7), reason=EVIL.format(8))
    assert refused.status_code == 422
    harmless("refused", refused.text)
    done = officer.submit(page, ident, choice="$other", full_name=f"Lan {EVIL.format(9)}"[:90], reason=EVIL.format(8))
    assert done.status_code == 302
    sub = town.rows(select(Submission.id).where(Submission.form == "follow_up_visit"))[0].id
    officer.submit(officer.open(f"/desk/submissions/{sub}"), "/return", comment=EVIL.format(6))
    for path in pages_about(town):
        harmless(path, officer.client.get(path).text)
    assert "x8x" in officer.client.get(f"/desk/conflicts/{ident}").text


def test_what_a_scheduler_types_is_shown_as_text(attack: Attack, town: Town, officer: Pages) -> None:
    """Reasons, notes and the names on lists and on paper; a refused row comes back as it was typed."""
    child = town.rows(select(Entity.id).where(Entity.type == "child", Entity.scope.is_not(None)))[0].id
    asked(town, child, days=0, reason=EVIL.format(5)[:60], to="u1")
    number = issued(town, today())["u1"]["number"]
    ids = town.rows(select(VisitTable.id).where(VisitTable.subject == child, VisitTable.rule == "BY-HAND"))
    said = {"ids": ids[0].id, "reason": EVIL.format(4), "until": EVIL.format(3), "to": EVIL.format(2)}
    for act in ("snooze", "reassign", "cancel", EVIL.format(1)):
        answer = officer.post("/desk/plan/arrange", act=act, **said)
        assert answer.status_code < 500, act
        harmless(act, answer.text)
    row = {"line": "1", "visit_result": "3", "made": today().isoformat(), "id": f"uuid:{new_id()}"}
    for wrong in ({"visit_result": "<"}, {"line": EVIL.format(1)}, {"made": EVIL.format(1)}, {}):
        answer = officer.post(f"/desk/lists/{number}/results", **(row | {"note": EVIL.format(6)} | wrong))
        assert answer.status_code in (302, 422), wrong
        harmless("row", answer.text)
    officer.post(f"/desk/lists/{number}/reissue", revision="1", reason=EVIL.format(7))
    for path in pages_about(town):
        harmless(path, officer.client.get(path).text)
    assert "x6x" in officer.client.get(f"/desk/lists/{number}/results").text


def test_no_text_becomes_a_header(town: Town, officer: Pages) -> None:
    """Names, ids, areas and languages with line breaks in them: headers stay what they are."""
    home, child = new_id(), new_id()
    rows = [member(SPLIT, 9, ident=child)]
    answers = registration(home, {}, members=rows, head_name=SPLIT)
    town.push([item("household_registration", answers, claim("household", home))])
    tries = [officer.client.get(path) for path in pages_about(town)]
    for name in ("area", "tab", "shelf", "page", "after", "cell"):
        tries.append(officer.client.get("/desk/conflicts", query_string={name: SPLIT}))
        tries.append(officer.client.get("/desk/submissions", query_string={name: SPLIT}))
    for name in ("area", "week", "hamlet", "collaborator", "after", "kind", "day", "from", "to", "closed"):
        tries += [officer.client.get(f"/desk/{page}", query_string={name: SPLIT}) for page in PLANNING]
    tries.append(officer.post("/desk/language", lang=SPLIT, back=f"/desk/{SPLIT}"))
    tries.append(officer.post("/desk/login", user=SPLIT, password=SPLIT, back=SPLIT))
    tries.append(officer.post("/desk/find", q=SPLIT, kind=SPLIT))
    tries.append(officer.post("/desk/find/sheet", q=SPLIT, kind=SPLIT))
    for answer in tries:
        assert answer.status_code < 500, answer.request.path
        for name, text in answer.headers:
            assert "evil=1" not in text or name == "Location", (answer.request.path, name, text)
            assert "\r" not in text and "\n" not in text, (answer.request.path, name)
        assert not [one for one in answer.headers.getlist("Set-Cookie") if "evil" in one.partition(";")[0]]
