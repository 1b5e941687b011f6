"""What happened to an entity, the latest first: submissions, visits, decisions of officers; every word on a cell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from forms.entity_types import PropertyType
from server.reading.logs import Log
from server.reading.profile import Source, cell_label, sources_of
from server.reading.words import Words
from server.store.reads import Reads
from server.store.rows import unpack
from server.store.tables import Submission, SubmissionMedium, SubmissionState, db
from server.world import Nest
from sync.state.model import Act
from sync.times import local_date
from sync.visits.plan import Visit, VisitState

FILLED = (Act.VISIT, Act.DELETE)


@dataclass(frozen=True)
class Event:
    """One thing that happened. `kind` is an act, or `planned_<state>` of a visit; `at` in ms.

    `what` is the form's title or the rule's name, `note` a reason or comment, `state` that of the submission.
    """

    at: int
    kind: str
    what: str
    who: str
    note: str
    state: str
    sub: str
    files: int
    visit: Visit | None = None


@dataclass(frozen=True)
class Word:
    """One write on a cell, with its fate."""

    words: Sequence[tuple[str, str]]
    source: Source
    received: int
    fate: str
    late: bool
    suspect: bool


def story(nest: Nest, words: Words, log: Log, visits: Sequence[Visit]) -> list[Event]:
    """Everything, the latest first. The number of statements does not depend on how much there is."""
    sources, subs = sources_of(nest, words, log), list(log.ops)
    acts = [sub for sub in subs if log.ops[sub].op.act not in FILLED]
    reasons, states, files = _reasons(acts), _states(subs), _files(subs)
    events = [
        Event(
            at=row.op.t,
            kind=row.op.act.value,
            what=sources[sub].form,
            who=sources[sub].author,
            note=reasons.get(sub) or states.get(sub, ("", ""))[1],
            state=states.get(sub, ("", ""))[0],
            sub=sub,
            files=files[sub],
        )
        for sub, row in log.ops.items()
    ]
    events += [_planned(words, visit) for visit in visits]
    return sorted(events, key=lambda one: (-one.at, one.kind, one.sub))


def _planned(words: Words, visit: Visit) -> Event:
    name, why = words.rule(visit.rule, visit.subject_type)
    at = visit.due_at if visit.state is VisitState.OPEN else visit.start_at
    kind = f"planned_{visit.state.value}"
    language = words.language
    return Event(at, kind, name.get(language) or name["vi"], "", why.get(language) or "", "", visit.id, 0, visit)


def _reasons(subs: Sequence[str]) -> dict[str, str]:
    """What officers gave as reasons, by act."""
    rows = db.session.execute(select(Submission.id, Submission.raw).where(Submission.id.in_(sorted(subs))))
    found = {}
    for row in rows:
        try:
            said = orjson.loads(unpack(row.raw))
        except orjson.JSONDecodeError:
            continue
        found[row.id] = str(said.get("reason") or said.get("comment") or "")
    return found


def _states(subs: Sequence[str]) -> dict[str, tuple[str, str]]:
    names = SubmissionState.sub, SubmissionState.state, SubmissionState.comment
    rows = db.session.execute(select(*names).where(SubmissionState.sub.in_(sorted(subs))))
    return {row.sub: (row.state, row.comment or "") for row in rows}


def _files(subs: Sequence[str]) -> Counter[str]:
    rows = db.session.scalars(select(SubmissionMedium.sub).where(SubmissionMedium.sub.in_(sorted(subs))))
    return Counter(rows)


def words_on_cells(nest: Nest, words: Words, log: Log) -> list[tuple[str, list[Word]]]:
    """(label, every write, the latest first) of each cell of which anything was said, in the order of the type."""
    sources, history = sources_of(nest, words, log), log.history()
    found = []
    for name, cell in log.kind.cells.items():
        if name in history and not (cell.placement and cell.members[0].type is PropertyType.REF):
            told = [_word(words, log, sources, one) for one in history[name]]
            found.append((cell_label(words, log, name), told[::-1]))
    return found


def _word(words: Words, log: Log, sources: Mapping[str, Source], one: Mapping[str, Any]) -> Word:
    row = log.ops[one["submission"]]
    return Word(
        words=list(words.cell(log.row.type, one["value"])),
        source=sources[one["submission"]],
        received=row.received,
        fate=one["fate"],
        late=one["late"],
        suspect=one["clock_suspect"],
    )


def visits_by_month(log: Log, months: Sequence[str]) -> list[int]:
    """How many visits were made in each month (`2026-11`)."""
    made = Counter(f"{local_date(row.op.t):%Y-%m}" for row in log.ops.values() if row.op.act is Act.VISIT)
    return [made[month] for month in months]


def visits_about(ident: str) -> list[Visit]:
    """All visits ever planned about an entity."""
    return list(Reads(db.session.connection()).visits([ident]))
