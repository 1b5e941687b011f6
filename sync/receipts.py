"""What a phone is told for good: the receipt of a submission, over what its author may read at that moment."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from forms.entity_types import EntityType
from forms.schema import Problem, discreet, unprotected
from sync.arrival import Arrival
from sync.batch import Outcome, Reason
from sync.facts import Facts, to_json
from sync.ports import SubmissionRow
from sync.thing import Thing


def receipt_of(thing: Thing, sub: str) -> dict[str, Any]:
    """What became of a submission on one entity that its author may read."""
    state, row = thing.settle(), thing.row
    assert row is not None
    return {
        "type": thing.kind.name,
        "id": thing.id,
        "revision": row.rev,
        "etag": f"{row.rev}-{row.etag}",
        "overruled": sorted({notice.cell for notice in state.notices if notice.op == sub}),
        "conflicts": sorted(conflict.id for conflict in state.conflicts if sub in conflict.members),
    }


def _receipt(
    arrival: Arrival,
    ident: str,
    outcome: Outcome,
    reason: Reason | None,
    entities: Sequence[Mapping[str, Any]],
    warnings: Sequence[str],
    problems: Sequence[Problem],
    missing: Collection[str],
    types: Mapping[str, EntityType],
) -> dict[str, Any]:
    """What the phone hears, discreetly."""
    heard = unprotected(arrival.checks, arrival.form, types)
    receipt: dict[str, Any] = {
        "id": arrival.id,
        "outcome": outcome.value,
        "repeat": False,
        "entities": list(entities),
        "missing_media": sorted(missing),
        "warnings": sorted({*warnings, *(check.code for check in heard)}),
        "checks": [_problem(check) for check in heard],
        "problems": [_problem(p) for p in discreet(problems, arrival.form, types)],
    }
    if reason is not None:
        receipt["reason"] = reason.value
    if ident != arrival.id:
        receipt["kept_as"] = ident
    return receipt


def submission_row(
    arrival: Arrival,
    facts: Facts,
    ident: str,
    area: str,
    outcome: Outcome,
    reason: Reason | None,
    entities: Sequence[Mapping[str, Any]],
    warnings: Sequence[str],
    problems: Sequence[Problem],
    missing: Collection[str],
    types: Mapping[str, EntityType],
) -> SubmissionRow:
    """The row of a submission with its receipt. Officers keep every problem and check, the phone hears discreetly.

    `missing` are the files, by their content, that it names and that have not arrived yet.
    """
    item = arrival.item
    receipt = _receipt(arrival, ident, outcome, reason, entities, warnings, problems, missing, types)
    kept = to_json(facts)
    for name, those in (("problems", problems), ("checks", arrival.checks)):
        if those:
            kept[name] = [_problem(one) for one in those]
    if arrival.amends:
        kept["amends"] = arrival.amends
    return SubmissionRow(
        id=ident,
        area=area,
        sha256=arrival.sha256,
        device=arrival.sender.device,
        author=arrival.author,
        seq=item.seq if item else None,
        form=item.form if item else "",
        form_version=item.version if item else "",
        kind=item.kind if item else "",
        dialect=arrival.dialect,
        raw=arrival.raw,
        observed_at=arrival.observed if item else None,
        received_at=facts.received,
        outcome=outcome.value,
        reason=reason.value if reason else None,
        receipt=receipt,
        facts=kept,
    )


def _problem(problem: Problem) -> dict[str, Any]:
    told: dict[str, Any] = {"code": problem.code, "pointer": problem.pointer, "detail": problem.detail}
    return told | ({"candidates": list(problem.candidates)} if problem.candidates else {})
