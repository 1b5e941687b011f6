"""`flask lists`: lists by hand, on the screen or as sheets."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from server.clock import now
from server.reading.lists import issued_list, list_body
from server.reading.plan import next_week, preview, week_of
from server.reminders.issue import areas_with_people, issue
from server.reminders.workbook import OUTCOMES, file_name, workbook
from server.world import current_nest
from sync.times import local_date
from sync.visits.lists import ListKind, period_of

lists = AppGroup("lists", help="Reminder lists.")
BY = "cli"


def _which(command: Any) -> Any:
    """The options that say which lists are meant."""
    for option in (
        click.option("--user", "person", help="One collaborator; all of them if not given."),
        click.option("--area", help="One area (as 2025.31135); all of them if not given."),
        click.option("--week", help="Weekly lists, of this week (as 2026-W48, or `next`)."),
        click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Daily lists, of this day or today."),
    ):
        command = option(command)
    return command


@lists.command("issue")
@_which
def issue_command(day: datetime | None, week: str | None, area: str | None, person: str | None) -> None:
    """Issue daily or weekly lists, as the job in the morning does; a list that exists is not issued again."""
    kind, first = _period(day, week)
    for number in issue_lists(first, area, kind, person):
        click.echo(number)


@lists.command("preview")
@_which
def preview_command(day: datetime | None, week: str | None, area: str | None, person: str | None) -> None:
    """Show the lists as they would be issued now; nothing is stored."""
    kind, first = _period(day, week)
    for one in [area] if area else areas_with_people(first):
        for body in preview(current_nest(), one, period_of(kind, first), person, local_date(now())):
            _print(body)


@lists.command("show")
@click.argument("number")
@click.option("--revision", type=int, help="An earlier one; the newest if not given.")
@click.option(
    "--xlsx", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Write the sheet into this folder."
)
def show(number: str, revision: int | None, xlsx: Path | None) -> None:
    """Show an issued list with what became of its lines, or write it as a sheet to print."""
    issued = issued_list(number, revision)
    if issued is None:
        raise click.ClickException(f"there is no list {number}")
    body = list_body(issued, now())
    if xlsx is None:
        _print(body)
        return
    path = xlsx / file_name(body)
    path.touch(mode=0o600)
    path.write_bytes(workbook(body))
    click.echo(path)


def issue_lists(
    day: date, area: str | None = None, kind: ListKind = ListKind.DAILY, person: str | None = None
) -> list[str]:
    """Issue the lists of a day or its week; returns their numbers."""
    nest = current_nest()
    numbers: list[str] = []
    people = [person] if person else None
    for one in [area] if area else areas_with_people(day):
        numbers += nest.committer.run(partial(issue, nest, one, kind, day, now(), BY, people))
    return numbers


def _period(day: datetime | None, week: str | None) -> tuple[ListKind, date]:
    if day is not None and week is not None:
        raise click.UsageError("say either --date or --week")
    if week is None:
        return ListKind.DAILY, day.date() if day is not None else local_date(now())
    try:
        first = next_week(local_date(now())) if week == "next" else week_of(week)
    except ValueError as error:
        raise click.UsageError(f"--week: {week} is no week; write it as 2026-W48") from error
    return ListKind.WEEKLY, first


def _print(body: Mapping[str, Any]) -> None:
    number = f"{body['number']}, revision {body['revision']}" if body["number"] else "not issued"
    click.echo(f"{body['collaborator']} {body['name'] or ''}: {body['begins']} to {body['ends']} ({number})")
    for line in body["lines"]:
        click.echo(_line(line))


def _line(line: Mapping[str, Any]) -> str:
    what = "; ".join(task["what"] for task in line["tasks"])
    marks: Iterable[str] = (
        "statutory" if any(task["statutory"] for task in line["tasks"]) else "",
        "carried over" if line["carried"] else "",
        f"from {line['carried_from']}" if line.get("carried_from") else "",
        OUTCOMES.get(line["outcome"] or "", ""),
    )
    told = ", ".join(mark for mark in marks if mark)
    whom = f"{line['name']} ({line['head']})" if line["subject"] != line["household"] else line["head"]
    return f"{line['line']:>4}  {whom}, {line.get('place') or line['scope']}: {what}, {line['due']}  {told}".rstrip()
