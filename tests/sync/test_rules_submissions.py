"""What becomes of whole submissions, by example: amended, rejected, repaired, deleted."""

from dataclasses import replace
from typing import Any

import pytest

from sync.state.model import Act, NoticeKind, Op, Standing, State
from tests.sync.types import CHILD, about, extract, members, merged, notices, op, ruling

CREATE = op(
    "c",
    0,
    {"full_name": "Nguyễn Thị Lan", "phone": "0912345678", "phone_owner": "mẹ", "school": "Tiểu học Kim Đồng"},
    creates=True,
)
VISIT = op("v", 10, {"phone": "0900000001", "school": "Tiểu học Lê Lợi"}, saw="c")


def amended(sub: str, t: int, before: Op = VISIT, **more: Any) -> Op:
    """The author mends an earlier submission, on the screen that it was filled on."""
    said = {**before.said, **more.pop("said", {})}
    return replace(before, sub=sub, t=t, said=said, amends=before.sub, **more)


def standing(state: State, cell: str) -> dict[str, str]:
    """op -> why it stands no longer, of one cell."""
    return {entry.op: entry.gone or "" for entry in state.cells[cell].entries if entry.op != "c"}


# --- amendments ---------------------------------------------------------------------------------------------------


def test_an_amendment_that_changes_only_the_phone_keeps_the_school() -> None:
    state = merged(CHILD, CREATE, VISIT, amended("w", 50, said={"phone": "0900000009"}))
    assert (state.data["phone"], state.data["school"]) == ("0900000009", "Tiểu học Lê Lợi")
    assert standing(state, "contact") == {"v": "amended", "w": ""}
    assert standing(state, "school") == {"v": "", "w": "amended"}
    assert not state.notices


def test_it_keeps_the_school_also_if_another_person_changed_it_in_between() -> None:
    other = op("x", 20, {"school": "THCS An Bình"}, saw="cv", author="Anh Tư")
    state = merged(CHILD, CREATE, VISIT, other, amended("w", 50, said={"phone": "0900000009"}))
    assert (state.data["phone"], state.data["school"]) == ("0900000009", "THCS An Bình")
    assert not state.notices


def test_an_amendment_knows_what_the_amended_one_knew_and_has_its_time() -> None:
    other = op("x", 20, {"phone": "0900000002"}, saw="cv", author="Anh Tư")
    state = merged(CHILD, CREATE, VISIT, other, amended("w", 50, said={"phone": "0900000009"}))
    assert state.data["phone"] == "0900000002"  # observed after the visit, whenever that was amended
    entry = next(entry for entry in state.cells["contact"].entries if entry.op == "w")
    assert (entry.t, sorted(entry.knew)) == (10, ["c", "v"])
    assert notices(state) == {("w", "x", NoticeKind.OVERRULED)}


def test_an_amendment_that_states_another_visit_date_is_of_that_date() -> None:
    other = op("x", 20, {"phone": "0900000002"}, saw="c", author="Anh Tư")
    visit = replace(VISIT, day="2026-11-01")
    later = amended("w", 30, visit, said={"phone": "0900000009"}, day="2026-11-03", late=True)
    state = merged(CHILD, CREATE, visit, other, later)
    assert state.data["phone"] == "0900000009"
    assert next(e for e in state.cells["contact"].entries if e.op == "w").t == 30
    again = amended("y", 90, later, said={"phone": "0900000008"}, late=False)
    entry = next(e for e in merged(CHILD, CREATE, visit, other, later, again).cells["contact"].entries if e.op == "y")
    assert (entry.t, entry.late) == (30, True)


def test_an_amendment_that_takes_an_answer_back_lets_what_was_there_before_stand() -> None:
    back = amended("w", 50, said={"phone": "0912345678"})
    state = merged(CHILD, CREATE, VISIT, back)
    assert (state.data["phone"], state.data["school"]) == ("0912345678", "Tiểu học Lê Lợi")
    assert state.cells["contact"].current.op == "c"
    blank = merged(CHILD, CREATE, VISIT, amended("w", 50, said={"phone": None}))
    assert "phone" not in blank.data and blank.data["phone_owner"] == "mẹ"


def test_an_amendment_that_no_longer_asks_withdraws() -> None:
    unasked = replace(VISIT, sub="w", said={"school": "Tiểu học Lê Lợi"}, amends="v")
    state = merged(CHILD, CREATE, VISIT, unasked)
    assert (state.data["phone"], state.data["school"]) == ("0912345678", "Tiểu học Lê Lợi")


