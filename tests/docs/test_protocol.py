"""docs/protocol.md keeps its word: each of its examples is sent to a server, in order, as one phone's story."""

import uuid
from pathlib import Path

import orjson

from server.auth.enrolment import invite
from server.clock import now
from server.problems import CATALOGUE
from sync.batch import Outcome
from tests.api.builders import VERSIONS, moment, new_id, registration
from tests.api.conftest import Town, digest
from tests.api.sender import photo, sha256
from tests.docs.examples import Values, examples

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_example_is_answered_as_it_says(town: Town) -> None:
    household, other = new_id(), new_id()
    values = Values(
        {
            "code": _code(town),
            "installation": str(uuid.uuid4()),
            "now": moment(),
            "sub": f"uuid:{uuid.uuid4()}",
            "household": household,
            "registration": registration(household, {}),
            "second": f"uuid:{uuid.uuid4()}",
            "moved": registration(household, {}, members=[], address_line="7, hẻm 5, tổ 2"),
            "third": f"uuid:{uuid.uuid4()}",
            "other": other,
            "another": registration(other, {}),
            "photo": sha256(photo()),
            **VERSIONS,
        }
    )
    found = list(examples(TEXT))
    assert len(found) == TEXT.count("```http") >= 6
    for one in found:
        body = orjson.dumps(values.fill(one.body))
        headers = {"Content-Type": "application/json", "Content-Digest": digest(body)}
        if "token" in values.known:
            headers["Authorization"] = f"Bearer {values.known['token']}"
        answer = town.app.test_client().open(one.path, method=one.method, data=body, headers=headers)
        assert answer.status_code == one.status, answer.text
        assert list(values.differences(one.answer, answer.get_json())) == [], one.path


def _code(town: Town) -> str:
    with town.app.app_context():
        return invite("u1", "a1", 7, now()).code


def test_it_names_every_outcome_and_no_problem_that_does_not_exist() -> None:
    for outcome in Outcome:
        assert f"`{outcome.value}`" in TEXT, outcome
    for code in ("resync", "update_needed", "device_revoked", "token_expired", "bad_digest", "truncated", "bad_json"):
        assert code in CATALOGUE, code
        assert f"`{code}" in TEXT, code
