"""The server's entry point with endpoints to compare with: `POST /bench/bare`, and `/bench/multipart`.

It takes a batch as `/api/v1/sync` does (token, digest, gunzip, each item split off, read and through the gate) and
stores each item by one upsert. Nothing is merged, planned or told to anybody.
"""

from contextlib import ExitStack
from functools import partial

from flask import Response, request

from server.api.body import answer, read_body
from server.app import create_app
from server.auth.tokens import caller
from server.openrosa.multipart import Bounds, read_parts
from server.serve import begin
from server.store.dialects import WRITING, upsert
from server.store.rows import pack
from server.store.tables import db
from server.world import current_nest
from sync.envelope import split
from tests.bench.stored import stored

app = create_app()


@app.post("/bench/bare")
def bare() -> Response:
    who, nest = caller(), current_nest()
    _, items = split(read_body(nest.limits))
    rows = []
    for item in items:
        entry = nest.catalogue.find(item.value["form"], item.value["version"])
        assert entry is not None and entry.gate.load(item.value["answers"]) is not None
        rows.append({"id": item.value["id"], "area": who.user, "raw": pack(item.raw)})
    work = partial(_store, rows)
    nest.committer.run(work) if nest.settings.embedded else work()
    return answer({"receipts": [{"id": row["id"]} for row in rows]})


@app.post("/bench/multipart")
def multipart() -> Response:
    """Of a submission by ODK Collect nothing but its body taken apart."""
    boundary, limits = request.mimetype_params["boundary"], current_nest().limits
    bounds = Bounds(limits.max_inflated, limits.max_blob, limits.max_blob)
    with ExitStack() as holding:
        parts = read_parts(request.stream, boundary, bounds, current_nest().media, holding)
    return Response(status=201 if parts.whole else 400)


def _store(rows: list[dict[str, object]]) -> None:
    with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
        upsert(connection, stored, rows)


with app.app_context():
    engine = db.engine
begin(app)
__all__ = ["app"]