def test_in_a_chain_of_amendments_the_last_that_answered_otherwise_speaks() -> None:
    one = amended("w", 50, said={"phone": "0900000009"})
    two = amended("x", 60, one, said={"school": "THCS An Bình"})
    state = merged(CHILD, CREATE, VISIT, one, two)
    assert (state.data["phone"], state.data["school"]) == ("0900000009", "THCS An Bình")
    assert standing(state, "contact") == {"v": "amended", "w": "", "x": "amended"}
    assert standing(state, "school") == {"v": "amended", "w": "amended", "x": ""}


def test_an_amendment_of_a_missing_or_rejected_submission_is_one_of_its_own() -> None:
    change = amended("w", 50, said={"phone": "0900000009"})
    alone = merged(CHILD, CREATE, change)
    assert (alone.data["phone"], alone.data["school"]) == ("0900000009", "Tiểu học Lê Lợi")
    assert alone.cells["school"].current.t == 50
    rejected = merged(CHILD, CREATE, VISIT, change, about(Act.REJECT, "v", "r", 60, saw="cvw"))
    assert rejected.data == alone.data
    assert standing(rejected, "school") == {"v": "rejected", "w": ""}
    unrejected = about(Act.UNREJECT, "v", "u", 70, saw="cvwr")
    given_back = merged(CHILD, CREATE, VISIT, change, about(Act.REJECT, "v", "r", 60, saw="cvw"), unrejected)
    assert given_back.data == merged(CHILD, CREATE, VISIT, change).data
    assert standing(given_back, "school") == {"v": "", "w": "amended"}


def test_a_rejected_amendment_gives_the_word_back_to_what_it_amended() -> None:
    change = amended("w", 50, said={"phone": "0900000009"})
    state = merged(CHILD, CREATE, VISIT, change, about(Act.REJECT, "w", "r", 60, saw="cvw"))
    assert state.data == merged(CHILD, CREATE, VISIT).data


def test_two_amendments_of_one_submission_the_greater_id_stands() -> None:
    less, more = amended("w", 90, said={"phone": "0900000007"}), amended("x", 20, said={"phone": "0900000008"})
    state = merged(CHILD, CREATE, VISIT, less, more)
    assert state.data["phone"] == "0900000008"
    assert standing(state, "contact") == {"v": "amended", "w": "amended", "x": ""}
    assert standing(state, "school") == {"v": "", "w": "amended", "x": "amended"}


def test_members_of_a_circle_of_amendments_all_stand() -> None:
    a, b = (replace(VISIT, sub=sub, amends=other, said={"phone": f"090000000{sub == 'b':d}"})
            for sub, other in (("a", "b"), ("b", "a")))  # fmt: skip
    state = merged(CHILD, CREATE, a, b)
    assert standing(state, "contact") == {"a": "", "b": ""}
    after = amended("x", 50, b, said={"phone": "0900000007"})
    assert standing(merged(CHILD, CREATE, a, b, after), "contact") == {"a": "", "b": "amended", "x": ""}
    itself = replace(VISIT, amends="v")
    assert standing(merged(CHILD, CREATE, itself), "contact") == {"v": ""}


def test_nobody_amends_what_another_person_sent() -> None:
    foreign = amended("w", 50, said={"phone": "0900000009"}, author="Anh Tư")
    assert standing(merged(CHILD, CREATE, VISIT, foreign), "contact") == {"v": "", "w": ""}


def test_the_phone_of_who_amended_shows_what_he_says_now_also_where_that_is_no_write() -> None:
    back = amended("w", 50, said={"phone": "0912345678"})
    other = op("x", 20, {"phone": "0900000002"}, saw="cv", author="Anh Tư")
    later = op("y", 60, {"phone": "0912345678", "school": "Tiểu học Lê Lợi"}, saw="cvx", after=("w",))
    extraction = extract(CHILD, CREATE, VISIT, other, back, later)
    assert extraction.screen("y")["phone"] == "0912345678"
    assert extraction.writes()["y"] == {}
    assert extraction.state().data["phone"] == "0900000002"


# --- acts ---------------------------------------------------------------------------------------------------------


def test_rejecting_withdraws_that_submission_and_what_was_below_shows_again() -> None:
    other = op("x", 20, {"school": "THCS An Bình"}, saw="cv", author="Anh Tư")
    reject = about(Act.REJECT, "v", "r", 30, saw="cvx")
    state = merged(CHILD, CREATE, VISIT, other, reject)
    assert (state.data["phone"], state.data["school"]) == ("0912345678", "THCS An Bình")
    assert standing(state, "contact") == {"v": "rejected"}
    assert state.verdicts["v"].act is Act.REJECT
    back = merged(CHILD, CREATE, VISIT, other, reject, about(Act.UNREJECT, "v", "u", 40, saw="cvxr"))
    assert back.data == merged(CHILD, CREATE, VISIT, other).data


