"""The SQLite file of a phone. Each public method that writes is one transaction: it happens whole or not at all.

An entity is *leaving* when the server has taken it away while unsent work is about it: it goes with the receipt.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

Value = dict[str, Any]

KINDS = {"entities": "entity", "visits": "visit", "submissions": "submission", "lists": "list"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS vault (
    user TEXT PRIMARY KEY, token TEXT, expires_at TEXT, ack TEXT, epoch INTEGER, feed TEXT, config TEXT);
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, author TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS archive (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, author TEXT NOT NULL, body TEXT NOT NULL,
    receipt TEXT NOT NULL, keep_until TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS about (
    entity TEXT, sub TEXT, author TEXT NOT NULL, seq INTEGER NOT NULL, contained INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (entity, sub));
CREATE TABLE IF NOT EXISTS thing (
    user TEXT, kind TEXT, id TEXT, scope TEXT, body TEXT NOT NULL,
    doubtful INTEGER NOT NULL DEFAULT 0, leaving INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (user, kind, id));
"""
UNSENT = """EXISTS (SELECT 1 FROM about JOIN outbox ON outbox.id = about.sub
    WHERE about.entity = thing.id AND about.author = thing.user)"""


class Store:
    """The file. Facts of the installation are strings by name; an item's `body` are the very bytes to be sent."""

    def __init__(self, path: str | Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {SCHEMA}")

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """One transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        return self.db.execute(query, values).fetchall()

    def fact(self, name: str, default: str = "") -> str:
        found = self.rows("SELECT value FROM fact WHERE name = ?", name)
        return str(found[0]["value"]) if found else default

    def note(self, **facts: str) -> None:
        with self.whole():
            self._note(**facts)

    # What is filled in

    def put(self, item: Value, entities: Collection[str]) -> None:
        """A form into the outbox, with the next running number; `entities` are all that it is about."""
        with self.whole():
            seq = int(self.fact("seq", "0")) + 1
            self._note(seq=str(seq))
            body = json.dumps(item | {"seq": seq}, ensure_ascii=False, separators=(",", ":"))
            self.db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (seq, item["id"], item["author"], body))
            self._about(item["id"], item["author"], seq, entities)

    def outbox(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM outbox ORDER BY seq")

    def archive(self) -> list[sqlite3.Row]:
        return self.rows("SELECT * FROM archive ORDER BY seq")

    def item(self, ident: str) -> Value | None:
        """A submission that is still on the phone, as it was sent."""
        found = self.rows(
            "SELECT body FROM outbox WHERE id = ? UNION SELECT body FROM archive WHERE id = ?", *[ident] * 2
        )
        return json.loads(found[0]["body"]) if found else None

    def after(self, user: str, entity: str) -> list[str]:
        """The user's submissions about an entity that what is stored of it does not contain yet."""
        query = "SELECT sub FROM about WHERE author = ? AND entity = ? AND contained = 0 ORDER BY seq"
        return [row["sub"] for row in self.rows(query, user, entity)]

    # What an answer told

    def take(self, user: str, sent: Collection[str], answer: Mapping[str, Any]) -> list[Value]:
        """All of one answer: receipts, ack, page and token. Returns the receipts of what was sent."""
        with self.whole():
            receipts = [receipt for receipt in answer.get("receipts", ()) if receipt["id"] in sent]
            for receipt in receipts:
                self._receipt(receipt, answer["keep_until"])
            if "ack" in answer:
                self.db.execute("UPDATE vault SET ack = ? WHERE user = ?", (answer["ack"], user))
            if "page" in answer:
                self._page(user, answer["page"])
            self._let_go()
            self._note(server_time=answer["server_time"])
            if answer.get("device") == "revoked":
                self._note(state="revoked")
        return receipts

    def configure(self, user: str, config: Mapping[str, Any]) -> None:
        with self.whole():
            told = (json.dumps(config, ensure_ascii=False), config["epoch"], user)
            self.db.execute("UPDATE vault SET config = ?, epoch = ? WHERE user = ?", told)
            self._note(limits=json.dumps(config["limits"]))

    def resync(self, user: str, epoch: int | None) -> None:
        """Begin anew: everything that is kept goes out again, and all that is held is doubtful until told again."""
        with self.whole():
            told = "UPDATE vault SET ack = NULL, feed = NULL, epoch = coalesce(?, epoch) WHERE user = ?"
            self.db.execute(told, (epoch, user))
            self.db.execute("UPDATE about SET contained = 0 WHERE sub IN (SELECT id FROM archive)")
            self.db.execute("INSERT INTO outbox SELECT seq, id, author, body FROM archive")
            self.db.execute("DELETE FROM archive")
            self.db.execute("UPDATE thing SET doubtful = 1 WHERE user = ?", (user,))

    def prune(self, now: datetime) -> int:
        """Forget what no restored server would want any more. Returns how much that was."""
        with self.whole():
            old = [row["id"] for row in self.archive() if datetime.fromisoformat(row["keep_until"]) < now]
            for ident in old:
                self.db.execute("DELETE FROM archive WHERE id = ?", (ident,))
                self.db.execute("DELETE FROM about WHERE sub = ? AND contained = 1", (ident,))
        return len(old)

    # Who uses the phone

    def vault(self, user: str) -> sqlite3.Row | None:
        found = self.rows("SELECT * FROM vault WHERE user = ?", user)
        return found[0] if found else None

    def admit(self, user: str, token: str | None, expires_at: str | None = None) -> None:
        """A token for a user, or that he has none any more. What else is stored of him stays."""
        with self.whole():
            query = "INSERT INTO vault (user, token, expires_at) VALUES (?, ?, ?) ON CONFLICT (user) DO UPDATE"
            query += " SET token = excluded.token, expires_at = excluded.expires_at"
            self.db.execute(query, (user, token, expires_at))
            if token:
                self._note(state="")  # if the phone is revoked still, the server says so again

    def tokens(self) -> dict[str, str]:
        return {row["user"]: row["token"] for row in self.rows("SELECT * FROM vault WHERE token IS NOT NULL")}

    def things(self, user: str, kind: str) -> dict[str, Value]:
        found = self.rows("SELECT id, body FROM thing WHERE user = ? AND kind = ? ORDER BY id", user, kind)
        return {row["id"]: json.loads(row["body"]) for row in found}

    def thing(self, user: str, kind: str, ident: str) -> Value | None:
        found = self.rows("SELECT body FROM thing WHERE user = ? AND kind = ? AND id = ?", user, kind, ident)
        return json.loads(found[0]["body"]) if found else None

    def wipe(self) -> bool:
        """Delete everything but the tokens, which are needed once more; not while anything waits to be sent."""
        with self.whole():
            if self.outbox():
                return False
            for table in ("archive", "about", "thing"):
                self.db.execute(f"DELETE FROM {table}")
            self.db.execute("UPDATE vault SET ack = NULL, epoch = NULL, feed = NULL, config = NULL")
            self._note(state="wiped")
        return True

    def forget(self) -> None:
        """The last thing of a wipe."""
        with self.whole():
            self.db.execute("DELETE FROM vault")
            self._note(state="")

    # Parts of a transaction

    def _note(self, **facts: str) -> None:
        self.db.executemany("INSERT OR REPLACE INTO fact VALUES (?, ?)", list(facts.items()))

    def _about(self, sub: str, author: str, seq: int, entities: Collection[str]) -> None:
        rows = [(entity, sub, author, seq) for entity in entities]
        self.db.executemany("INSERT OR IGNORE INTO about (entity, sub, author, seq) VALUES (?, ?, ?, ?)", rows)

    def _receipt(self, receipt: Mapping[str, Any], keep_until: str) -> None:
        """From the outbox into the archive. A receipt also tells which entities were made."""
        (row,) = self.rows("SELECT * FROM outbox WHERE id = ?", receipt["id"])
        made = [entity["id"] for entity in receipt.get("entities", ())]
        self._about(row["id"], row["author"], row["seq"], made)
        kept = (*row, json.dumps(receipt, ensure_ascii=False), keep_until)
        self.db.execute("INSERT INTO archive VALUES (?, ?, ?, ?, ?, ?)", kept)
        self.db.execute("DELETE FROM outbox WHERE id = ?", (row["id"],))

    def _page(self, user: str, page: Mapping[str, Any]) -> None:
        leave = "UPDATE thing SET leaving = 1, doubtful = 0 WHERE user = ?"
        for scope in page["drop_scopes"]:
            self.db.execute(f"{leave} AND scope = ?", (user, scope))
        for gone in page["gone"]:
            self.db.execute(f"{leave} AND kind = ? AND id = ?", (user, gone["kind"], gone["id"]))
        self._let_go()
        for name, kind in KINDS.items():
            self._things(user, kind, page[name])
        if not page["more"]:
            self.db.execute(f"{leave} AND doubtful = 1", (user,))
        self.db.execute("UPDATE vault SET feed = ? WHERE user = ?", (page["token"], user))

    def _things(self, user: str, kind: str, bodies: Sequence[Mapping[str, Any]]) -> None:
        for body in bodies:
            ident = body["number"] if kind == "list" else body["id"]
            row = (user, kind, ident, body.get("scope"), json.dumps(body, ensure_ascii=False))
            self.db.execute("INSERT OR REPLACE INTO thing VALUES (?, ?, ?, ?, ?, 0, 0)", row)
            if kind == "entity":
                told = "UPDATE about SET contained = 1 WHERE author = ? AND entity = ?"
                self.db.execute(f"{told} AND sub NOT IN (SELECT id FROM outbox)", (user, ident))

    def _let_go(self) -> None:
        self.db.execute(f"DELETE FROM thing WHERE leaving = 1 AND NOT (kind = 'entity' AND {UNSENT})")
