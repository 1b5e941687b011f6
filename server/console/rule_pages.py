"""The follow-up rules in words, and what another file would change. For administrators: counts, no child."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.clock import now
from server.console.reader import words_now
from server.console.rule_words import WAITS, RuleWords, certainty, wrong
from server.console.session import administrator
from server.reading.rules import LONGEST, Preview, Wrong, open_visits, preview, read_change
from server.world import current_nest
from sync.visits.plan import Visit
from sync.visits.rules import Rule, Rules, Waiting

SAMPLE = 1_000  # entities that are planned for a preview at the desk
MARKS = {"law": _l("Luật định"), "proposal": _l("Đề xuất"), "unverified": _l("Chưa kiểm chứng")}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/rules", view_func=rules)
    desk.add_url_rule("/rules/preview", view_func=preview_rules, methods=["GET", "POST"])


@dataclass(frozen=True)
class Shown:
    """A rule as the page tells it; rules that differ by their subject alone are one. `state`: works, waits, off."""

    rule: Rule | Waiting
    subjects: tuple[str, ...]
    sentence: str
    details: tuple[str, ...]
    state: str
    marks: tuple[str, ...]
    visits: int
    waits: Any


def rules() -> str:
    """Every rule of the file in use."""
    me, nest = administrator(), current_nest()
    shown = shown_rules(nest.rules, me.access.today)
    return render_template("desk/rules.html", me=me, rules=shown, found=nest.rules, marks=MARKS, nest=nest)


def shown_rules(found: Rules, today: date) -> list[Shown]:
    """Rules in the order of their file, those that wait last."""
    nest, counts = current_nest(), open_visits()
    told = RuleWords(nest, words_now())
    together: dict[tuple[str, int], list[Rule | Waiting]] = {}
    every: list[Rule | Waiting] = [*found.rules, *found.waiting]
    for one in every:
        together.setdefault((one.code, one.version), []).append(one)
    return [_shown(told, same, counts.get(key, 0), today) for key, same in together.items()]


def _shown(told: RuleWords, same: list[Rule | Waiting], visits: int, today: date) -> Shown:
    one = same[0]
    in_force = one.begins <= today and (one.ends is None or today <= one.ends)
    state = "off" if not in_force else "waits" if isinstance(one, Waiting) else "works"
    details = tuple(told.details(one)) if isinstance(one, Rule) else ()
    subjects = tuple(rule.subject for rule in same if isinstance(rule, Rule))
    waits = WAITS[one.waits_for] if isinstance(one, Waiting) else ""
    return Shown(one, subjects, told.sentence(one), details, state, tuple(certainty(one)), visits, waits)


def preview_rules() -> Response:
    """What another file would change, were it used now. Nothing is written."""
    me, nest = administrator(), current_nest()
    text, shown = _text(), {}
    if request.method == "POST":
        found = read_change(text) if text.strip() else Wrong("empty", None)
        if isinstance(found, Wrong):
            said = _("chưa có gì để xem") if found.said == "empty" else wrong(found.said)
            shown = {"wrong": found, "said": said}
        else:
            shown = {"result": _told(preview(nest, found, now(), SAMPLE)), "different": _different(nest.rules, found)}
    else:
        text = (nest.settings.config / "followup_rules.yaml").read_text("utf-8")
    page = render_template("desk/rules_preview.html", me=me, text=text, most=LONGEST, **shown)
    return make_response(page, 422 if "wrong" in shown else 200)


def _text() -> str:
    """What was typed, or the file that was chosen."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.read(4 * LONGEST + 1).decode("utf-8", "replace").replace("\x00", "\ufffd")
    return request.form.get("text", "").replace("\r\n", "\n")


def _told(found: Preview) -> dict[str, Any]:
    """Counts by rule: added, removed, moved, and how many entities they come from."""
    added, removed = _counts(found.added), _counts(found.removed)
    moved = _counts(before for before, _after in found.moved)
    codes = sorted({*added, *removed, *moved})
    return {
        "rows": [(code, added[code], removed[code], moved[code]) for code in codes],
        "looked": found.looked,
        "of": found.of,
        "now": len(found.now),
        "then": len(found.then),
    }


def _counts(visits: Iterable[Visit]) -> Counter[str]:
    return Counter(visit.rule for visit in visits)


def _different(before: Rules, after: Rules) -> dict[str, list[str]]:
    """Which rules are new, gone or different, by code and version."""
    old, new = _named(before), _named(after)
    return {
        "added": sorted(new.keys() - old.keys()),
        "removed": sorted(old.keys() - new.keys()),
        "changed": sorted(name for name in old.keys() & new.keys() if old[name] != new[name]),
    }


def _named(found: Rules) -> dict[str, list[Any]]:
    named: dict[str, list[Any]] = {}
    every: list[Rule | Waiting] = [*found.rules, *found.waiting]
    for one in every:
        told = {name: value for name, value in vars(one).items() if name != "condition"}
        named.setdefault(f"{one.code} v{one.version}", []).append(told)
    return named
