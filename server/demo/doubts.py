"""What a demonstration should show beside peaceful data: a conflict, and a batch to push by hand."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

from server.clock import now
from server.demo.commune import AREA
from server.demo.protection import SECRET
from server.store.rows import unpack
from server.store.tables import Entity, OpTable, Submission, db
from server.world import Nest
from sync.arrival import Sender
from sync.envelope import RawItem
from sync.receive import receive
from sync.times import DAY, iso, local_date

MINUTE = 60_000
MOST = 2_000  # children that are looked at


@dataclass(frozen=True)
class Pick:
    """A child of the demonstration, with the answers of the last visit to it."""

    entity: Entity
    author: str
    answers: dict[str, Any]


def quarrel(nest: Nest, senders: Mapping[str, Sender]) -> str:
    """Two phones give one child different names, neither having seen the other; returns the child's id."""
    pick = _pick(skip=set(), schooled=False)
    family, _, given = pick.answers["full_name"].rpartition(" ")
    names = {"u21": f"{family} Ngọc {given}", pick.author: f"{family} Bảo {given}"}
    for author, name in names.items():
        answers = _today(pick.answers) | {"full_name": name}
        item = _item(nest, pick.entity, f"uuid:demo-quarrel-{author}", author, answers, minutes=90)
        _push(nest, senders[author], item)
    return str(pick.entity.id)


def sample(nest: Nest, senders: Mapping[str, Sender], quarrelled: str) -> dict[str, str]:
    """A batch that says a child has left school, made before somebody else wrote down a new phone number.

    Pushing it leaves both changes standing, and a visit becomes due.
    """
    pick = _pick(skip={quarrelled}, schooled=True)
    gone = {
        "school_status": "3",
        "dropout_reason": "1",
        "dropout_date": local_date(now() - 9 * DAY).isoformat(),
    }
    school = ("school_level", "grade", "school_name")
    answers = {name: value for name, value in _today(pick.answers).items() if name not in school}
    item = _item(nest, pick.entity, "uuid:demo-sample-0001", pick.author, answers | gone, minutes=40)
    phoned = _today(pick.answers) | {"caregiver_phone": "0300000117"}
    _push(nest, senders["u21"], _item(nest, pick.entity, "uuid:demo-phone-0001", "u21", phoned, minutes=60))
    batch = orjson.dumps({"v": 1, "app": "curl", "items": [item]})
    digest = base64.b64encode(hashlib.sha256(batch).digest()).decode()
    return {
        "batch": batch.decode(),
        "digest": f"sha-256=:{digest}:",
        "token_user": pick.author,
        "child": str(pick.entity.id),
    }


def _pick(skip: set[str], schooled: bool) -> Pick:
    """A child with one visit so far, aged 8 to 13, at school if wanted, with a caregiver's phone."""
    db.session.rollback()
    eldest, youngest = _years_ago(13), _years_ago(8)
    children = select(Entity).where(Entity.type == "child", Entity.dob > eldest, Entity.dob < youngest)
    here = children.where(Entity.area == AREA).order_by(Entity.id).limit(MOST)
    for entity in db.session.scalars(here):
        data = orjson.loads(entity.data)
        if entity.id in skip or (schooled and data.get("school_status") != "1"):
            continue
        query = select(Submission).join(OpTable, OpTable.sub == Submission.id)
        query = query.where(OpTable.entity == entity.id, Submission.form == "child_situation")
        last = db.session.scalars(query.order_by(OpTable.arrived.desc())).first()
        if last is None or "caregiver_phone" not in data:
            continue
        answers = orjson.loads(unpack(last.raw))["answers"]
        if answers["visit_result"] == "1" and not answers.get("imm_doses"):
            return Pick(entity, last.author, answers)
    raise LookupError("the demonstration has no child to show this on")


def _years_ago(years: int) -> str:
    today = local_date(now())
    return date(today.year - years, 1, 1).isoformat()


def _today(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The same answers again, as a form prefilled with them would send today; no injuries or notes anew."""
    once = ("injuries", "note", "child_wish", "support_received", "weight_kg", "height_cm", "measure_date")
    kept = {name: value for name, value in answers.items() if name not in (*once, *SECRET)}
    return kept | {"visit_date": local_date(now()).isoformat(), "new_injuries": "0"}


def _item(
    nest: Nest, entity: Entity, ident: str, author: str, answers: Mapping[str, Any], minutes: int
) -> dict[str, Any]:
    claim = {
        "type": "child",
        "id": entity.id,
        "base": f"{entity.rev}-{entity.etag}",
        "seen": orjson.loads(entity.data),
    }
    version = next(f.version for f in nest.catalogue.current() if f.id == "child_situation")
    return {
        "id": ident,
        "form": "child_situation",
        "version": version,
        "author": author,
        "kind": "visit",
        "observed_at": iso(now() - minutes * MINUTE),
        "answers": answers,
        "entities": [claim],
    }


def _push(nest: Nest, sender: Sender, item: Mapping[str, Any]) -> None:
    raw = RawItem(orjson.dumps(item), dict(item), None)
    receive([nest.reader.read(raw, sender, None, now())], nest.store, nest.world, now())
