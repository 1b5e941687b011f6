"""`flask demo`: the demonstration, from an empty folder to a server in one command."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from flask_migrate import upgrade
from sqlalchemy import select

from server.auth.passwords import set_password
from server.auth.tokens import issue
from server.cli.city import seed_city, unfinished
from server.cli.demo_phones import synced
from server.cli.lists import issue_lists
from server.cli.people import enrol_device, fill_areas
from server.cli.sending import send
from server.clock import now
from server.demo.commune import Commune, Item, commune
from server.demo.doubts import quarrel, sample
from server.serve import serve
from server.store.people import add_user, assign
from server.store.tables import User, db
from server.world import Nest, current_nest
from sync.arrival import Sender
from sync.authority import Role
from sync.times import DAY, local_date, to_ms

CHUNK = 60


def _city(command: Any) -> Any:
    """The options that ask for a city."""
    command = click.option("--seed", "dice", type=int, default=2026, help="Another city for another number.")(command)
    kind = click.IntRange(1, 1_000_000)
    return click.option("--children", type=kind, help="A whole city with so many children.")(command)


@click.group("demo", cls=AppGroup, invoke_without_command=True)
@_city
@click.pass_context
def demo(context: click.Context, children: int | None, dice: int) -> None:
    """A synthetic commune to try things on; with --children a city, as `flask demo seed` makes it."""
    if context.invoked_subcommand is not None:
        if children is not None:
            raise click.UsageError("--children goes behind `seed`, or without a command")
    elif children is None:
        click.echo(context.get_help())
    else:
        context.invoke(seed_command, children=children, dice=dice)


@demo.command("seed")
@_city
def seed_command(children: int | None, dice: int) -> None:
    """Migrate the database and, if it is empty, fill it with a synthetic commune, or with a city.

    A city that was interrupted goes on where it stopped when the same command is given again.
    """
    upgrade()
    if seed_city(children, dice) if children else seed():
        click.echo("Demonstration data is ready.")


@demo.command("run")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=8000)
def run(host: str, port: int) -> None:
    """Seed if needed, then serve the demonstration on a loopback address."""
    nest = current_nest()
    if not nest.settings.demo:
        raise click.ClickException("set TOAM_DEMO=1")
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise click.ClickException("the demonstration is served on a loopback address only")
    upgrade()
    seed()
    click.echo(f"Tổ Ấm: http://{host}:{port}")
    serve(host, port)


def seed() -> bool:
    """Fill an empty database; says whether it did."""
    nest, today = current_nest(), local_date(now())
    if db.session.scalar(select(User.id).limit(1)) is not None:
        if unfinished(nest.settings.data):
            raise click.ClickException("a city is not complete: give its `flask demo seed --children` again")
        if not (nest.settings.data / "demo.json").exists():
            raise click.ClickException(f"filling {nest.settings.data} was interrupted; delete it and start again")
        return False
    fill_areas()
    town = commune(today)
    senders, tokens = _people(town)
    password = _password(town)
    _send(nest, town, senders)
    prepared = sample(nest, senders, quarrelled=quarrel(nest, senders))
    issue_lists(today)
    synced(nest, senders, now())
    path = nest.settings.data / "demo.json"
    path.touch(mode=0o600)
    path.write_bytes(orjson.dumps({"tokens": tokens, "password": password, "sample": prepared}))
    return True


def demo_facts(data: Path) -> dict[str, Any]:
    """What the start page shows: tokens, password, sample batch; made by `seed`, kept beside the database."""
    facts: dict[str, Any] = json.loads((data / "demo.json").read_bytes())
    return facts


def _people(town: Commune) -> tuple[dict[str, Sender], dict[str, str]]:
    """Users with their assignments, a phone for each collaborator, and everyone's token."""
    begins = min(datetime.fromisoformat(item.observed_at) for item in town.registrations)
    enrolled = to_ms(begins) - DAY
    senders, tokens = {}, {}
    for person in town.users:
        add_user(person.id, person.name, person.role)
        if person.role is not Role.ADMINISTRATOR:
            for hamlet in person.hamlets or (None,):
                assign(person.id, town.area, hamlet, local_date(enrolled))
        phone = enrol_device(f"Điện thoại của {person.id}", enrolled) if person.hamlets else None
        tokens[person.id] = issue(person.id, phone, enrolled)
        senders[person.id] = Sender(person.id, phone, frozenset({person.id}), enrolled)
    db.session.commit()
    return senders, tokens


def _password(town: Commune) -> str:
    """One password for all who work at a desk: drawn anew for each demonstration, and shown on this machine alone."""
    password = f"to-am-{secrets.token_hex(4)}"
    for person in town.users:
        if person.role is not Role.COLLABORATOR:
            set_password(person.id, password, now(), None)
    return password


def _send(nest: Nest, town: Commune, senders: Mapping[str, Sender]) -> None:
    """Everything through the same door as a phone's batch, each item at its own time."""
    for chunk in _chunks(town):
        send(nest, chunk, senders)


def _chunks(town: Commune) -> Iterator[list[Item]]:
    """Registrations first; a chunk never holds two visits to one child, whose second builds on the first."""
    for items in (town.registrations, town.situations):
        chunk: list[Item] = []
        for item in items:
            if len(chunk) == CHUNK or (item.child and any(other.child == item.child for other in chunk)):
                yield chunk
                chunk = []
            chunk.append(item)
        yield chunk
