"""The documents name files, commands and settings that exist, and no file names somebody's machine."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from config.settings import Settings
from server.app import create_app

ROOT = Path(__file__).parents[2]
SKIPPED = {"__pycache__", "node_modules", "var"}  # with everything that begins with a dot, but these:
DOTTED = {".ci", ".tools"}
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
# A folder of one machine, at the start of a path: not `forms/work/`, and not XPath's `instance('x')/root/item`.
MACHINE_PATH = re.compile(r"(?<![\w.)/\]}-])/(?:work|root|tmp|home|Users)/")


def files() -> Iterator[Path]:
    """Every text file of the repository."""
    stack = [ROOT]
    while stack:
        for path in stack.pop().iterdir():
            if path.name in SKIPPED or (path.is_dir() and path.name.startswith(".") and path.name not in DOTTED):
                continue
            if path.is_dir():
                stack.append(path)
            elif path.suffix not in {".sqlite3", ".pyc"}:
                yield path


def code_of(document: str) -> str:
    """The shell commands of a document, one a line, continued lines joined."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert blocks
    return "".join(blocks).replace("\\\n", " ")


def test_the_table_of_the_architecture_names_what_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("## To change X, go to Y")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 15
    for row in rows:
        where = row.split("|")[2]
        paths = [name for name in re.findall(r"`([^`]+)`", where) if "/" in name or "." in name]
        assert paths, row
        for path in paths:
            assert (ROOT / path).exists(), path


def test_the_story_names_what_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    story = text.partition("## The story of one submission")[2].partition("\n## ")[0]
    paths = re.findall(r"`((?:forms|sync|server|config)/[\w/.]+)`", story)
    assert len(paths) > 15
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_tree_names_what_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tree = text.partition("## The tree\n\n```\n")[2].partition("```")[0]
    known = {part for path in files() for part in path.relative_to(ROOT).parts}
    named = re.findall(r"\b[\w-]+\.(?:py|yaml|csv)\b|\b\w+(?=/)", tree)
    assert len(named) > 40
    assert [name for name in named if name not in known] == []


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("0*.md"))
    assert re.findall(r"\((0[^)]+)\)", index) == pages
    for name in pages:
        page = (ROOT / "docs/decisions" / name).read_text(encoding="utf-8")
        assert page.startswith(f"# {name[:4]}: ")
        marks = re.findall(r"^\*\*(.+?)\*\*", page, re.MULTILINE)
        assert marks == ["Context.", "Choice.", "What it costs.", "What would make us change it."], name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_resolve(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"https?:", target):
            name, _, anchor = target.partition("#")
            path = document.parent / name if name else document
            assert path.exists(), f"{document.name}: {target}"
            assert not anchor or anchor in anchors(path), f"{document.name}: {target}"


def anchors(document: Path) -> set[str]:
    """What a link may name within a document, as GitHub and GitLab make it from the headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_commands_of_the_readme_exist(tmp_path: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    flask = create_app(Settings(data=tmp_path, scheduler=False)).cli
    flask_calls = 0
    for line in code_of("README.md").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["make"]:
            assert set(words[1:]) <= targets, line
        if words[:1] == ["flask"]:
            flask_calls += 1
            assert_accepts(flask, words[1:], line)
    assert flask_calls >= 10


def assert_accepts(group: click.Group, words: list[str], line: str) -> None:
    """The command exists, and takes these arguments; it is not run."""
    command: click.Command = group
    while isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, line
        command, words = found, words[1:]
    command.make_context(command.name, list(words))


def test_the_readme_opens_with_the_two_commands() -> None:
    words = [shlex.split(line, comments=True) for line in code_of("README.md").splitlines()]
    assert words[:2] == [["make", "run"], ["make", "test"]]


def test_settings_that_documents_name_exist() -> None:
    known = {f"TOAM_{name.upper()}" for name in Settings.__dataclass_fields__}
    for document in DOCUMENTS:
        named = set(re.findall(r"\bTOAM_[A-Z_]*[A-Z]\b", document.read_text(encoding="utf-8")))
        assert named <= known, document.name


def test_no_file_names_a_machine() -> None:
    found, seen = [], 0
    for path in files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        seen += 1
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in MACHINE_PATH.finditer(text)]
    assert seen > 100
    assert found == []


@pytest.mark.parametrize("before", ["cd ", '"', "(", "=", "`"])
def test_a_machine_path_is_recognised(before: str) -> None:
    for folder in ("work", "root", "tmp", "home", "Users"):
        assert MACHINE_PATH.search(f"{before}/{folder}/x")


@pytest.mark.parametrize("before", ["instance('a')", "forms", "https://a.example", "${x}"])
def test_what_only_looks_like_one_is_left_alone(before: str) -> None:
    assert MACHINE_PATH.search(f"{before}/root/x") is None
