"""`flask areas`, `flask user`, `flask device`: places, people and installations."""

import secrets
import sys
from datetime import date, timedelta
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import delete, update

from server.auth.access import Access, acting_area
from server.auth.enrolment import invite
from server.auth.handover import Handover, hand_over
from server.auth.leaving import revoke
from server.auth.passwords import set_password
from server.auth.tokens import issue
from server.clock import now
from server.openrosa.setup import Setup
from server.problems import CATALOGUE, Problem
from server.store.people import add_user, assign, users_of
from server.store.tables import Area, AreaSuccessor, Device, HamletTable, User, db
from server.world import current_nest, hamlet_rows, rows
from sync.authority import Author, Role
from sync.names import search_key
from sync.times import DAY, local_date

BY = "cli"  # in the audit log: somebody at the server itself
areas = AppGroup("areas", help="Wards and hamlets.")
user = AppGroup("user", help="Users, their assignments and tokens.")
device = AppGroup("device", help="Installations on phones.")


@areas.command("load")
def load_areas() -> None:
    """Put the wards, their predecessors and the hamlets of config/areas into the database."""
    click.echo(f"{fill_areas()} areas")


@areas.command("find")
@click.argument("words")
def find_areas(words: str) -> None:
    """Show wards by words of their names, with or without tones; their keys are what other commands ask for."""
    for key, ward in sorted(current_nest().places.wards.items()):
        if search_key(words) in search_key(ward.name):
            click.echo(f"{key}  {ward.name}")


def fill_areas() -> int:
    """Replace the area tables by the files of config/areas; returns how many areas there are."""
    folder = current_nest().settings.config / "areas"
    for model in (Area, AreaSuccessor, HamletTable):
        db.session.execute(delete(model))
    wards = rows(folder / "wards.csv")
    db.session.add_all(
        Area(
            key=f"{row['list']}.{row['code']}",
            name=row["name_vi"],
            kind=row["type_vi"],
            lat=row["lat"] or None,
            lon=row["lon"] or None,
        )
        for row in wards
    )
    db.session.add_all(
        AreaSuccessor(before=f"{r['from_list']}.{r['from_code']}", after=f"{r['to_list']}.{r['to_code']}")
        for r in rows(folder / "ward_map.csv")
    )
    db.session.add_all(
        HamletTable(area=f"{r['list']}.{r['ward']}", code=r["code"], name=r["name_vi"], invented=r["invented"] == "1")
        for r in hamlet_rows(current_nest().settings)
    )
    db.session.commit()
    return len(wards)


@user.command("add")
@click.argument("ident")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
def add(ident: str, name: str, role: str) -> None:
    """Add a user, or change name and role."""
    add_user(ident, name, Role(role))
    db.session.commit()


@user.command("assign")
@click.argument("ident")
@click.argument("area")
@click.option("--hamlet", help="Hamlet code; without it the whole area.")
@click.option("--begins", type=click.DateTime(["%Y-%m-%d"]), help="First day; today if not given.")
@click.option("--ends", type=click.DateTime(["%Y-%m-%d"]), help="Last day; open if not given.")
def assign_user(ident: str, area: str, hamlet: str | None, begins: object, ends: object) -> None:
    """Give a user charge of AREA (as 2025.31135), or of one hamlet of it."""
    _known(ident)
    places = current_nest().places
    if area not in places.wards:
        raise click.ClickException(f"there is no area {area}; it is written <ward list>.<code>")
    if hamlet and (area, hamlet) not in places.hamlets:
        raise click.ClickException(f"{area} has no hamlet {hamlet}")
    assign(ident, area, hamlet, _day(begins) or local_date(now()), _day(ends))
    db.session.commit()


