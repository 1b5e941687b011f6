"""Conflicts: what waits for a decision, one household or child at a time; what was decided; what rules overruled."""

from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from server.api.desk_schemas import ReasonedSchema, ResolveSchema
from server.clock import now
from server.console.conflict_form import OTHER, inputs_of, said_in
from server.console.reader import areas_of, loaded, words_now
from server.console.session import Visitor, supervisor
from server.desk import carry_out, order_of
from server.problems import CATALOGUE, Problem
from server.reading.conflict_case import case_of, decides, open_ids
from server.reading.conflict_lists import counts, decided_page, next_open, open_page, overruled_page
from server.reading.conflict_parts import Case, Question
from server.reading.conflicts import conflict_row
from server.store.tables import ConflictTable, db
from server.world import current_nest
from sync.state.model import DELETED, Act

TABS = ("waiting", "moves", "decided", "rules")
MOST_PAGES = 10_000


@dataclass(frozen=True)
class Attempt:
    """A decision that was refused: of which conflict, why, where (a pointer), and what had been typed and seen."""

    conflict: str
    problem: Problem | None = None
    pointer: str = ""
    reason: str = ""
    choice: str = ""
    typed: dict[str, Any] | None = None
    seen: frozenset[str] = field(default_factory=frozenset)

    @property
    def sentence(self) -> str:
        assert self.problem is not None
        return self.problem.detail or _(CATALOGUE[self.problem.code].title)


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/conflicts", view_func=conflicts)
    desk.add_url_rule("/conflicts/<ident>", view_func=conflict)
    desk.add_url_rule("/conflicts/<ident>", view_func=decide, methods=["POST"])
    desk.add_url_rule("/conflicts/<ident>/reopen", view_func=reopen, methods=["POST"])


def conflicts() -> str:
    """The lists."""
    me = supervisor()
    areas, area = areas_of(me, request.args.get("area"))
    tab = request.args.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    number = min(max(request.args.get("page", 0, int), 0), MOST_PAGES)
    nest, words = current_nest(), words_now()
    if tab == "decided":
        page = decided_page(nest, words, areas, number)
    elif tab == "rules":
        page = overruled_page(nest, words, areas, now(), number)
    else:
        page = open_page(nest, words, areas, tab == "moves", number)
    waiting, moves = counts(nest, areas)
    return render_template(
        "desk/conflicts.html",
        me=me,
        area=area,
        tab=tab,
        page=page,
        number=number,
        counts={"waiting": waiting, "moves": moves},
    )


def conflict(ident: str) -> Response:
    """Everything that is in doubt about an entity, the conflict asked for first; or how one was decided."""
    me = supervisor()
    return _page(me, _readable(me, ident))


def decide(ident: str) -> Response:
    """A decision; then the next conflict."""
    me = supervisor()
    row = _readable(me, ident)
    case = case_of(current_nest(), words_now(), me.access, row).first(ident)
    asked = case.closed or case.questions[0]
    body, attempt = _body(asked)
    try:
        _resolve(me, row, body)
    except Problem as problem:
        if problem.code == "not_found":
            raise
        pointer = str(problem.extra.get("pointer", ""))
        return _page(me, row, Attempt(**{**vars(attempt), "problem": problem, "pointer": pointer}))
    return _onwards(me, case, asked)


def _body(asked: Question) -> tuple[dict[str, Any], Attempt]:
    """The request as the API takes it, and what to show again if it is refused."""
    form = request.form
    choice, reason, seen = form.get("choice", ""), form.get("reason", "").strip(), form.getlist("seen")
    body: dict[str, Any] = {"seen": seen, "reason": reason}
    typed = said_in(form, asked) if choice == OTHER or asked.cell is None else None
    if typed is not None and choice:
        body["value"] = typed
    elif choice:
        body["choice"] = choice
    return body, Attempt(asked.id, reason=reason, choice=choice, typed=typed, seen=frozenset(seen))


def _resolve(me: Visitor, row: ConflictTable, body: dict[str, Any]) -> None:
    """As the API does. Raises the problem for which it is refused."""
    if "value" not in body and "choice" not in body:
        raise Problem("invalid", _("Hãy chọn một giá trị."), pointer="/choice")
    if not body["reason"]:
        raise Problem("reason_needed", pointer="/reason")
    if not row.open:
        raise Problem("stale")
    said = loaded(ResolveSchema(), body)
    values = {"values": said["value"]} if said.get("value") is not None else {}
    order = order_of(Act.RESOLVE, me.id, now(), said | values, conflict=row.id, entity=row.entity)
    carry_out(order, [row.entity])
    db.session.rollback()  # from here on as it stands now


