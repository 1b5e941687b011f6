"""Every example of a request in the OpenAPI document is sent to a server, and does what it is there for."""

from typing import Any

import orjson
import pytest
from sqlalchemy import update

from server.auth.codes import code_digest
from server.auth.enrolment import invite
from server.auth.passwords import set_password
from server.clock import now
from server.store.tables import Enrolment, db
from tests.api.access import cheap
from tests.api.conftest import Town

__all__ = ["cheap"]
BY = {"/api/v1/handovers": "s1", "/api/v1/devices/{ident}/revoke": "a1", "/api/v1/enrolments": "a1"}
BY |= {"/api/v1/lists": "c1", "/api/v1/lists/preview": "c1"}  # all others: a collaborator
NO_EXAMPLE = {
    "conflicts",
    "submissions",
    "entities",
    "visits",
}  # what they name is only there in a story: see tests/docs


def _examples(town: Town) -> dict[str, Any]:
    document = town.app.test_client().get("/api/v1/openapi.json").get_json()
    found = {}
    for path, item in document["paths"].items():
        content = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        if content and path.split("/")[3] not in NO_EXAMPLE and "{number}" not in path:
            found[path] = content["example"]
    return found


@pytest.mark.usefixtures("cheap")
def test_every_example_works(town: Town) -> None:
    examples = _examples(town)
    assert len(examples) == 11
    with town.app.app_context():
        code = invite("u2", "a1", 7, now()).code
        db.session.rollback()  # a session that has read before that code was made cannot change it
        known = code_digest(examples["/api/v1/devices"]["code"])
        db.session.execute(update(Enrolment).where(Enrolment.sha256 == code_digest(code)).values(sha256=known))
        db.session.commit()
        set_password("u1", examples["/api/v1/login"]["password"], now(), None)
    for path, body in sorted(examples.items(), key=lambda one: ("revoke" in one[0], one[0])):
        user = BY.get(path, "u1")
        where = path.replace("{ident}", town.devices["u9"])
        answer = town.post(orjson.dumps(body), user, where)
        assert answer.status_code in (200, 201, 204), (path, answer.text)
