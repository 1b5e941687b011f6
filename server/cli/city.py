"""`flask demo seed --children N`: a city of any size, received as phones' batches are, ward by ward.

A file beside the database says which wards are complete, so that an interrupted run goes on; what of a ward was
received already is left out. Memory does not grow with the city.
"""

import csv
import json
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import click
from flask import current_app
from sqlalchemy import select

from server.auth.tokens import issue
from server.cli.lists import issue_lists
from server.cli.people import enrol_device, fill_areas
from server.cli.sending import send
from server.clock import now
from server.demo.city import DAYS, Block, WardFacts, WardPlan, blocks, plan_city, visits_a_day
from server.demo.commune import Item
from server.demo.doubts import quarrel, sample
from server.store.people import add_user, assign
from server.store.reads import fetch
from server.store.tables import Entity, Submission, db
from server.store.tables import User as UserTable
from server.world import DEMO_HAMLETS, Nest, build_nest, current_nest, hamlet_rows, rows
from sync.arrival import Sender
from sync.authority import Role
from sync.times import DAY, end_of_day, local_date

PROGRESS = "demo_city.json"
FACTS = "demo.json"
TOLD = 5.0  # seconds between two lines about progress


@dataclass
class Progress:
    """How far a city is. `day` is the day on which it was begun, and up to which it is made."""

    children: int
    seed: int
    day: str
    done: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        path = folder / f"{PROGRESS}.new"
        path.write_text(json.dumps(asdict(self)))
        path.replace(folder / PROGRESS)


def unfinished(folder: Path) -> bool:
    """Whether a city was begun here and is not complete."""
    return (folder / PROGRESS).exists() and not (folder / FACTS).exists()


def seed_city(children: int, seed: int) -> bool:
    """Fill an empty database with a city, or go on with the one that was begun; says whether anything was done."""
    nest = current_nest()
    if not nest.settings.demo:
        raise click.ClickException("set TOAM_DEMO=1: its hamlets are invented, and known to a demonstration alone")
    folder = nest.settings.data
    progress = _begun(folder, children, seed)
    if (folder / FACTS).exists():
        return False
    plans = plan_city(children, ward_facts(nest), seed)
    nest = _with_hamlets(folder, plans)
    told = _Told(children, sum(plan.children for plan in plans if plan.area in progress.done))
    for plan in plans:
        if plan.area not in progress.done:
            seed_ward(nest, plan, date.fromisoformat(progress.day), told)
            progress.done.append(plan.area)
            progress.save(folder)
    _finish(nest, plans[0], date.fromisoformat(progress.day))
    return True


def _begun(folder: Path, children: int, seed: int) -> Progress:
    """What was begun here, or a new beginning; whatever else is here is left alone."""
    path = folder / PROGRESS
    if path.exists():
        progress = Progress(**json.loads(path.read_text()))
        if (progress.children, progress.seed) != (children, seed):
            asked = f"--children {progress.children} --seed {progress.seed}"
            raise click.ClickException(f"{folder} holds another city: go on with {asked}, or delete it")
        return progress
    if db.session.scalar(select(UserTable.id).limit(1)) is not None:
        raise click.ClickException("the database is not empty; a city is made in an empty one alone")
    progress = Progress(children, seed, local_date(now()).isoformat())
    progress.save(folder)
    return progress


def ward_facts(nest: Nest) -> list[WardFacts]:
    """The wards of the list in force, that of the smaller demonstration first, with their configured hamlets."""
    folder, ward_list = nest.settings.config / "areas", nest.settings.ward_list
    hamlets: dict[str, list[str]] = {}
    for row in rows(folder / "hamlets.csv"):
        if row["list"] == ward_list:
            hamlets.setdefault(row["ward"], []).append(row["code"])
    found = [row for row in rows(folder / "wards.csv") if row["list"] == ward_list]
    codes = {row["code"] for row in found}
    earlier: dict[str, list[str]] = {}
    for row in rows(folder / "ward_map.csv"):
        if row["from_code"] not in codes and row["split"] == "0":
            earlier.setdefault(row["to_code"], []).append(row["from_code"])
    return [
        WardFacts(
            row["code"],
            row["name_vi"],
            (float(row["lat"] or 10.03), float(row["lon"] or 105.78)),
            tuple(hamlets.get(row["code"], ())),
            tuple(earlier.get(row["code"], ())),
        )
        for row in sorted(found, key=lambda row: (row["code"] != "31135", row["code"]))
    ]


