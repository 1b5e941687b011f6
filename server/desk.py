"""The supervisor's desk as the shell runs it: from a request to an order, carried out in the committer's queue."""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from server.clock import now
from server.problems import Problem
from server.reading.words import choices
from server.world import Nest, current_nest
from sync.desk import quarantine, reviews, rulings
from sync.desk.orders import Order, Refused
from sync.desk.session import Desk, Perform, perform
from sync.receive import Unsettled
from sync.state.model import Act

PERFORM: Mapping[Act, Perform] = {
    Act.CORRECT: rulings.correct,
    Act.DELETE: rulings.delete,
    Act.RESTORE: rulings.restore,
    Act.RESOLVE: rulings.resolve,
    Act.APPROVE: reviews.approve,
    Act.RETURN: reviews.return_,
    Act.REJECT: reviews.reject,
    Act.UNREJECT: reviews.unreject,
    Act.ACCEPT: quarantine.accept,
    Act.REPAIR: quarantine.repair,
}


def desk_of(nest: Nest) -> Desk:
    """What acts need of this server."""
    codes: dict[str, set[str]] = {}
    for name, code in choices():
        codes.setdefault(name, set()).add(code)
    return Desk(nest.store, nest.world, nest.reader, {name: frozenset(known) for name, known in codes.items()})


def order_of(act: Act, by: str, at: int, body: Mapping[str, Any], **about: Any) -> Order:
    """The order that a request makes; its bytes are kept like those of any submission.

    A client that may have to send it again gives it an `id` of its own.
    """
    said = {"act": act.value, "by": by, **{k: v for k, v in about.items() if v is not None}, **body}
    ident = body.get("id") or f"uuid:{uuid.uuid4()}"
    raw = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    known = {name: body[name] for name in ("base", "choice", "question", "halves") if body.get(name) is not None}
    return Order(
        id=ident,
        act=act,
        by=by,
        at=at,
        reason=(body.get("reason") or body.get("comment") or "").strip(),
        values=body.get("values") or {},
        seen=tuple(body.get("seen") or ()),
        patch=body.get("patch") or {},
        sha256=hashlib.sha256(raw).hexdigest(),
        raw=raw,
        **known,
        **about,
    )


def carry_out(order: Order, entities: Iterable[str] = ()) -> dict[str, Any]:
    """Carry out an order between two batches. Raises the problem for which it was refused."""
    nest = current_nest()
    subs = [order.target] if order.target else []
    return _answered(lambda: perform(desk_of(nest), order, PERFORM[order.act], entities, subs), nest)


def carry_out_one(act: Act, user: str, ident: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """An act on one of many submissions: what is refused says why, and does not hold up the others."""
    try:
        return carry_out(order_of(act, user, now(), body, target=ident))
    except Problem as problem:
        return {"target": ident, "code": problem.code, "detail": problem.detail or problem.title} | problem.extra


def _answered(work: Callable[[], dict[str, Any]], nest: Nest) -> dict[str, Any]:
    try:
        done: dict[str, Any] = nest.committer.run(work)
    except Refused as refused:
        raise Problem(refused.code, refused.detail, **refused.extra) from refused
    except Unsettled as error:
        raise Problem("busy") from error
    return done
