"""What the law fixes of the follow-up rules. A rules file may be stricter; with less, or without, it is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sync.visits.rules import Clock, Rule, RuleError, Rules, Unit, Waiting, load_rules

IN_FORCE = date(2025, 7, 1)  # the product plans nothing before the communes of today


@dataclass(frozen=True)
class Term:
    """The longest term the law gives: `count` units after the start, or at an age or milestone (`at`), or `every`."""

    unit: Unit
    count: int | None = None
    at: int | None = None
    every: int | None = None
    subjects: tuple[str, ...] = ("child",)

    def kept(self, clock: Clock) -> bool:
        if clock.unit is not self.unit:
            return False
        if self.at is not None:
            return self.at in clock.at
        if self.every is not None:
            return 0 < clock.every <= self.every
        return not clock.milestones and clock.count <= (self.count or 0)


_DANGER = ("child_protected", "report", "submission")
LAW = {
    "F-EMERG": Term(Unit.HOUR, 12, subjects=_DANGER),  # NĐ 56/2017, Art. 26(3), 31(2), 32(2)
    "F-INTAKE": Term(Unit.HOUR, 0, subjects=_DANGER),  # Art. 25(1)
    "F-FORWARD": Term(Unit.HOUR, 0, subjects=("report",)),  # Art. 26(1)
    "F-PLAN": Term(Unit.WORKING_DAY, 5),  # Art. 28(1)
    "F-APPROVE": Term(Unit.WORKING_DAY, 2),  # Art. 28(4)
    "F-SEPARATION": Term(Unit.DAY, 15),  # Art. 32(3)
    "F-REVIEW": Term(Unit.DAY, 0),  # Art. 30
    "F-ALT1": Term(Unit.MONTH, at=1),  # Art. 43(2)
    "F-ALT3": Term(Unit.MONTH, at=3),  # Art. 43(2)
    "F-ALT6": Term(Unit.MONTH, every=6),  # Art. 43(2); Luật Trẻ em, Art. 68(2)
    "F-ALT-END": Term(Unit.YEAR, at=16),  # TT 14/2020, Art. 13(4)
    "F-FAC5": Term(Unit.WORKING_DAY, 5),  # NĐ 56/2017, Art. 48(3)
    "F-BIRTH": Term(Unit.DAY, at=60),  # Luật Hộ tịch 60/2014, Art. 15
    "F-CHECKUP": Term(Unit.MONTH, 12),  # TT 23/2017/TT-BYT
    "F-POVERTY": Term(Unit.YEAR, 1, subjects=("household",)),  # NĐ 07/2021, NĐ 351/2025
}


def load_lawful_rules(text: str) -> Rules:
    """Read a rules file as the product uses it: statutory rules cannot be switched off. Raises `RuleError`."""
    rules = load_rules(text)
    for code, term in LAW.items():
        waiting = [one for one in rules.waiting if one.code == code]
        if waiting:
            _check(code, term, waiting)
        for subject in () if waiting else term.subjects:
            _check(code, term, [one for one in rules.rules if (one.code, one.subject) == (code, subject)])
    return rules


def _check(code: str, term: Term, versions: Sequence[Rule | Waiting]) -> None:
    """The versions of one statutory rule follow each other without a gap, and each keeps the term."""
    if not versions:
        raise RuleError(f"{code}: the law asks for this rule; it cannot be taken out")
    following = sorted(versions, key=lambda one: one.begins)
    for one, after in zip(following, [*following[1:], None], strict=True):
        if not one.statutory:
            raise RuleError(f"{code}: statutory: the law asks for this rule")
        if not term.kept(one.clock):
            raise RuleError(f"{code}: clock: the law gives no longer term ({one.source})")
        if one.ends is not None and (after is None or after.begins > one.ends + timedelta(days=1)):
            raise RuleError(f"{code}: effective: the law asks for this rule; it cannot end without a next version")
    if following[0].begins > IN_FORCE:
        raise RuleError(f"{code}: effective: the law asks for this rule since {IN_FORCE}")
