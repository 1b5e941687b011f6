"""`flask audit`: the log of what people did, and whether it is whole."""

import click
from flask.cli import AppGroup

from server.audit import verify
from server.store.tables import db

audit = AppGroup("audit", help="The log of supervisors' acts.")


@audit.command("check")
@click.option("--area", help="One area (as 2025.31135); all of them if not given.")
def check(area: str | None) -> None:
    """Follow the chain of hashes: says where an entry was changed, taken out or put elsewhere; exit 1 if any was."""
    broken = verify(db.session.connection(), area)
    for where, number in broken:
        click.echo(f"{where}: broken at entry {number}")
    if broken:
        raise SystemExit(1)
    click.echo("the audit log is whole")
