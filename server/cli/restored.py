"""`flask restored`: what an operator runs once after a backup was put back, before phones reach the server."""

import click
from flask.cli import with_appcontext

from server.clock import now
from server.restore import begin_anew, days_lost
from server.world import current_nest


@click.command("restored")
@with_appcontext
def restored() -> None:
    """Begin a new history after a backup was put back: every phone offers again what it has kept, and pulls anew."""
    nest = current_nest()
    days = days_lost(now())
    click.echo(f"epoch {begin_anew(nest, nest.committer.run)}")
    if days is not None and days > nest.settings.keep_days:
        click.echo(
            f"The newest submission is {days} days old, and phones keep what they sent for "
            f"{nest.settings.keep_days}: what was received before that may be lost."
        )
