"""The desk, whatever it is asked: never a failure, never a lost byte, never a broken chain of the audit."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from server import audit
from server.problems import CATALOGUE
from server.store.tables import db
from tests.api.builders import AREA
from tests.api.conftest import Town
from tests.api.test_desk_rights import BODIES, ON_ENTITIES, WHY, Case
from tests.api.test_faults import both, compiled  # noqa: F401
from tests.store.conftest import (  # noqa: F401
    app,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    postgresql_app,
    sqlite_app,
)

CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
NUL = "a\x00b"

texts = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "\x00",
        "\ud800",
        "Ð",
        "0-",
        "1-0123456789",
        "x" * 2_100,
        "/answers/helmet",
        "/answers/members/0/pid",
        "9" * 30,
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)
members = st.sampled_from(
    [
        "id",
        "reason",
        "comment",
        "question",
        "base",
        "values",
        "value",
        "choice",
        "seen",
        "patch",
        "halves",
        "ids",
        "act",
    ]
)
PATIENT = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=CHECKS,
    phases=(Phase.explicit, Phase.generate),
)


@PATIENT
@given(st.data())
def test_an_act_with_anything_in_it(town: Town, data: st.DataObject) -> None:
    case: Case = vars(town).setdefault("case", None) or Case(town)
    vars(town)["case"] = case
    act = data.draw(st.sampled_from(sorted(BODIES)))
    body, path = case.body(act), case.path(act)
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(members)] = data.draw(values)
    if data.draw(st.integers(0, 4)) == 0:
        path = "submissions/acts"
        body |= {"act": act, "ids": [case.held["id"], case.visits[1]["id"], data.draw(texts)]}
    answer = town.post(_json(body), "s1", f"/api/v1/{path}")
    assert answer.status_code < 500, (path, body, answer.text)
    if answer.status_code >= 400:
        assert CATALOGUE[answer.get_json()["code"]].status == answer.status_code
    stored = town.stored()
    for value in (*case.visits, case.held):
        assert stored[value["id"]] == orjson.dumps(value)
    with town.app.app_context():
        assert audit.verify(db.session.connection()) == []


def _json(body: Any) -> bytes:
    """JSON of anything; lone surrogates escaped, as a hostile client may send them."""
    return json.dumps(body).encode()


@PATIENT
@given(st.data())
def test_a_question_with_anything_in_it(town: Town, data: st.DataObject) -> None:
    query = {
        name: data.draw(texts)
        for name in data.draw(st.sets(st.sampled_from(["area", "state", "after", "limit", "closed"])))
    }
    path = data.draw(st.sampled_from(["conflicts", "submissions"]))
    user = data.draw(st.sampled_from(["s1", "u1", "c1"]))
    try:
        answer = town.app.test_client().get(
            f"/api/v1/{path}", query_string=query, headers={"Authorization": f"Bearer {town.tokens[user]}"}
        )
    except UnicodeEncodeError:
        return  # no client can send it
    assert answer.status_code < 500, (path, query)


@pytest.mark.parametrize(
    "path",
    [
        "entities/child/{}",
        "entities/child/{}/history",
        "entities/{}/x",
        "conflicts/{}",
        "submissions/{}",
        "lists/{}",
        "submissions?after={}",
        "submissions?area={}",
        "conflicts?area={}",
    ],
)
def test_a_name_that_no_database_can_keep_is_not_found(both: Town, path: str) -> None:  # noqa: F811
    answer = both.get("/api/v1/" + path.format("a%00b"), "s1")
    assert answer.status_code in (200, 404, 422), answer.text


def test_an_act_in_words_that_no_database_can_keep_is_refused(both: Town) -> None:  # noqa: F811
    case = Case(both)
    assert both.refusal("sync/status", "u1", ids=[NUL]) == (422, "invalid")
    for act in BODIES:
        body = case.body(act)
        for name in ("id", "reason", "comment", "question", "base", "choice"):
            answer = both.ask(case.path(act), "s1", **{**body, name: NUL})
            assert answer.status_code == 422, (act, name)
    for path in ("entities/child/a%00b/correct", "submissions/a%00b/approve", "conflicts/a%00b/resolve"):
        body = case.body(path.rpartition("/")[2])
        assert both.ask(path, "s1", **body).status_code == 404, path
    assert both.refusal("submissions/acts", "s1", act="approve", ids=[NUL]) == (422, "invalid")
    values = {"full_name": NUL}
    body = case.body("correct") | {"values": values}
    assert both.ask(case.path("correct"), "s1", **body).status_code == 422


def test_the_desk_answers_what_the_document_says(town: Town) -> None:
    case = Case(town)
    document = town.app.test_client().get("/api/v1/openapi.json").get_json()
    asked = {
        "/api/v1/conflicts": "/api/v1/conflicts",
        "/api/v1/conflicts/{ident}": f"/api/v1/conflicts/{case.conflict['id']}",
        "/api/v1/submissions": f"/api/v1/submissions?area={AREA}",
        "/api/v1/submissions/{ident}": f"/api/v1/submissions/{case.held['id']}",
        "/api/v1/entities/{kind}/{ident}": f"/api/v1/entities/child/{case.child}",
        "/api/v1/entities/{kind}/{ident}/history": f"/api/v1/entities/child/{case.child}/history",
    }
    for path, url in asked.items():
        answer = town.get(url, "s1")
        assert answer.status_code == 200
        _check(document, path, "get", answer.get_json())
    _check(document, "/api/v1/sync/status", "post", town.act("sync/status", "u1", ids=[case.held["id"]]))
    for act in BODIES:
        path = (
            f"/api/v1/entities/{{kind}}/{{ident}}/{act}"
            if act in ON_ENTITIES
            else f"/api/v1/submissions/{{ident}}/{act}"
        )
        path = "/api/v1/conflicts/{ident}/resolve" if act == "resolve" else path
        one = Case(town) if act == "resolve" else case
        if act == "resolve":
            one.conflict = town.get("/api/v1/conflicts", "s1").get_json()["conflicts"][-1]
        _check(document, path, "post", town.act(one.path(act), "s1", **one.body(act)))
    many = town.act("submissions/acts", "s1", act="accept", ids=["uuid:x"], reason=WHY)
    _check(document, "/api/v1/submissions/acts", "post", many)


def _check(document: dict[str, Any], path: str, method: str, body: Any) -> None:
    schema = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    strict = orjson.loads(orjson.dumps(document["components"]))  # a member that is not described is a mistake, too
    for component in strict["schemas"].values():
        component.setdefault("additionalProperties", False)
    Draft202012Validator(schema | {"components": strict}).validate(body)
