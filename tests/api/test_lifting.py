"""A second version of both forms: phones keep the first for months, and nothing of what they send is lost or bent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

import server.world
from config.settings import Settings
from forms.catalogue import FOLDER, Catalogue, load_catalogue
from forms.entity_types import protected_id
from server.app import create_app
from server.clock import now
from server.rebuild import rebuild_all
from sync.authority import Role
from tests.api.builders import AREA, claim, in_xml, item, new_id, register, registration, situation
from tests.api.conftest import PEOPLE, Town
from tests.databases import close
from tests.forms.second import SECOND, edit, publish_sheets, second_forms

YEARS = 13
NAME = "Lê Thị Nhựt Linh"
WARDS_OF_2024 = "2025060101"
INJURY = {"injury_type": "3", "injury_date": "2026-11-01", "injury_place": "khac"}
LIFTED = {"injury_type": "3", "injury_date": "2026-11-01", "injury_where": "elsewhere"}


@pytest.fixture(scope="session")
def second(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The first versions as published, the second ones current; the registration was for the wards of 2024 before."""
    forms = second_forms(tmp_path_factory.mktemp("second"), catalogue)
    settings = forms / "xlsforms/household_registration/settings.csv"
    before = settings.read_text(encoding="utf-8")
    edit(settings, lambda rows: [row | {"version": WARDS_OF_2024, "ward_list": "2024"} for row in rows])
    publish_sheets(forms, "household_registration", FOLDER / "choices.csv")
    settings.write_text(before, encoding="utf-8")
    return load_catalogue(forms)


