"""`flask plan`, `flask lists`: the jobs by hand."""

from datetime import date, datetime
from functools import partial

import click
from flask.cli import AppGroup

from server.clock import now
from server.reminders.issue import areas_with_people, issue_daily
from server.reminders.jobs import run_plan, run_retry
from server.world import current_nest

lists = AppGroup("lists", help="Reminder lists.")


@click.command("plan")
def plan() -> None:
    """Plan all follow-up visits, as the nightly job does."""
    click.echo(f"{run_plan()} visits changed")


@click.command("retry")
def retry() -> None:
    """Apply what a fault of ours kept from being applied (outcome `stored`), as the job does every few minutes."""
    click.echo(f"{run_retry()} submissions applied or held")


@lists.command("issue")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day the lists are for.")
@click.option("--area", help="One area (as 2025.31135); all of them if not given.")
def issue(day: datetime, area: str | None) -> None:
    """Issue the daily lists, as the job in the morning does; a list that exists is not issued again."""
    for number in issue_lists(day.date(), area):
        click.echo(number)


def issue_lists(day: date, area: str | None = None) -> list[str]:
    """Issue the lists of one day; returns their numbers."""
    nest = current_nest()
    numbers: list[str] = []
    for one in [area] if area else areas_with_people(day):
        numbers += nest.committer.run(partial(issue_daily, nest.store, nest.rules, one, day, now(), "cli"))
    return numbers
