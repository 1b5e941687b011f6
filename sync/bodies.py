"""The page of an entity: its whole state as a phone keeps it, made when the state changes and served as stored."""

from collections.abc import Mapping
from typing import Any

import orjson

from sync.ports import EntityRow
from sync.state.model import State


def entity_body(row: EntityRow, state: State) -> bytes:
    """The JSON of an entity in a page: {type, id, revision, etag, scope, data, src, conflicts}.

    In `data` a set is its codes joined by spaces, a series its latest entry. `src` lists for each submission that
    shows anything the cells that it shows.
    """
    sources: dict[str, list[str]] = {}
    for cell, sub in row.src.items():
        sources.setdefault(sub, []).append(cell)
    doubts = sorted(state.conflicts, key=lambda one: one.id)
    body = {
        "type": row.type,
        "id": row.id,
        "revision": row.rev,
        "etag": f"{row.rev}-{row.etag}",
        "scope": row.scope,
        "data": flat(row.data),
        "src": [[sub, sorted(cells)] for sub, cells in sorted(sources.items())],
        "conflicts": [{"id": one.id, "cell": one.cell} for one in doubts],
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def doubts_of(page: bytes) -> frozenset[str]:
    """The cells in which a stored page tells of an open conflict."""
    doubts = orjson.loads(page)["conflicts"] if page else ()
    return frozenset(one["cell"].partition("/")[0] for one in doubts)


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Merged properties as a phone shows them: sets as a form writes them, codes joined by spaces."""
    return {name: " ".join(value) if _codes(value) else value for name, value in data.items()}


def _codes(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(code, str) for code in value)