def test_what_was_rejected_still_counts_for_the_time_of_those_who_saw_it() -> None:
    fast, slow = replace(VISIT, t=900), op("x", 20, {"phone": "0900000002"}, saw="cv", author="Anh Tư")
    state = merged(CHILD, CREATE, fast, slow, about(Act.REJECT, "v", "r", 950, saw="cvx"))
    assert state.cells["contact"].current.eff == 901
    stranger = op("s", 800, {"phone": "0900000003"}, saw="c", author="Chị Út")
    assert merged(CHILD, CREATE, fast, slow, stranger, about(Act.REJECT, "v", "r", 950, saw="cvx")).data["phone"] == (
        "0900000002"
    )


def test_a_cell_of_which_nothing_stands_is_empty_and_its_past_is_kept() -> None:
    grade = op("v", 10, {"grade": 4, "school": None}, saw="", loaded=())
    state = merged(CHILD, grade, about(Act.REJECT, "v", "r", 30, saw="v"))
    assert "school" not in state.cells
    assert [(entry.op, entry.gone) for entry in state.past["school"]] == [("v", "rejected")]


def test_a_repair_is_read_instead_of_what_was_sent_with_its_authors_authority() -> None:
    repair = about(Act.REPAIR, "v", "r", 30, "cv", {"phone": "0900000005", "school": "Tiểu học Lê Lợi"})
    state = merged(CHILD, CREATE, VISIT, repair)
    assert state.data["phone"] == "0900000005"
    entry = state.cells["contact"].current
    assert (entry.op, entry.t, entry.rules) == ("v", 10, False)
    assert extract(CHILD, CREATE, VISIT, repair).writes()["r"] == {}
    since = op("x", 20, {"phone": "0900000002"}, saw="cv", author="Anh Tư")
    assert merged(CHILD, CREATE, VISIT, repair, since).data["phone"] == "0900000002"


def test_an_amendment_of_a_repaired_submission_is_compared_with_what_was_sent() -> None:
    repair = about(Act.REPAIR, "v", "r", 30, "cv", {"phone": "0900000005", "school": "Tiểu học Lê Lợi"})
    alike = merged(CHILD, CREATE, VISIT, repair, amended("w", 50, said={"school": "THCS An Bình"}))
    assert (alike.data["phone"], alike.data["school"]) == ("0900000005", "THCS An Bình")
    differs = merged(CHILD, CREATE, VISIT, repair, amended("w", 50, said={"phone": "0900000006"}))
    assert differs.data["phone"] == "0900000006"
    of_amendment = about(Act.REPAIR, "w", "r", 60, "cvw", {"phone": "0900000004", "school": "Tiểu học Lê Lợi"})
    patched = merged(CHILD, CREATE, VISIT, amended("w", 50), of_amendment)
    assert patched.data["phone"] == "0900000004"


@pytest.mark.parametrize(
    ("acts", "counts"),
    [
        ((Act.REJECT, Act.UNREJECT), Act.UNREJECT),
        ((Act.REJECT, Act.ACCEPT), Act.ACCEPT),
        ((Act.REJECT, Act.REPAIR), Act.REPAIR),
        ((Act.UNREJECT, Act.ACCEPT), Act.ACCEPT),
        ((Act.ACCEPT, Act.REPAIR), Act.REPAIR),
    ],
)
def test_of_two_acts_made_without_knowing_of_each_other_the_stronger_counts(
    acts: tuple[Act, Act], counts: Act
) -> None:
    patch = {"phone": "0900000005"}
    one, other = (about(act, "v", f"a{n}", 90 - n, "cv", patch) for n, act in enumerate(acts))
    verdict = merged(CHILD, CREATE, VISIT, one, other).verdicts["v"]
    assert (verdict.act, verdict.by, verdict.overruled) == (counts, "a1", ("a0",))
    informed = replace(one, snapshot=frozenset({"c", "v", "a1"}))
    verdict = merged(CHILD, CREATE, VISIT, informed, other).verdicts["v"]
    assert (verdict.act, verdict.by, verdict.overruled) == (acts[0], "a0", ())


def test_of_two_equal_acts_the_later_counts_and_nobody_is_overruled() -> None:
    one = about(Act.REPAIR, "v", "a", 40, "cv", {"phone": "0900000005"})
    other = about(Act.REPAIR, "v", "b", 30, "cv", {"phone": "0900000006"})
    state = merged(CHILD, CREATE, VISIT, one, other)
    assert state.data["phone"] == "0900000005"
    assert state.verdicts["v"].overruled == ()


