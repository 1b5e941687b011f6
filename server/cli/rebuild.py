"""`flask rebuild`: derive everything anew from the log."""

from collections import Counter

import click

from server.clock import now
from server.rebuild import rebuild_all
from server.world import current_nest

MOST_SHOWN = 20


@click.command("rebuild")
@click.option("--check", is_flag=True, help="Only say what differs; exit 1 if anything does.")
def rebuild(check: bool) -> None:
    """Compute entities, conflicts, notices and visits anew from the log alone, and say whether anything differs."""
    nest = current_nest()
    found = rebuild_all(nest, now(), nest.committer.run, write=not check)
    if not found.differences:
        click.echo(f"{found.entities} entities: no difference")
        return
    kinds = Counter(kind for kind, _ in found.differences)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    click.echo(f"{found.entities} entities: {told} {'differ' if check else 'differed and were mended'}")
    for kind, ident in sorted(found.differences)[:MOST_SHOWN]:
        click.echo(f"  {kind} {ident}")
    if check:
        raise SystemExit(1)