def _onwards(me: Visitor, case: Case, asked: Question) -> Response:
    done = Markup('{} <a href="{}">{}</a>').format(
        _("Đã quyết định."), url_for("desk.conflict", ident=asked.id), _("Xem lại quyết định")
    )
    if case.readable:
        page = url_for("desk.entity", kind=_page_kind(case), ident=case.subject)
        done += Markup(' · <a href="{}">{}</a>').format(page, _("Mở hồ sơ"))
    following = next_open(current_nest(), me.access.areas, case.entity, asked.move)
    if following is None:
        flash(done + Markup(" ") + _("Không còn mâu thuẫn nào trong mục này."))
        return make_response(redirect(url_for("desk.conflicts", tab="moves" if asked.move else None)))
    flash(done + Markup(" ") + _("Dưới đây là mâu thuẫn tiếp theo."))
    return make_response(redirect(url_for("desk.conflict", ident=following)))


def reopen(ident: str) -> Response:
    """Take a decision back: it is a submission, and rejecting it opens the conflict again."""
    me = supervisor()
    row = _readable(me, ident)
    reason = request.form.get("reason", "").strip()
    attempt = Attempt(ident, reason=reason)
    try:
        ruling = case_of(current_nest(), words_now(), me.access, row).ruling
        if ruling is None or not ruling.reopens:
            raise Problem("cannot_apply", _("Mâu thuẫn này không mở lại được."))
        if not reason:
            raise Problem("reason_needed", pointer="/reason")
        body = loaded(ReasonedSchema(), {"reason": reason})
        carry_out(order_of(Act.REJECT, me.id, now(), body, target=ruling.sub))
    except Problem as problem:
        pointer = str(problem.extra.get("pointer", ""))
        return _page(me, row, Attempt(**{**vars(attempt), "problem": problem, "pointer": pointer}))
    flash(_("Đã mở lại. Quyết định trước không còn hiệu lực; hãy quyết định lại."))
    db.session.rollback()  # from here on as it stands now
    still = open_ids(me.access, row.entity)
    following = ident if ident in still else (still or [ident])[0]
    return make_response(redirect(url_for("desk.conflict", ident=following)))


def _page(me: Visitor, row: ConflictTable, attempt: Attempt | None = None) -> Response:
    """The page; after a refusal with what was typed, and with what is new if others were faster."""
    db.session.rollback()  # what stands now, not what stood when the request began
    row = _readable(me, row.id)
    nest, words = current_nest(), words_now()
    case = case_of(nest, words, me.access, _instead(me, row) if attempt else row)
    case = case.first(_asked(case, row, attempt))
    if attempt is not None and case.questions and case.questions[0].id != attempt.conflict:
        attempt = Attempt(**{**vars(attempt), "conflict": case.questions[0].id})
    typed = {attempt.conflict: attempt.typed} if attempt else {}
    inputs = {one.id: inputs_of(nest, words, one, me.access.areas, typed.get(one.id)) for one in case.questions}
    text = render_template(
        "desk/conflict.html", me=me, case=case, inputs=inputs, attempt=attempt, another=OTHER, kind=_page_kind(case),
        others=[one for one in open_ids(me.access, row.entity) if one != row.id] if case.closed else [],
    )  # fmt: skip
    status = CATALOGUE[attempt.problem.code].status if attempt and attempt.problem else 200
    return make_response(text, status)


def _instead(me: Visitor, row: ConflictTable) -> ConflictTable:
    """The open conflict about the same thing, where the one that was decided is no longer there."""
    if row.open:
        return row
    again = [conflict_row(one) for one in open_ids(me.access, row.entity)]
    return next((one for one in again if one is not None and one.cell == row.cell), row)


def _asked(case: Case, row: ConflictTable, attempt: Attempt | None) -> str:
    if attempt is None or any(one.id == row.id for one in case.questions):
        return row.id
    name, _sep, key = row.cell.partition("/")
    cells = {(one.cell.name if one.cell else DELETED, one.key): one.id for one in case.questions}
    return cells.get((name, key), row.id)


def _page_kind(case: Case) -> str:
    return "child" if case.type == "child_protected" else case.type


def _readable(me: Visitor, ident: str) -> ConflictTable:
    row = conflict_row(ident)
    if row is None or not decides(me.access, row):
        raise Problem("not_found")
    return row
