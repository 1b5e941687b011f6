"""A second version of the real forms, and the entity types that go with it: what may change from one to the next."""

import csv
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from forms.catalogue import FOLDER, INDEX, Catalogue
from forms.xlsform import load_sheets, to_xform

SECOND = "2099010101"
VI, EN = "Tiếng Việt (vi)", "English (en)"
Row = dict[str, str]
LIFTS = [
    ("code", "birth_reg", "2", "2b"),
    ("code", "ethnicity", "98", "other"),
    ("code", "internet_risk", "3", "3x"),
    ("code", "injury_where", "khac", "elsewhere"),
    ("code", "deprivation", "y_te", "health"),
    ("name", "", "school_name", "school_called"),
    ("name", "", "injuries", "accidents"),
    ("name", "", "injury_place", "injury_where"),
    ("name", "", "child_marriage", "early_union"),
    ("name", "", "child_consulted", ""),
]
RENAMED = {old: new for change, _, old, new in LIFTS if change == "name" and new}


def second_forms(folder: Path, before: Catalogue) -> Path:
    """A copy of the forms, the present versions published and second ones current. Returns its folder."""
    forms = Path(shutil.copytree(FOLDER, folder / "forms", ignore=shutil.ignore_patterns("__pycache__", "*.py")))
    for form in before.current():
        publish_sheets(forms, form.id)
        edit(forms / f"xlsforms/{form.id}/settings.csv", lambda rows: [row | {"version": SECOND} for row in rows])
    edit(forms / "xlsforms/child_situation/survey.csv", _survey)
    edit(forms / "choices.csv", _choices)
    with (forms / "xlsforms/child_situation/lifts.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("version", "change", "of", "old", "new"), *((SECOND, *row) for row in LIFTS)])
    path = forms / "entities/child.yaml"
    path.write_text(_type(path.read_text(encoding="utf-8")), encoding="utf-8")
    return forms


def publish_sheets(forms: Path, form_id: str, choices: Path | None = None) -> None:
    """Put the compiled XForm of the present sheets among those published."""
    xform = to_xform(load_sheets(forms / "xlsforms" / form_id, choices or forms / "choices.csv"))
    name, content = f"{form_id}-{xform.version}.xml", xform.xml.encode()
    (forms / "published" / name).write_bytes(content)
    row = (form_id, xform.version, xform.ward_list, hashlib.sha256(content).hexdigest(), name, "published", "", "")
    edit(forms / "published/index.csv", lambda rows: [*rows, dict(zip(INDEX, row, strict=True))])


def edit(path: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Change the rows of a CSV file; the header stays."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        header, rows = list(reader.fieldnames or ()), list(reader)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(change(rows))


def _survey(rows: list[Row]) -> list[Row]:
    changed = []
    for row in rows:
        name = row["name"]
        if name in ("helmet", "child_consulted"):
            continue
        if name in RENAMED:
            row = row | {"name": RENAMED[name], "save_to": RENAMED[name] if row["save_to"] else ""}
            row["calculation"] = row["calculation"].replace(f"/{name}", f"/{RENAMED[name]}")
        changed.append(row)
        if name == "birth_reg":
            glasses = {"name": "glasses", "save_to": "glasses", "type": "select_one yes_no_unknown", "required": ""}
            loaded = row["calculation"].replace("/birth_reg", "/glasses")
            changed.append(
                row | glasses | {"calculation": loaded, f"label::{VI}": "Đeo kính", f"label::{EN}": "Glasses"}
            )
    return changed


def _choices(rows: list[Row]) -> list[Row]:
    codes = {("birth_reg", "2"): "2b", ("internet_risk", "3"): "3x", ("injury_place", "khac"): "elsewhere"}
    codes |= {("deprivation", "y_te"): "health", ("ethnicity", "98"): "other"}
    changed = [row | {"name": codes.get((row["list_name"], row["name"]), row["name"])} for row in rows]
    new = [("ethnicity", "54"), ("internet_risk", "6"), ("deprivation", "new")]
    return changed + [
        {"list_name": of, "name": code, f"label::{VI}": "Mới", f"label::{EN}": "New"} for of, code in new
    ]


def _type(text: str) -> str:
    for old, new in RENAMED.items():
        text = text.replace(f" {old}:", f" {new}:").replace(f"${{{old}}}", f"${{{new}}}")
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("  child_consulted:")]
    text = "".join(lines).replace("\nversion: 2\n", "\nversion: 3\n")
    glasses = (
        '  glasses: {type: code, list: yes_no_unknown, policy: latest, sensitivity: S2, vi: "Kính", en: "Glasses"}'
    )
    text = text.replace("  birth_place:", f"{glasses}\n  birth_place:", 1)
    return text.replace("\nearlier:\n", "\nearlier:\n  2:\n    glasses: null\n", 1)
