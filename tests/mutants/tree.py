"""Copies of the tree in which files may be made wrong, and running its tests there."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.patches import Mutant

FAILED, BROKEN = 1, (2, 3)  # how pytest ends: tests failed; it could not read them, or fell over
_FAILURE = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """How tests ended. `code` is pytest's own; None: they took too long."""

    code: int | None
    output: str
    seconds: float

    @property
    def passed(self) -> bool:
        return self.code == 0

    @property
    def noticed(self) -> bool:
        """Whether the tests ran and noticed something: not if they could not even be found."""
        return self.code is None or self.code < 0 or self.code in (FAILED, *BROKEN)

    @property
    def by(self) -> str:
        """The test that failed; or that they crashed or took too long."""
        if self.code is None:
            return "a timeout"
        found = _FAILURE.search(self.output)
        crash = "" if self.code == FAILED else "a crash: "
        return crash + (found.group(1) if found else f"exit {self.code}")


@dataclass(frozen=True)
class Copy:
    """A copy of the whole tree, with a folder beside it for what its tests write."""

    root: Path
    scratch: Path

    @classmethod
    def of(cls, source: Path, target: Path) -> "Copy":
        """Copy every file that is or could be committed."""
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=source, check=True, capture_output=True
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (source / name).is_file():
                (target / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / name, target / "tree" / name)
        return cls(target / "tree", target / "scratch")

    @contextmanager
    def wrong(self, mutant: Mutant) -> Iterator[None]:
        """The copy while a mutant is applied; its file is as before afterwards, with its time."""
        path = self.root / mutant.file
        stat, text = path.stat(), path.read_text(encoding="utf-8")
        path.write_text(mutant.apply(text), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def test(self, tests: Sequence[str], timeout: float, keep_bytecode: bool = False) -> Run:
        """Run these tests in the copy until one fails. The same worlds are generated every time."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=short", "--color=no", "-p", "no:cacheprovider"]
        command += [f"--basetemp={self.scratch}", "--hypothesis-seed=0", *tests]
        env = os.environ | {"PYTHONPATH": str(self.root)}
        if not keep_bytecode:
            env["PYTHONDONTWRITEBYTECODE"] = "1"
        begun = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.root, env=env, timeout=timeout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as expired:
            return Run(None, (expired.stdout or b"").decode(errors="replace"), time.monotonic() - begun)
        return Run(done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - begun)