@user.command("handover")
@click.argument("area")
@click.argument("hamlet")
@click.option("--from", "giver", required=True, help="Who has it now.")
@click.option("--to", "taker", required=True, help="Who gets it.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="First day of the new one; tomorrow if not given.")
@click.option("--reason", required=True, help="For the audit log; it names no child.")
def handover(area: str, hamlet: str, giver: str, taker: str, day: object, reason: str) -> None:
    """Hand a HAMLET of AREA over from one collaborator to another."""
    at = now()
    first = _day(day) or local_date(at) + timedelta(days=1)
    operator = Access(Author(BY, Role.ADMINISTRATOR), local_date(at))
    try:
        moved = hand_over(operator, Handover(area, hamlet, giver, taker, first, reason), at)
    except Problem as problem:
        raise click.ClickException(CATALOGUE[problem.code].title) from problem
    click.echo(f"from {first.isoformat()} on; {moved} arranged visits went with it")


@user.command("token")
@click.argument("ident")
@click.option("--device", "device_id", help="The installation that the token is for.")
def token(ident: str, device_id: str | None) -> None:
    """Issue a token for a user. It is shown this once; only its hash is stored."""
    _known(ident)
    if device_id and db.session.get(Device, device_id) is None:
        raise click.ClickException(f"there is no device {device_id}; enrol it first: flask device enrol")
    click.echo(issue(ident, device_id, now()))
    db.session.commit()


@user.command("capacity")
@click.argument("ident")
@click.argument("visits", type=click.IntRange(0, 100))
def capacity(ident: str, visits: int) -> None:
    """Say how many lines of a list a collaborator can do in a day; 0: as many as the setting says."""
    _known(ident)
    db.session.execute(update(User).where(User.id == ident).values(visits_a_day=visits or None))
    db.session.commit()


@user.command("password")
@click.argument("ident")
@click.option("--days", type=click.IntRange(min=1), help="For how many days it is good; for ever if not given.")
def password(ident: str, days: int | None) -> None:
    """Give a user a password. It is asked for, or read from the standard input: never an argument."""
    _known(ident)
    at = now()
    try:
        set_password(ident, _secret(), at, None if days is None else at + days * DAY)
    except Problem as problem:
        raise click.ClickException(CATALOGUE[problem.code].title) from problem


@device.command("enrol")
@click.option("--label", default="", help="What it is called on lists of devices.")
@click.option("--user", "ident", help="Its first user: a token is issued at once.")
@click.option("--qr", is_flag=True, help="Show the code that sets ODK Collect up.")
@click.option("--png", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it there.")
@click.option("--url", help="Where phones reach this server; as TOAM_PUBLIC_URL says if not given.")
def enrol(label: str, ident: str | None, qr: bool, png: Path | None, url: str | None) -> None:
    """Enrol an installation. Prints its id and, with --user, that user's token, which is shown this once.

    With --qr or --png also what ODK Collect scans: whoever has that code is this phone.
    """
    address = url or current_nest().settings.public_url
    if (qr or png) and not (ident and address):
        raise click.ClickException("a code for ODK Collect needs --user, and --url or TOAM_PUBLIC_URL")
    if ident:
        _known(ident)
    device_id = enrol_device(label)
    click.echo(f"device {device_id}")
    if ident:
        token = issue(ident, device_id, now())
        click.echo(f"token  {token}")
        _show(Setup(address, token, ident), qr, png)
    db.session.commit()


def _show(setup: Setup, qr: bool, png: Path | None) -> None:
    if qr:
        click.echo(f"server {setup.url}")
        click.echo(setup.terminal())
    if png is not None:
        setup.png(png)


@device.command("invite")
@click.argument("ident")
@click.option("--days", type=click.IntRange(1, 30), default=7, show_default=True, help="For how long it is good.")
@click.option(
    "--svg", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write the QR code there."
)
def invite_user(ident: str, days: int, svg: Path | None) -> None:
    """Make a one-time code by which a user's phone is enrolled. It is shown this once, also as a QR code."""
    _known(ident)
    made = invite(ident, BY, days, now())
    click.echo(f"code   {made.code}\nlink   {made.link}")
    click.echo(made.terminal())
    if svg is not None:
        svg.write_text(made.svg(), encoding="utf-8")


@device.command("revoke")
@click.argument("ident")
@click.option("--reason", default="", help="For the audit log; it names no child.")
def revoke_device(ident: str, reason: str) -> None:
    """Take away a device's right to read. What it still sends is kept for a supervisor."""
    at = now()
    area = acting_area(users_of(ident), local_date(at))
    try:
        revoke(ident, BY, area, reason, at)
    except Problem as problem:
        raise click.ClickException(f"there is no device {ident}") from problem


def enrol_device(label: str, at: int | None = None) -> str:
    """Make a new installation and return its id. The caller commits."""
    ident = f"d-{secrets.token_hex(8)}"
    db.session.add(Device(id=ident, label=label, enrolled_at=now() if at is None else at, revoked_at=None))
    return ident


def _known(ident: str) -> None:
    if db.session.get(User, ident) is None:
        raise click.ClickException(f"there is no user {ident}; add one first: flask user add")


def _secret() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _day(value: object) -> date | None:
    return value.date() if value is not None else None  # type: ignore[attr-defined]
