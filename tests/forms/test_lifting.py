"""Old names and codes become today's: the map by itself, and what it must leave alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from forms.catalogue import Catalogue, load_catalogue, read_index
from forms.form import FormError
from forms.lifting import Change, Lift, Lifts, check_lifts, lifts_of
from forms.type_files import load_entity_types
from tests.forms.second import SECOND, edit, second_forms
from tests.forms.test_published import CATALOGUE, FOLDER

CHILD = load_entity_types(FOLDER / "entities")["child"]
LINES = ["version", "change", "of", "old", "new"]


def codes(*rows: tuple[str, str, str]) -> Lifts:
    return Lifts(tuple(Lift(version, Change.CODE, "birth_reg", old, new) for version, old, new in rows))


def test_a_code_is_lifted_through_every_version_and_back() -> None:
    lifts = codes(("2", "2", "b"), ("3", "b", "c"))
    assert [lifts.code(["birth_reg"], code) for code in ("2", "b", "c", "9")] == ["c", "c", "c", "9"]
    assert lifts.code(["hi_card"], "2") == "2"
    rolled_back = codes(("2", "2", "b"), ("3", "b", "2"))
    assert [rolled_back.code(["birth_reg"], code) for code in ("2", "b")] == ["2", "2"]


def test_a_name_is_lifted_until_it_is_known() -> None:
    lifts = Lifts(
        (
            Lift("2", Change.NAME, "", "a", "b"),
            Lift("3", Change.NAME, "", "b", "c"),
            Lift("3", Change.NAME, "", "x", ""),
        )
    )
    assert (lifts.name("a", {"c"}), lifts.name("a", {"a"}), lifts.name("y", {"c"})) == ("c", "a", "y")
    assert lifts.name("x", {"c"}) is None
    assert lifts.said(CHILD, {"x": "1", "note": "Ghi chú"}) == {"note": "Ghi chú"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["1", "label", "", "a", "b"], "change must be one of name, code"),
        (["", "name", "", "a", "b"], "needs version"),
        (["1", "name", "sex", "a", "b"], "needs version"),
        (["1", "code", "", "a", "b"], "needs version"),
        (["1", "code", "sex", "a", ""], "needs version"),
        (["1", "name", "", "a", "a"], "needs version"),
    ],
)
def test_a_row_that_says_nothing_clear_is_refused(line: list[str], message: str) -> None:
    with pytest.raises(FormError, match=f"x/lifts.csv row 3: .*{message}"):
        lifts_of([LINES, [], line], "x/lifts.csv")
    with pytest.raises(FormError, match="the columns must be"):
        lifts_of([LINES[:4]], "x/lifts.csv")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return second_forms(tmp_path_factory.mktemp("second"), CATALOGUE)


@pytest.fixture(scope="module")
def catalogue(second: Path) -> Catalogue:
    return load_catalogue(second)


def _spoilt(
    second: Path, tmp_path: Path, path: str, change: Callable[[list[dict[str, str]]], list[dict[str, str]]]
) -> Path:
    folder = Path(shutil.copytree(second, tmp_path / "forms"))
    edit(folder / path, change)
    return folder


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("code", "birth_reg", "1", "4"), "code 1 of birth_reg became 4, but child_situation .* offers it again"),
        (("code", "birth_reg", "2", "2c"), "birth_reg 2 becomes two things"),
        (("name", "", "danger_now", "immediate_danger"), "danger_now is a danger sign"),
        (("code", "immediate_danger", "x", "1"), "immediate_danger is a danger sign"),
    ],
)
def test_a_map_that_gives_another_meaning_is_refused(
    catalogue: Catalogue, row: tuple[str, ...], message: str
) -> None:
    (more,) = lifts_of([LINES, [SECOND, *row]], "lifts.csv")
    with pytest.raises(FormError, match=message):
        check_lifts(Lifts((*catalogue.lifts.rows, more)), catalogue.current(), catalogue.types)


def test_a_question_whose_property_is_gone_needs_its_row(second: Path, tmp_path: Path) -> None:
    folder = _spoilt(
        second, tmp_path, "xlsforms/child_situation/lifts.csv",
        lambda rows: [row for row in rows if row["old"] != "child_consulted"],
    )  # fmt: skip
    with pytest.raises(FormError, match="no property child_consulted"):
        load_catalogue(folder)


def test_what_was_protected_stays_so_for_ever(second: Path, tmp_path: Path) -> None:
    """Without its row the renamed question of the old version would be one like any other."""
    folder = _spoilt(
        second, tmp_path, "xlsforms/child_situation/lifts.csv",
        lambda rows: [row for row in rows if row["old"] != "child_marriage"],
    )  # fmt: skip
    version = next(form.version for form in CATALOGUE.current() if form.id == "child_situation")
    edit(
        folder / "published/index.csv",
        lambda rows: [row | ({"protected": "child_marriage"} if row["version"] == version else {}) for row in rows],
    )
    with pytest.raises(FormError, match="child_marriage was protected"):
        load_catalogue(folder)


def test_the_second_version_shows_what_the_first_cannot(second: Path, catalogue: Catalogue) -> None:
    old, new = [form for form in catalogue.versions() if form.id == "child_situation"][-2:]
    hidden = catalogue.hidden(old, "child")
    assert (
        hidden["birth_reg"] == {"2b"} and hidden["internet_use"] == {"3x", "6"} and hidden["school_called"] == {"*"}
    )
    assert "glasses" not in hidden  # it was not asked, so nothing is said of it
    assert catalogue.hidden(new, "child") == {}
    index = read_index(second / "published")
    assert len(index) == len(read_index(FOLDER / "published")) + len(CATALOGUE.current())
