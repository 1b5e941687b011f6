"""`flask jobs`: the scheduled jobs by hand, and what became of their runs."""

import click
from flask.cli import AppGroup

from server.reminders.jobs import JOBS, by_hand
from server.reminders.runs import history
from sync.times import local_time

jobs = AppGroup("jobs", help="The scheduled jobs.")


@jobs.command("run")
@click.argument("name", type=click.Choice(list(JOBS)))
def run_command(name: str) -> None:
    """Run a job now. It may run beside the server's own: nothing is done twice."""
    click.echo(f"{name}: {by_hand(JOBS[name])}")


@jobs.command("history")
@click.option("--job", type=click.Choice(list(JOBS)), help="One job; all of them if not given.")
@click.option("--most", default=50, help="How many runs at most.")
def history_command(job: str | None, most: int) -> None:
    """The latest runs, the newest first: planned for, started, ended, outcome, how much was done, by whom."""
    times = lambda at: local_time(at).strftime("%Y-%m-%d %H:%M:%S") if at else "-"  # noqa: E731
    for run in history(job, most):
        marks = [run.outcome, *(["late"] if run.late else []), *([f"try {run.tries}"] if run.tries > 1 else [])]
        marks += [run.error] if run.error else []
        columns = (run.job, times(run.planned), times(run.started), times(run.ended), " ".join(marks))
        click.echo("\t".join([*columns, "-" if run.did is None else str(run.did), run.by]))
