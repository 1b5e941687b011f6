"""Faults at the door and the desk that other tests would let pass, one example each."""

from tests.api.builders import claim, new_id, register, visit
from tests.api.conftest import Town
from tests.api.test_desk_reviews import NAME, WHY, amended
from tests.api.test_desk_values import disputed
from tests.api.test_outcomes import registered


def test_a_page_of_a_history_that_is_not_ours_counts_as_unknown(town: Town) -> None:
    child, base, _ = registered(town)
    forged = f"{base.partition('-')[0]}-0123456789"
    (receipt,) = town.push([visit(child, NAME, forged, helmet="0")])
    assert "unknown_base" in receipt["warnings"]
    (receipt,) = town.push([visit(child, NAME, base, helmet="0")])
    assert "unknown_base" not in receipt["warnings"]


def test_a_dispute_is_not_decided_on_some_of_its_members(town: Town) -> None:
    child, *_, (one, _two) = disputed(town)
    (conflict,) = town.child(child)["conflicts"]
    body = {"seen": [one], "reason": WHY, "choice": one}
    assert town.refusal(f"conflicts/{conflict['id']}/resolve", "s1", **body) == (409, "stale")
    assert len(town.child(child)["conflicts"]) == 1


def test_an_amendment_that_names_another_child_takes_its_words_from_the_wrong_one(town: Town) -> None:
    home, wrong, right = new_id(), new_id(), new_id()
    receipt = town.apply(register(home, {wrong: "Lê Ngọc Hân", right: "Lê Ngọc Hà"}))
    bases = {entity["id"]: entity["etag"] for entity in receipt["entities"]}
    value = visit(wrong, "Lê Ngọc Hân", bases[wrong], {"full_name": "Lê Ngọc Hân"}, school_status="3", risk_now="3")
    town.apply(value)
    assert town.child(wrong)["data"]["risk_now"] == "3"
    mended = amended(value, child=right, full_name="Lê Ngọc Hà")
    mended["entities"] = [claim("child", right, bases[right], {"full_name": "Lê Ngọc Hà"})]
    town.push([mended])
    assert "risk_now" not in town.child(wrong)["data"]
    assert town.child(right)["data"]["risk_now"] == "3"
