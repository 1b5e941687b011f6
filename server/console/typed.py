"""Results from the paper of a list, line by line, by keyboard alone: at a meeting a hundred of them in one go."""

import re
import uuid
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from server.clock import now
from server.console.lists import readable
from server.console.reader import words_now
from server.console.session import Visitor, planner
from server.problems import CATALOGUE, Problem
from server.reading.lists import list_body, list_line
from server.reading.typed_in import Entry, latest
from server.reminders.typed import Lacking, Saved, Slip, typed
from server.store.tables import ReminderList, db
from server.world import current_nest
from sync.batch import Outcome

TOLD = ("visit_result", "next_step", "next_on", "risk_now", "note")
LONGEST = 500
ID = re.compile(r"uuid:[0-9a-f-]{36}")
BLANK = dict.fromkeys(("line", "made", "id", "amends", *TOLD), "")


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/lists/<number>/results", view_func=results)
    desk.add_url_rule("/lists/<number>/results", view_func=type_in, methods=["POST"])


def results(number: str) -> str:
    """The row to type into, what was typed last, and the lines of the list."""
    me = planner()
    issued = readable(me, number)
    body = list_body(issued, now(), carried=False)
    amended = request.args.get("amends")
    if amended:
        entry = next((one for one in latest(issued, amended) if one.sub == amended), None)
        if entry is None:
            raise Problem("not_found")
        return _page(me, issued, body, _again(entry))
    made = request.args.get("made", "")
    said = BLANK | {"made": made if _day(made) else me.access.today.isoformat(), "id": f"uuid:{uuid.uuid4()}"}
    return _page(me, issued, body, said | {"line": _next(body, request.args.get("after", ""))})


def _again(entry: Entry) -> dict[str, str]:
    """A row filled in as it was saved, to correct it."""
    said = {"line": str(entry.line), "made": entry.made, "id": f"uuid:{uuid.uuid4()}", "amends": entry.sub}
    return BLANK | said | {name: entry.told.get(name, "") for name in TOLD}


def _next(body: dict[str, Any], after: str) -> str:
    """The first line below that has no result yet, from the top again at the end."""
    last = int(after) if after.isdecimal() and len(after) < 6 else 0
    free = [line["line"] for line in body["lines"] if line["outcome"] in (None, "missed", "not_made", "carried_over")]
    following = [line for line in free if line > last] or free
    return str(following[0]) if following else ""


def _page(me: Visitor, issued: ReminderList, body: dict[str, Any], said: dict[str, str], **more: Any) -> str:
    words = words_now()
    codes = {name: words.options(name) for name in ("visit_result", "next_step", "risk_level")}
    shown: dict[str, Any] = {"lacking": {}, "failure": None} | more
    return render_template(
        "desk/typed.html", me=me, issued=issued, body=body, said=said, codes=codes, latest=latest(issued),
        as_day=date.fromisoformat, **shown,
    )  # fmt: skip


def type_in(number: str) -> Response:
    """Take in one row; then the next. What is missing is said, and nothing that was typed is lost."""
    me = planner()
    issued = readable(me, number)
    said = BLANK | {name: request.form.get(name, "").strip()[:LONGEST] for name in BLANK}
    try:
        about, slip = _slip(issued, said)
        saved = typed(current_nest(), issued, about, slip, me.id, now())
    except Lacking as lacking:
        page = _page(me, issued, list_body(issued, now(), carried=False), said, lacking=_sentences(lacking))
        return make_response(page, 422)
    except Problem as problem:
        page = _page(me, issued, list_body(issued, now(), carried=False), said, failure=problem)
        return make_response(page, CATALOGUE[problem.code].status)
    db.session.rollback()  # from here on as it stands now
    for text in _told(issued, about, slip, saved):
        flash(text)
    where = url_for("desk.results", number=number, after=slip.line, made=slip.made.isoformat())
    return make_response(redirect(where))


def _slip(issued: ReminderList, said: dict[str, str]) -> tuple[dict[str, Any], Slip]:
    """The line of the list, and what was typed for it. Raises `Lacking`, and the problem `invalid`."""
    line = said["line"]
    about = list_line(issued, int(line), now()) if line.isdecimal() and len(line) < 6 else None
    made = _day(said["made"])
    lacking = [("line", "")] if about is None else []
    lacking += [("visit_date", "")] if made is None else []
    lacking += [] if said["visit_result"] else [("visit_result", "")]
    if about is None or made is None or lacking:
        raise Lacking(lacking)
    amends = said["amends"] or None
    entries = {one.sub: one for one in latest(issued, amends)} if amends else {}
    if not ID.fullmatch(said["id"]) or (amends and amends not in entries):
        raise Problem("invalid", _("Hãy tải lại trang rồi nhập lại dòng này."))
    told = {name: said[name] for name in TOLD if said[name]}
    return about, Slip(said["id"], about["line"], made, told, amends)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _sentences(lacking: Lacking) -> dict[str, str]:
    """What to say at each input; a question that the row has no input for is named by itself."""
    words = {
        "line": _("Danh sách không có dòng này."),
        "visit_date": _("Ngày đến phải là một ngày, không sau hôm nay."),
        "visit_result": _("Cần mã kết quả, xem bảng mã."),
        "next_step": _("Đã gặp thì cần mã bước tiếp theo."),
        "next_on": _("Hẹn đến lại thì cần ngày hẹn, không trước ngày đến."),
        "risk_now": _("Đã gặp trẻ thì cần mã nguy cơ."),
    }
    return {name: words.get(name) or f"{name}: {why}" for name, why in lacking.problems}


def _told(issued: ReminderList, about: dict[str, Any], slip: Slip, saved: Saved) -> list[str]:
    """What to say of it: that it is saved, and if it does not do the visits of its line, why not."""
    told = [_("Đã lưu dòng %(line)s.", line=slip.line)]
    if saved.outcome in (Outcome.QUARANTINED.value, Outcome.STORED.value):
        return [*told, _("Phiếu được giữ lại cho cán bộ xem; kết quả chưa tính.")]
    met = slip.told["visit_result"] in ("1", "2")
    after = list_line(issued, about["line"], now()) if met else None
    if after is not None and after["outcome"] != "done":
        told.append(_("Còn việc của dòng này chưa xong: việc ấy cần một phiếu khác, điền trên điện thoại."))
    return told
