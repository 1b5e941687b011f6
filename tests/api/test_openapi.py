"""What the API says of itself: the OpenAPI document, the catalogue of refusals, and no failure anywhere."""

import re
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from server.problems import CATALOGUE, TYPE, Problem
from tests.api.conftest import Town

PAGE = Path(__file__).parents[2] / "docs" / "problems.md"
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
REVIEWS = ("approve", "return", "reject", "unreject", "accept", "repair")
ENDPOINTS = {
    ("post", "/api/v1/sync"),
    ("post", "/api/v1/sync/pull"),
    ("post", "/api/v1/sync/status"),
    ("get", "/api/v1/sync/config"),
    ("post", "/api/v1/entities/search"),
    ("get", "/api/v1/entities/{kind}/{ident}"),
    ("get", "/api/v1/entities/{kind}/{ident}/history"),
    ("post", "/api/v1/entities/{kind}/{ident}/correct"),
    ("post", "/api/v1/entities/{kind}/{ident}/delete"),
    ("post", "/api/v1/entities/{kind}/{ident}/restore"),
    ("get", "/api/v1/conflicts"),
    ("get", "/api/v1/conflicts/{ident}"),
    ("post", "/api/v1/conflicts/{ident}/resolve"),
    ("get", "/api/v1/submissions"),
    ("get", "/api/v1/submissions/{ident}"),
    ("post", "/api/v1/submissions/acts"),
    *(("post", f"/api/v1/submissions/{{ident}}/{act}") for act in REVIEWS),
    ("get", "/api/v1/lists"),
    ("post", "/api/v1/lists"),
    ("post", "/api/v1/lists/preview"),
    ("get", "/api/v1/lists/{number}"),
    ("get", "/api/v1/escalations"),
    ("get", "/api/v1/lists/{number}/xlsx"),
    ("post", "/api/v1/lists/{number}/reissue"),
    ("get", "/api/v1/visits"),
    ("post", "/api/v1/visits"),
    ("get", "/api/v1/visits/load"),
    ("get", "/api/v1/visits/summary"),
    *(("post", f"/api/v1/visits/{{ident}}/{act}") for act in ("reassign", "snooze", "cancel", "resume")),
    ("get", "/api/v1/devices"),
    ("post", "/api/v1/devices/token"),
    ("post", "/api/v1/devices/wiped"),
    ("post", "/api/v1/devices/{ident}/revoke"),
    ("get", "/api/v1/devices/{ident}/holding"),
    ("get", "/api/v1/holding"),
    ("post", "/api/v1/enrolments"),
    ("post", "/api/v1/password"),
    ("post", "/api/v1/media"),
    ("get", "/api/v1/media/{sha256}"),
    ("patch", "/api/v1/media/uploads/{ident}"),
}
OPEN = {("post", "/api/v1/devices"), ("post", "/api/v1/login")}  # a code or a password is enough
ENDPOINTS |= OPEN


def _document(town: Town) -> dict[str, Any]:
    answer = town.app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def _operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    methods = ("get", "post", "put", "patch", "delete")
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in methods
    }


def test_the_document_names_every_endpoint(town: Town) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in town.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    operations = _operations(_document(town))
    assert set(operations) == routes
    assert routes >= ENDPOINTS
    for operation in operations.values():
        assert operation["summary"]
        assert {"200", "201", "204"} & set(operation["responses"])


def test_the_document_is_valid(town: Town) -> None:
    document = _document(town)
    assert document["openapi"] == "3.1.0"
    schema = schemathesis.openapi.from_dict(document)
    schema.validate()
    for found in re.findall(r'"\$ref":"#/([^"]+)"', town.app.json.dumps(document, separators=(",", ":"))):
        node: Any = document
        for part in found.split("/"):
            node = node[part]
        assert node
    for name, component in document["components"]["schemas"].items():
        Draft202012Validator(component | {"components": document["components"]})
        assert component["type"] == "object", name


def test_every_operation_names_a_way_to_authenticate_that_is_described(town: Town) -> None:
    document = _document(town)
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"] == {"type": "http", "scheme": "bearer"}
    for key, operation in _operations(document).items():
        assert operation["security"] == ([{}, {"token": []}] if key in OPEN else [{"token": []}])
        assert {name for way in operation["security"] for name in way} <= set(schemes)


def test_answers_are_what_the_document_says(town: Town) -> None:
    document = _document(town)
    for body in (town.post(b'{"v":1,"items":[{}]}').get_json(), town.get("/api/v1/sync/config").get_json()):
        name = "PushAnswer" if "receipts" in body else "Config"
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        Draft202012Validator(schema).validate(body)


parts = st.text(max_size=20) | st.sampled_from(["child", "household", "%00", "..", "Đ", "' or 1=1", "x" * 400])
methods = st.sampled_from(["get", "post", "put", "delete", "patch", "head", "options"])
bodies = st.binary(max_size=80) | st.sampled_from([b"", b"{}", b"[]", b'{"ids":["\\u0000","\\ud800"]}', b'{"v":1}'])


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(st.data())
def test_no_endpoint_fails_whatever_is_asked(town: Town, data: st.DataObject) -> None:
    _, path = data.draw(st.sampled_from(sorted(ENDPOINTS)))
    for name in re.findall(r"{\w+}", path):
        path = path.replace(name, data.draw(parts))
    user = data.draw(st.sampled_from(sorted(town.tokens)))
    headers = {"Authorization": f"Bearer {town.tokens[user]}", "Content-Type": "application/json"}
    method, body = data.draw(methods), data.draw(bodies)
    answer = town.app.test_client().open(path, method=method.upper(), data=body, headers=headers)
    assert answer.status_code < 500, (method, path, body)
    if answer.status_code >= 400 and method != "head":
        assert answer.content_type == "application/problem+json"
        problem = answer.get_json()
        assert CATALOGUE[problem["code"]].status == problem["status"] == answer.status_code


def test_every_refusal_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {code: (int(status), title) for code, status, title, _ in rows} == {
        code: (kind.status, kind.title) for code, kind in CATALOGUE.items()
    }
    assert [code for code, *_ in rows] == list(CATALOGUE)
    assert all(len(advice) > 15 for *_, advice in rows)


def test_a_refusal_is_a_problem_document(town: Town) -> None:
    with town.app.app_context():
        for code, kind in CATALOGUE.items():
            answer = Problem(code, "vì sao", limits={"max_items": 1}).response()
            assert answer.content_type == "application/problem+json"
            assert answer.get_json() == {
                "type": TYPE + code,
                "title": kind.title,
                "status": kind.status,
                "code": code,
                "detail": "vì sao",
                "limits": {"max_items": 1},
            }
