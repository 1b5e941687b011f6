"""A small folder of forms that a test may publish into: one entity type, one form, its first version."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

FIRST, SECOND, THIRD = "2026010101", "2026020101", "2026030101"
VI, EN = "Tiếng Việt (vi)", "English (en)"
HEADER = ["type", "name", f"label::{VI}", f"label::{EN}", "required", "relevant", "calculation", "trigger", "save_to"]
Lines = list[list[str]]
TYPE = """
type: thing
version: 1
label: title
properties:
  ward_code: {type: ward, placement: true, policy: review, sensitivity: S1, vi: "Xã", en: "Ward"}
  title: {type: text, policy: latest, sensitivity: S1, vi: "Tên", en: "Title"}
  colour: {type: code, list: colour, policy: latest, sensitivity: S1, vi: "Màu", en: "Colour"}
  size: {type: integer, policy: latest, sensitivity: S1, vi: "Cỡ", en: "Size"}
  secret: {type: code, list: colour, half: protected, policy: keep_first, sensitivity: S3, vi: "Kín", en: "Secret"}
"""
SURVEY = [
    ["csv-external", "thing", "", "", "", "", "", "", ""],
    ["date", "visit_date", "Ngày", "Day", "yes", "", "", "", ""],
    ["select_one outcome", "visit_result", "Kết quả", "Result", "yes", "", "", "", ""],
    ["select_one_from_file thing.csv", "which", "Cái nào", "Which", "yes", "", "", "", ""],
    ["text", "title", "Tên", "Title", "", "", "instance('thing')/root/item[name=${which}]/title",
     "${which}", "title"],
    ["select_one colour", "colour", "Màu", "Colour", "", "", "instance('thing')/root/item[name=${which}]/colour",
     "${which}", "colour"],
    ["integer", "size", "Cỡ", "Size", "", "${colour} = 'red'", "", "", "size"],
    ["select_one colour", "secret", "Kín", "Secret", "", "", "", "", ""],
]  # fmt: skip
CHOICES = [
    ["outcome", "1", "Gặp", "Met"],
    ["outcome", "3", "Vắng", "Away"],
    ["colour", "red", "Đỏ", "Red"],
    ["colour", "blue", "Xanh", "Blue"],
]
ENTITIES = [["list_name", "label", "entity_id"], ["thing", "${title}", "${which}"]]
Change = Callable[[Lines], Lines]


def root(folder: Path) -> Path:
    """The folder of forms, its form in the first version."""
    (folder / "entities").mkdir(parents=True)
    (folder / "entities/thing.yaml").write_text(TYPE, encoding="utf-8")
    _write(folder / "choices.csv", [["list_name", "name", f"label::{VI}", f"label::{EN}"], *CHOICES])
    sheets(folder / "xlsforms/toy", FIRST)
    return folder


def sheets(
    folder: Path,
    version: str,
    survey: Change = list,
    choices: Change | None = None,
    lifts: Sequence[Sequence[str]] = (),
) -> Path:
    """New sheets of the form; `lifts` without their header."""
    for name, lines in tables(version, survey, choices, lifts).items():
        _write(folder / f"{name}.csv", lines)
    return folder


def tables(
    version: str, survey: Change = list, choices: Change | None = None, lifts: Sequence[Sequence[str]] = ()
) -> dict[str, Lines]:
    """The same by name of the sheet."""
    found = {"survey": [HEADER, *survey([list(line) for line in SURVEY])], "entities": ENTITIES}
    found["settings"] = [["form_title", "form_id", "version", "default_language", "ward_list"]]
    found["settings"].append(["Đồ chơi", "toy", version, VI, "2025"])
    if choices is not None:
        header = ["list_name", "name", f"label::{VI}", f"label::{EN}"]
        found["choices"] = [header, *choices([list(line) for line in CHOICES])]
    if lifts:
        found["lifts"] = [["version", "change", "of", "old", "new"], *(list(line) for line in lifts)]
    return found


def cells(question: str, /, **changed: str) -> Change:
    """A survey in which some cells of one question are others."""

    def change(lines: Lines) -> Lines:
        for line in lines:
            if line[1] == question:
                for column, cell in changed.items():
                    line[next(i for i, known in enumerate(HEADER) if known.startswith(column))] = cell
        return lines

    return change


def without(name: str) -> Change:
    """A survey that does not ask one question."""
    return lambda lines: [line for line in lines if line[1] != name]


def _write(path: Path, lines: Lines) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