def _with_hamlets(folder: Path, plans: Sequence[WardPlan]) -> Nest:
    """This server, with the hamlets that the city needs and nobody has told: written beside the database."""
    path = folder / DEMO_HAMLETS
    if not path.exists():
        with path.with_suffix(".new").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["list", "ward", "code", "name_vi", "invented", "from_list", "from_ward", "from_code"])
            for plan in plans:
                for code in plan.hamlets if not plan.facts.hamlets else ():
                    table.writerow(["2025", plan.facts.code, code, f"Khu vực {int(code)}", "1", "", "", ""])
        path.with_suffix(".new").replace(path)
    nest = build_nest(current_nest().settings)
    current_app.extensions["toam"] = nest
    fill_areas()
    assert len(nest.places.hamlets) == len(hamlet_rows(nest.settings))
    return nest


def seed_ward(nest: Nest, plan: WardPlan, today: date, told: "_Told") -> None:
    """The people of a ward, and everything that they have sent so far."""
    senders = _people(plan, today)
    for block in blocks(plan, today):
        for items in block.rounds:
            send_new(nest, items, senders)
        told.add(plan, block)


def send_new(nest: Nest, items: Sequence[Item], senders: Mapping[str, Sender]) -> int:
    """Receive what is not here yet, of whoever is; returns how many items that were."""
    with db.engine.connect() as connection:
        ids = [item.instance_id for item in items]
        here = fetch(connection, ids, lambda some: select(Submission.id).where(Submission.id.in_(some)))
        children = [item.child for item in items if item.child]
        born = fetch(connection, children, lambda some: select(Entity.id).where(Entity.id.in_(some)))
    held, known = {row.id for row in here}, {row.id for row in born}
    fresh = [one for one in items if one.instance_id not in held and (one.child is None or one.child in known)]
    if fresh:
        send(nest, fresh, senders)
        db.session.remove()
    return len(fresh)


def _people(plan: WardPlan, today: date) -> dict[str, Sender]:
    """The users of a ward with their assignments."""
    begins = today - timedelta(days=DAYS + 1)
    for user in plan.users:
        add_user(user.id, user.name, user.role, visits_a_day(user) if user.role is Role.COLLABORATOR else None)
        if user.role is not Role.ADMINISTRATOR:
            for hamlet in user.hamlets or (None,):
                assign(user.id, plan.area, hamlet, begins)
    db.session.commit()
    enrolled = end_of_day(begins) - DAY
    return {user.id: Sender(user.id, None, frozenset({user.id}), enrolled) for user in plan.users}


def _finish(nest: Nest, plan: WardPlan, today: date) -> None:
    """Today's lists; and in the first ward what the start page shows: tokens, a conflict, a batch to push."""
    senders, tokens = _people(plan, today), dict[str, str]()
    for user in plan.users:
        phone = enrol_device(f"Điện thoại của {user.id}", senders[user.id].enrolled) if user.hamlets else None
        tokens[user.id] = issue(user.id, phone, senders[user.id].enrolled)
    db.session.commit()
    try:
        prepared = sample(nest, senders, quarrelled=quarrel(nest, senders))
    except LookupError:  # a city of a few houses has nobody to show it on
        prepared = {}
    issue_lists(local_date(now()))
    path = nest.settings.data / FACTS
    path.touch(mode=0o600)
    path.write_text(json.dumps({"tokens": tokens, "sample": prepared}))


class _Told:
    """Says every few seconds how far it is."""

    def __init__(self, children: int, done: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._all, self._done, self._before, self._clock = children, done, done, clock
        self._begun = self._last = clock()

    def add(self, plan: WardPlan, block: Block) -> None:
        self._done += block.children
        at = self._clock()
        if at - self._last < TOLD:
            return
        self._last = at
        rate = (self._done - self._before) / (at - self._begun)
        left = (self._all - self._done) / rate / 60 if rate else 0
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        where = f"{plan.facts.name}: {self._done:,} of {self._all:,} children"
        click.echo(f"{where}, {rate:.0f}/s, {left:.0f} min left, at most {memory} MB so far")