def test_giving_back_a_rejected_repair_gives_back_the_patch() -> None:
    repair = about(Act.REPAIR, "v", "p", 30, "cv", {"phone": "0900000005"})
    reject, back = about(Act.REJECT, "v", "r", 40, "cvp"), about(Act.UNREJECT, "v", "u", 50, "cvpr")
    assert merged(CHILD, CREATE, VISIT, repair, reject).data["phone"] == "0912345678"
    assert merged(CHILD, CREATE, VISIT, repair, reject, back).data["phone"] == "0900000005"
    accepted = about(Act.ACCEPT, "v", "q", 60, "cvpru")
    assert merged(CHILD, CREATE, VISIT, repair, reject, back, accepted).data["phone"] == "0900000001"


def test_an_act_of_somebody_without_authority_is_nothing() -> None:
    reject = replace(about(Act.REJECT, "v", "r", 30, "cv"), standing=Standing.AUTHOR)
    state = merged(CHILD, CREATE, VISIT, reject)
    assert not state.verdicts and state.data["phone"] == "0900000001"


def test_two_acts_that_claim_to_have_seen_each_other_replace_nobody() -> None:
    reject, accept = about(Act.REJECT, "v", "r", 30, "cvq"), about(Act.ACCEPT, "v", "q", 20, "cvr")
    verdict = merged(CHILD, CREATE, VISIT, reject, accept).verdicts["v"]
    assert (verdict.by, verdict.overruled) == ("q", ("r",))


# --- deletion -----------------------------------------------------------------------------------------------------


def deleted(sub: str, t: int, saw: str, act: Act = Act.DELETE, supervisor: bool = True) -> Op:
    standing_ = Standing.SUPERVISOR if supervisor else Standing.AUTHOR
    return op(sub, t, saw=saw, act=act, standing=standing_, author="cán bộ" if supervisor else "Chị Út")


def test_a_supervisor_deletes_what_he_has_seen() -> None:
    life = merged(CHILD, CREATE, VISIT, deleted("d", 30, "cv")).life
    assert (life.dead, life.conflict, life.by) == (True, None, "d")


def test_an_unseen_edit_keeps_the_entity_alive_and_asks() -> None:
    state = merged(CHILD, CREATE, VISIT, deleted("d", 30, "c"))
    assert not state.life.dead
    assert members(state) == {"$delete": ("d", "v")}
    later = op("x", 40, {"school": "THCS An Bình"}, saw="cvd", author="Anh Tư")
    assert members(merged(CHILD, CREATE, VISIT, deleted("d", 30, "cv"), later)) == {"$delete": ("d", "x")}


def test_a_form_that_wrote_nothing_or_was_rejected_keeps_nobody_alive() -> None:
    nothing = op("x", 40, {"phone": "0900000001"}, saw="cvd", author="Anh Tư")
    assert merged(CHILD, CREATE, VISIT, deleted("d", 30, "cv"), nothing).life.dead
    reject = about(Act.REJECT, "v", "r", 50, "cvd")
    assert merged(CHILD, CREATE, VISIT, deleted("d", 30, "c"), reject).life.dead


def test_a_collaborator_only_asks_to_delete() -> None:
    asked = deleted("d", 30, "cv", supervisor=False)
    state = merged(CHILD, CREATE, VISIT, asked)
    assert not state.life.dead
    assert members(state) == {"$delete": ("d",)}
    granted = ruling("r", 40, {"$delete": True}, "cvd")
    assert merged(CHILD, CREATE, VISIT, asked, granted).life.dead
    refused = merged(CHILD, CREATE, VISIT, asked, ruling("r", 40, {"$delete": False}, "cvd"))
    assert (refused.life.dead, refused.conflicts) == (False, ())


def test_a_restore_gives_back_what_was_deleted_if_it_knew_of_that() -> None:
    death = deleted("d", 30, "cv")
    assert not merged(CHILD, CREATE, VISIT, death, deleted("b", 40, "cvd", Act.RESTORE)).life.dead
    assert merged(CHILD, CREATE, VISIT, death, deleted("b", 40, "cvd", Act.RESTORE)).conflicts == ()
    unseen = merged(CHILD, CREATE, VISIT, death, deleted("b", 40, "cv", Act.RESTORE))
    assert members(unseen) == {"$delete": ("b", "d")}
    again = deleted("e", 50, "cvdb")
    assert merged(CHILD, CREATE, VISIT, death, deleted("b", 40, "cvd", Act.RESTORE), again).life.dead


def test_a_rejected_deletion_deletes_nobody() -> None:
    assert not merged(CHILD, CREATE, deleted("d", 30, "c"), about(Act.REJECT, "d", "r", 40, "cd")).life.dead