class Story:
    """One child under the first version, then under the second. `town` is the server as it is now."""

    def __init__(self, town: Town, publish: Callable[[Town], Town]) -> None:
        self.town, self._publish = town, publish
        self.home, self.child = new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}, YEARS))

    @property
    def etag(self) -> str:
        return f"{self.town.child(self.child)['etag']}"

    @property
    def data(self) -> dict[str, Any]:
        return self.town.child(self.child)["data"]

    def publish(self) -> None:
        """The second version goes out: the server starts with it, and computes everything anew."""
        self.town = self._publish(self.town)
        self.rebuild(write=True)

    def visit(
        self, version: str | None = None, seen: Mapping[str, Any] | None = None, **answers: Any
    ) -> dict[str, Any]:
        """The item of a visit on the present state, by the first version unless told."""
        base = claim("child", self.child, self.etag, seen)
        value = item("child_situation", situation(self.child, NAME, YEARS, **answers), base)
        return value | ({"version": version} if version else {})

    def in_xml(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The same by a form engine, which tells no `seen`."""
        found = self.town.nest.catalogue.find("child_situation", value["version"])
        assert found is not None
        return in_xml(found.form, value)

    def rebuild(self, write: bool = False) -> set[tuple[str, str]]:
        with self.town.app.app_context():
            return rebuild_all(self.town.nest, now(), self.town.nest.committer.run, write=write).differences


@pytest.fixture
def publish(second: Catalogue, monkeypatch: pytest.MonkeyPatch, towns: list[Town]) -> Callable[[Town], Town]:
    """Starts the server on the same database again, with the second versions."""

    def start(town: Town) -> Town:
        close(town.app)
        monkeypatch.setattr(server.world, "load_catalogue", lambda folder: second)
        again = replace(town, app=create_app(Settings(data=town.nest.settings.data, scheduler=False)))
        towns.append(again)
        return again

    return start


@pytest.fixture
def story(new_town: Callable[..., Town], publish: Callable[[Town], Town]) -> Iterator[Story]:
    """After the test, computing everything anew must give the same."""
    told = Story(new_town({**PEOPLE, "u4": (Role.COLLABORATOR, ("01", "04"))}), publish)
    yield told
    assert told.rebuild() == set()


def test_what_was_sent_before_is_there_under_todays_names_and_codes(story: Story) -> None:
    answers: Any = {
        "birth_reg": "2",
        "internet_use": ["2", "3"],
        "school_name": "Tiểu học Bờ Kênh",
        "child_consulted": "0",
    }
    more: Any = {"new_injuries": "1", "injuries": [INJURY], "helmet": "1"}
    story.town.apply(story.visit(**answers, **more))
    corrected: Any = {"school_name": "Tiểu học Hai", "birth_reg": "2"}
    story.town.act(f"entities/child/{story.child}/correct", base=story.etag, values=corrected, reason="Xem giấy tờ")
    story.publish()
    assert story.rebuild() == set()
    found = story.data
    assert (found["birth_reg"], found["internet_use"]) == ("2b", ["2", "3x"])
    assert (found["school_called"], found["accidents"]) == ("Tiểu học Hai", [LIFTED])
    assert not {"school_name", "injuries", "child_consulted", "glasses"} & found.keys()


@pytest.mark.parametrize("by_engine", [False, True])
def test_the_first_version_is_accepted_for_ever_and_lifted(story: Story, by_engine: bool) -> None:
    story.publish()
    answers: Any = {"birth_reg": "2", "internet_use": "3", "school_name": "Bờ Kênh", "helmet": "0"}
    more: Any = {"new_injuries": "1", "injuries": [INJURY], "child_consulted": "0"}
    value = story.visit(**answers, **more)
    story.town.apply(story.in_xml(value) if by_engine else value)
    found = story.data
    assert (found["birth_reg"], found["internet_use"], found["helmet"]) == ("2b", ["3x"], "0")
    assert (found["school_called"], found["accidents"]) == ("Bờ Kênh", [LIFTED])
    if not by_engine:
        page = story.town.page(value["id"])
        assert page["answers"]["answers"]["birth_reg"] == "2"  # what was sent stays as it came


def test_what_only_officers_read_stays_so_under_its_new_name(story: Story) -> None:
    story.town.apply(story.visit(child_marriage="9"))
    story.publish()
    story.town.apply(story.visit(child_marriage="1"))
    answer = story.town.get(f"/api/v1/entities/child_protected/{protected_id(story.child)}", "s1")
    assert answer.status_code == 200, answer.text
    half = answer.get_json()
    assert half["data"]["early_union"] == "1"
    assert "early_union" not in story.data and "child_marriage" not in story.data
    wrong = story.visit(child_marriage="7")
    (receipt,) = story.town.push([wrong])
    assert [problem["pointer"] for problem in receipt["problems"]] == ["/answers"]


@pytest.mark.parametrize("shown", ["2", "2b"])
def test_a_renamed_option_left_alone_is_no_change(story: Story, shown: str) -> None:
    """Whether the phone shows the code of then or that of today."""
    first = story.town.apply(story.visit(birth_reg="2"))
    story.publish()
    story.town.apply(story.visit(seen=story.data | {"birth_reg": shown}, birth_reg="2"))
    state = story.town.child(story.child)
    assert (state["data"]["birth_reg"], state["provenance"]["birth_reg"]["submission"]) == ("2b", first["id"])


def test_a_renamed_question_left_alone_is_no_change(story: Story) -> None:
    first = story.town.apply(story.visit(school_name="Bờ Kênh"))
    story.publish()
    seen = {**story.data, "school_name": "Bờ Kênh"}
    seen.pop("school_called")
    story.town.apply(story.visit(seen=seen, school_name="Bờ Kênh"))
    state = story.town.child(story.child)
    assert state["provenance"]["school"]["submission"] == first["id"]
    story.town.apply(story.visit(seen=seen, school_name=None))
    assert "school_called" not in story.data  # it was on the screen, and was cleared


def _second(story: Story, **answers: Any) -> dict[str, Any]:
    value = story.visit(SECOND, **answers)
    for name in ("school_name", "child_consulted", "helmet"):
        value["answers"].pop(name, None)
    return value


@pytest.mark.parametrize("by_engine", [False, True])
def test_an_old_form_never_blanks_what_it_cannot_show(story: Story, by_engine: bool) -> None:
    story.publish()
    more: Any = {"glasses": "1", "internet_use": ["2", "3x", "6"], "school_called": "Bờ Kênh", "ethnicity": "54"}
    story.town.apply(_second(story, **more))
    before = story.data
    blanks: Any = {"internet_use": None, "school_name": None, "ethnicity": None}
    value = story.visit(**blanks)
    if by_engine:
        value = story.in_xml(value)
    else:
        value["entities"][0]["seen"] = before
    story.town.apply(value)
    found = story.data
    assert (found["glasses"], found["school_called"], found["ethnicity"]) == ("1", "Bờ Kênh", "54")
    # The option that the old form offers was taken away; of the new ones it knows nothing.
    assert found["internet_use"] == ["3x", "6"]


def test_of_a_multiple_choice_only_the_difference_is_lifted(story: Story) -> None:
    story.publish()
    story.town.apply(_second(story, internet_use=["3x", "6"]))
    seen = story.data | {"internet_use": ["3", "6"]}
    story.town.apply(story.visit(seen=seen, internet_use=["2"]))
    assert story.data["internet_use"] == ["2", "6"]


def test_another_ward_list_of_the_first_version(story: Story) -> None:
    """Its bare codes are those of the wards of then; today's list places them."""
    story.publish()
    home = new_id()
    answers = registration(home, {}, ward_code="31135", hamlet_code="01", deprivations=["y_te"])
    value = item("household_registration", answers, claim("household", home)) | {"version": WARDS_OF_2024}
    story.town.apply(value, "u4")
    found = story.town.household(home, "u4")
    assert (found["scope"], found["data"]["deprivations"]) == (f"{AREA}/04", ["health"])
    seen = found["data"] | {"ward_code": "31135", "hamlet_code": "01", "deprivations": ["health", "new"]}
    again = registration(home, {}, ward_code="31135", hamlet_code="01", deprivations=["y_te", "nha_o"], members=[])
    again |= {"head_name": found["data"]["head_name"]}
    value = item("household_registration", again, claim("household", home, found["etag"], seen))
    story.town.apply(value | {"version": WARDS_OF_2024}, "u4")
    found = story.town.household(home, "u4")
    assert (found["scope"], found["conflicts"]) == (f"{AREA}/04", [])
    assert found["data"]["deprivations"] == ["health", "new", "nha_o"]


def test_phones_are_offered_the_second_version_alone(story: Story) -> None:
    story.publish()
    told = story.town.get("/api/v1/sync/config").get_json()["forms"]
    assert {form["version"] for form in told} == {SECOND}
