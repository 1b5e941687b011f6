"""`flask rules`: which follow-up rules work, what another file would change."""

from collections import Counter
from pathlib import Path

import click
from flask.cli import AppGroup

from server.clock import now
from server.reading.rules import preview
from server.world import current_nest
from sync.times import local_date
from sync.visits.law import load_lawful_rules
from sync.visits.plan import Visit
from sync.visits.rules import Clock, Rule, RuleError, Rules, Waiting

rules = AppGroup("rules", help="The follow-up rules: which work, and what a change would do.")
MOST_SHOWN = 20


@rules.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def check(file: Path | None) -> None:
    """Read the rules in use (or FILE) and say of each whether it works, waits, or is not in force today."""
    found, today = _read(file), local_date(now())
    click.echo(f"rules {found.version}, calendar {current_nest().calendar.version}")
    entries: dict[tuple[str, int], list[Rule | Waiting]] = {}
    every: list[Rule | Waiting] = [*found.rules, *found.waiting]
    for entry in every:
        entries.setdefault((entry.code, entry.version), []).append(entry)
    for (code, version), same in sorted(entries.items()):
        one = same[0]
        law = "law" if one.statutory else "đề xuất"
        about = "" if isinstance(one, Waiting) else ", ".join(rule.subject for rule in same if isinstance(rule, Rule))
        state = _state(one, one.begins <= today and (one.ends is None or today <= one.ends))
        click.echo(f"{code:<12} v{version} {state:<16} {law:<8} {_clock(one.clock):<28} {about}  [{one.source}]")
    for name in _unknown(found):
        click.echo(f"unknown property: {name}")
    if _unknown(found):
        raise SystemExit(1)


@rules.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def preview_(file: Path) -> None:
    """Say which open visits FILE would add, take away and move, were it used now. Nothing is written."""
    found = preview(current_nest(), _read(file), now())
    _tell("added", found.added)
    _tell("removed", found.removed)
    _tell("moved", [after for _, after in found.moved])
    for ident, old in [(after.id, before) for before, after in found.moved][:MOST_SHOWN]:
        click.echo(f"  {ident} {old.rule} due {old.due} -> {found.then[ident].due}")


def _read(file: Path | None) -> Rules:
    """The rules of a file, as strictly as the server reads its own."""
    if file is None:
        return current_nest().rules
    try:
        return load_lawful_rules(file.read_text(encoding="utf-8"))
    except RuleError as error:
        raise click.ClickException(str(error)) from error


def _state(one: Rule | Waiting, in_force: bool) -> str:
    if not in_force:
        return "not in force"
    return f"waits for {one.waits_for}" if isinstance(one, Waiting) else "works"


def _clock(clock: Clock) -> str:
    since = f" from {clock.origin or clock.since}" if clock.origin or clock.since else ""
    if clock.every:
        return f"every {clock.every} {clock.unit}{since}"
    if clock.at:
        return f"{clock.unit} {', '.join(map(str, clock.at))}{since}"
    return f"{clock.count} {clock.unit}{since}"


def _unknown(found: Rules) -> list[str]:
    """What rules look at and no type of entity has; such a condition would silently never hold."""
    types = current_nest().catalogue.types
    known = {name for kind in types.values() for name in kind.properties} | {"child_elsewhere"}
    asked = {(rule.code, name) for rule in found.rules if rule.condition for name in rule.condition.properties}
    asked |= {(rule.code, name) for rule in found.rules for name in (rule.clock.origin, rule.clock.since) if name}
    return sorted(f"{code} {name}" for code, name in asked if name not in known)


def _tell(what: str, visits: list[Visit]) -> None:
    counts = Counter(visit.rule for visit in visits)
    told = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
    click.echo(f"{what} {len(visits)}" + (f": {told}" if told else ""))
    if what != "moved":
        for visit in visits[:MOST_SHOWN]:
            click.echo(f"  {visit.id} {visit.rule} {visit.scope} due {visit.due}")
