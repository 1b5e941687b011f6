"""Batches with anything in them: never a failure, never a lost byte, never a good item spoiled by a bad one."""

import json
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.builders import in_xml, new_id, register, visit
from tests.api.conftest import Town

CHILD = "7b0c6a52-31f4-4c5e-8f0e-0d7a3c9d1e55"
NAME = "Thạch Sô Phia"
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]

texts = st.text(max_size=12) | st.sampled_from(
    ["", "\x00", "\ud800", "Ð", "0-", "1-0123456789", "2025-02-30", "x" * 300, "__id", "uuid:1", "9" * 30, CHILD]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=5
)

# Not shrunk: each example is a request, and shrinking one takes minutes.
PATIENT = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=CHECKS,
    phases=(Phase.explicit, Phase.generate),
)


@PATIENT
@given(st.data())
def test_a_batch_of_mutated_items(town: Town, data: st.DataObject) -> None:
    child = new_id()
    items = []
    for _ in range(data.draw(st.integers(1, 3))):
        value = _good(town, child, data)
        for _ in range(data.draw(st.integers(1, 3))):
            value = _mutated(value, data)
        items.append(value)
    good = register(new_id(), {child: NAME})
    where = data.draw(st.integers(0, len(items)))
    items.insert(where, good)
    raws = [json.dumps(value).encode() for value in items]
    answer = town.post(b'{"v":1,"items":[' + b",".join(raws) + b"]}")
    assert answer.status_code == 200, answer.text
    receipts = answer.get_json()["receipts"]
    assert len(receipts) == len(raws)
    stored = town.stored()
    for raw, receipt in zip(raws, receipts, strict=True):
        assert stored[receipt.get("kept_as", receipt["id"])] == raw
        assert (receipt["outcome"] == "quarantined") == ("reason" in receipt)
        assert receipt["outcome"] != "quarantined" or receipt["problems"]
    assert receipts[where]["outcome"] == "applied", receipts[where]


@PATIENT
@given(st.binary(max_size=60), st.integers(0, 400), st.integers(0, 60))
def test_a_body_with_bytes_overwritten(town: Town, noise: bytes, at: int, cut: int) -> None:
    body = json.dumps({"v": 1, "items": [register(CHILD, {})]}, ensure_ascii=False).encode()
    answer = town.post(body[:at] + noise + body[at + cut :])
    assert answer.status_code in (200, 400, 413), answer.text
    if answer.status_code == 400:
        assert answer.get_json()["code"] in ("bad_json", "bad_envelope")


def _good(town: Town, child: str, data: st.DataObject) -> dict[str, Any]:
    """A registration, or a visit to the child that the good item registers; some of them as XML."""
    home = new_id()
    entity = {"dataset": "household", "id": home, "create": "1"}
    value = register(home, {new_id(): NAME})
    if data.draw(st.booleans()):
        entity = {"dataset": "child", "id": child, "update": "1", "baseVersion": "1"}
        value = visit(child, NAME, "1-0123456789", seen={"full_name": NAME, "risk_now": "0"})
    if data.draw(st.integers(0, 3)) == 0:
        form = next(form for form in town.nest.catalogue.current() if form.id == value["form"])
        value = in_xml(form, value, entity)
    return value


def _mutated(value: Any, data: st.DataObject) -> Any:
    """The same with one part, at any depth, replaced, removed or added."""
    changed = deepcopy(value)
    node = changed
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        inner = [key for key in keys if isinstance(node[key], dict | list) and node[key]]
        if not inner or data.draw(st.integers(0, 2)) == 0:
            break
        node = node[data.draw(st.sampled_from(inner))]
    if isinstance(node, dict) and data.draw(st.integers(0, 3)) == 0:
        node[data.draw(texts)] = data.draw(values)
    elif keys and data.draw(st.integers(0, 4)) == 0:
        del node[data.draw(st.sampled_from(keys))]
    elif keys:
        node[data.draw(st.sampled_from(keys))] = data.draw(values)
    return changed
