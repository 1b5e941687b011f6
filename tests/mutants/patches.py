"""The wrong variants, as the YAML files of this folder list them, one file for each subject.

Each has a `name`, the `file` it changes (from the root), `old` (text that stands there exactly once), `new`, `wrong`
 (what then goes wrong for a child or a collaborator), and `tests` (files or single tests that notice it, the
fastest first).
"""

from dataclasses import dataclass
from pathlib import Path

import yaml

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@dataclass(frozen=True)
class Mutant:
    """One wrong variant."""

    name: str
    file: str
    old: str
    new: str
    wrong: str
    tests: tuple[str, ...]

    def apply(self, text: str) -> str:
        """The wrong text of the file. Raises `ValueError` if it has changed so that the patch no longer fits."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: its text occurs {text.count(self.old)} times in {self.file}, not once")
        return text.replace(self.old, self.new)


def load(folder: Path = HERE) -> list[Mutant]:
    """Every mutant, subject by subject."""
    lists = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return [Mutant(**{**one, "tests": tuple(one["tests"])}) for listed in lists for one in listed]
