"""What pyxform and ODK Validate complain about, in plain words, with the place in the sheets where it is known."""

import re
from collections.abc import Iterator

from pyxform.validators.error_cleaner import ErrorCleaner

from forms.xlsform import SheetError, Sheets

# What a tool says -> what it means. The first that fits counts; other messages stay as they are.
_PLAIN = (
    (r"Unmatched 'end_(\w+)'.*", r"this end_\1 closes nothing: no begin_\1 above is still open"),
    (r"Unmatched 'begin_(\w+)'.*for the name '(.+?)'\.?", r"begin_\1 ${\2} is never closed by an end_\1"),
    (r"Unknown question type '(.+?)'\.?", r"there is no question type '\1'"),
    (r"the '(.+?)' value is invalid\..*Could not find the name '(.+?)'\.?",
     r"\1 speaks of ${\2}: no question has that name"),
    (r"the 'name' value '(.+?)' is invalid\. Questions, groups, and repeats must be unique.*",
     r"the name ${\1} is used twice"),
    (r"the 'name' value is invalid\. Names must begin.*",
     r"a name begins with a letter; letters, digits, _, - and . may follow"),
    (r"There should be a choices sheet.*", r"a question has a list, and there is no list of that name"),
    (r".*cannot handle function '(.+?)'.*", r"there is no function \1()"),
    (r".*Cycle detected.*?((?:\$\{\w+\}[\s,]*)+).*", r"these conditions wait for each other in a circle: \1"),
    (r".*problem with (?:the )?(\w+) condition for node \[(\$\{\w+\})\][^:]*: *(.*?), Bad node.*",
     r"the \1 condition of \2 cannot be read: \3"),
)  # fmt: skip
_NAMES = re.compile(r"\$\{(\w+)\}")
_NOISE = re.compile(
    r"Validating:.*|>> .*|The following files failed.*|\$\{f\}\.xml|Result: .*|Caused by:.*|\s*\.\.\. .*"
)


def of_sheets(error: SheetError, sheets: Sheets | None = None) -> str:
    """A fault that compiling has found."""
    said = plain(error.message)
    if error.row is not None or sheets is None:
        name = _named(sheets, error.row) if sheets and error.row and error.sheet in (None, "survey") else None
        return f"{_place(error.sheet or 'survey', error.row, name)}{said}" if error.row or error.sheet else said
    return located(said, sheets)


def of_validate(output: str, sheets: Sheets) -> list[str]:
    """What ODK Validate has printed about a form that it refuses."""
    lines = [line.strip() for line in ErrorCleaner.odk_validate(output).splitlines()]
    said = " ".join(line for line in lines if line and not _NOISE.fullmatch(line))
    field = re.search(r"Error evaluating field '(\w+)'", said)
    told = plain(said)
    if field and "${" not in told:
        told = f"{told}, in ${{{field.group(1)}}}"
    return [located(told, sheets)] if told else ["ODK Validate refuses the form without saying why"]


def plain(message: str) -> str:
    """A message of a tool in plain words, if we know it."""
    for pattern, words in _PLAIN:
        match = re.fullmatch(pattern, message.strip(), re.DOTALL)
        if match is not None:
            return match.expand(words).strip()
    return message.strip()


def located(message: str, sheets: Sheets) -> str:
    """A message with the row of the question that it names first."""
    quoted = [*_NAMES.findall(message), *re.findall(r"'([\w ]+)'", message)]
    for name in quoted:
        for row, cells in enumerate(sheets.survey, start=2):
            if name in (cells.get("name"), cells.get("type")):
                return f"{_place('survey', row, cells.get('name'))}{message}"
    return message


def _place(sheet: str, row: int | None, name: str | None) -> str:
    parts = [sheet, *([f"row {row}"] if row else []), *([f"(question {name})"] if name else [])]
    return f"{' '.join(parts)}: "


def _named(sheets: Sheets, row: int) -> str | None:
    return sheets.survey[row - 2].get("name") if 0 <= row - 2 < len(sheets.survey) else None


def warnings(told: tuple[str, ...]) -> Iterator[str]:
    """pyxform's warnings, one line each."""
    return (" ".join(plain(one).split()) for one in told)
