"""The use case of a supervisor's acts: each is a submission in the same log, reversible, and none edits bytes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from forms.property_values import Codes
from sync.batch import Outcome
from sync.desk.orders import Order, Refused
from sync.facts import Facts, to_json
from sync.follow import follow
from sync.ports import AuditRow, Changes, OpRow, Store, SubmissionRow, Transaction
from sync.reading import Reader
from sync.receive import World, transact
from sync.standing import rejudge
from sync.state.model import Act, Op, Standing
from sync.states import note
from sync.thing import Thing
from sync.times import local_date
from sync.workspace import Workspace


@dataclass(frozen=True)
class Desk:
    """What acts need besides a transaction: how submissions are read, and which codes there are."""

    store: Store
    world: World
    reader: Reader
    codes: Codes


class Session:
    """One act inside its transaction: the workspace, the changes, and the checks that every act shares."""

    def __init__(self, desk: Desk, order: Order, tx: Transaction, ids: Iterable[str], subs: Iterable[str]) -> None:
        self.desk, self.order, self.tx = desk, order, tx
        self.space = Workspace(tx, desk.world.types, ids, subs)
        self.changes = Changes(at=order.at)
        self.author = self.space.authors([order.by])[order.by]
        self.patch: Mapping[str, Any] = order.patch  # of a repair: what is read instead, completed

    def check_area(self, *areas: str) -> None:
        """Refuse unless the supervisor has one of these areas in his charge today; else nothing is found."""
        if not any(self.author.decides(area, self.order.at) for area in areas):
            raise Refused("not_found")

    def thing(self, ident: str) -> Thing:
        """An entity in the supervisor's charge. A protected half is his like its child."""
        found = self.space.find(ident)
        if found is None or found.row is None:
            raise Refused("not_found")
        self.check_area(found.row.area)
        return found

    def act_on(self, thing: Thing, said: Mapping[str, Any], target: str | None = None) -> None:
        """Put the act into the log of an entity, on the state that the supervisor saw."""
        order, base = self.order, self._base(thing)
        op = Op(
            sub=order.id,
            entity=thing.id,
            author=order.by,
            t=order.at,
            said=said,
            snapshot=frozenset(entry.op.sub for entry in thing.log if entry.present_at(base)),
            standing=Standing.SUPERVISOR,
            act=order.act,
            places=self.author.places((self.today,)),
            arrived=order.at * 1000,
            schema=thing.kind.version,
            target=target,
        )
        area = thing.row.area if thing.row else self.author.home(self.today)
        self.space.add(thing, OpRow(op, (), order.at, area, base_rev=base, type=thing.kind.name))

    @property
    def today(self) -> date:
        return local_date(self.order.at)

    def _base(self, thing: Thing) -> int:
        if self.order.base is None:
            return thing.rev
        revision, _, etag = self.order.base.partition("-")
        marks = sorted((m for e in thing.log for m in e.marks), key=lambda mark: mark.rev)
        named = [mark for mark in marks if revision.isdigit() and mark.rev <= int(revision)]
        if not named or named[-1].etag != etag or int(revision) > thing.rev:
            raise Refused("unknown_base")
        return int(revision)

    def judge(self, things: Iterable[Thing]) -> None:
        """Let everything count that counts now."""
        verdicts = rejudge(self.space, [thing.id for thing in things], self.order.at)
        note(self.space, self.changes, verdicts)

    def finish(self, area: str, subject: str, detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Store the act itself, and all that follows from it. Returns what it is answered with."""
        order = self.order
        receipt = {"id": order.id, "outcome": Outcome.APPLIED.value, "act": order.act.value} | dict(detail or {})
        facts = Facts(order.at, order.at * 1000, self.author.places((self.today,)), frozenset(), area, 0, None)
        self.changes.submissions.append(
            SubmissionRow(
                id=order.id,
                area=area,
                sha256=order.sha256,
                device=None,
                author=order.by,
                seq=None,
                form="",
                form_version="",
                kind=order.act.value,
                dialect="desk",
                raw=order.raw,
                observed_at=order.at,
                received_at=order.at,
                outcome=Outcome.APPLIED.value,
                reason=None,
                receipt=receipt,
                facts=to_json(facts) | self._about(subject),
            )
        )
        self.changes.audit.append(AuditRow(area, order.at, order.by, order.act.value, subject, order.id))
        world = self.desk.world
        follow(self.space, self.changes, world.rules, world.calendar, order.at)
        return receipt

    def _about(self, subject: str) -> dict[str, Any]:
        patch = {"patch": dict(self.patch)} if self.patch else {}
        return {"target": self.order.target, "subject": subject, **patch}


Perform = Callable[[Session], dict[str, Any]]


def perform(desk: Desk, order: Order, how: Perform, ids: Iterable[str], subs: Iterable[str]) -> dict[str, Any]:
    """Carry out an order in one transaction. An act that is here already is answered as the first time.

    `ids` and `subs` are the entities and submissions it speaks of. Raises `Refused`.
    """
    if order.act is not Act.APPROVE and not order.reason:
        raise Refused("reason_needed", pointer="/comment" if order.act is Act.RETURN else "/reason")
    entities, submissions = set(ids), set(subs)

    def decide(tx: Transaction) -> tuple[dict[str, Any], Changes]:
        held = tx.held([order.id]).get(order.id)
        if held is not None:
            if held.sha256 != order.sha256:
                raise Refused("id_reuse")
            return {**held.receipt, "repeat": True}, Changes(at=order.at)
        touched = {ident for found in tx.touching(sorted(submissions)).values() for ident in found}
        session = Session(desk, order, tx, entities | touched, submissions)
        return how(session), session.changes

    return transact(desk.store, set(desk.store.areas_of(entities).values()), decide)
