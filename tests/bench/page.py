"""docs/benchmarks.md: each benchmark writes a section of its own, and leaves the others as they are."""

import os
import platform
import subprocess
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.e2e.server import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
LOAD = os.getloadavg()[0]  # before anything is measured


def put(path: Path, title: str, lines: Sequence[str]) -> None:
    """Put a section (`title` is its heading, `## ...`) in place of the one of before, else at the end."""
    page = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n"
    before, _, after = page.partition(f"\n{title}\n")
    rest = after.partition("\n## ")[2]
    text = "\n".join([before.rstrip("\n"), "", title, "", *lines]).rstrip("\n")
    path.write_text(f"{text}\n" + (f"\n## {rest}" if rest else ""), encoding="utf-8")


def wrapped(text: str) -> list[str]:
    """A paragraph in lines."""
    return textwrap.wrap(text, 116, break_long_words=False, break_on_hyphens=False)


def conditions(*more: str) -> str:
    """When, on what and with which code it is measured, in one line."""
    moment = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    machine = f"{os.cpu_count()} cores ({_processor()}), load {LOAD:.1f} before"
    return "; ".join([moment, machine, f"Python {platform.python_version()}", *more, f"commit {_commit()}"]) + "."


def _processor() -> str:
    names = [
        line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return names[0] if names else platform.machine()


def _commit() -> str:
    asked = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"
