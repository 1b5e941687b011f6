"""`flask simulate`."""

import click


@click.command("simulate")
def simulate() -> None:
    """Placeholder."""
