"""Submissions: what waits, one as it was filled in, and what an officer does with it."""

import uuid
from typing import Any

import orjson
from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from server.api.desk_schemas import ActSchema, ReasonedSchema, RejectSchema, RepairSchema, ReturnSchema
from server.api.media import file_answer
from server.clock import now
from server.console.patches import patch_of, wards_of, ways_out
from server.console.reader import areas_of, loaded, words_now
from server.console.session import Visitor, supervisor
from server.desk import carry_out, carry_out_one, order_of
from server.problems import CATALOGUE, Problem
from server.reading.filled import filled
from server.reading.media import file_of
from server.reading.papers import SHELVES, Asked, authors_of, counts, next_waiting, papers
from server.reading.submissions import submission_page
from server.store.people import names_of
from server.store.tables import Device, db
from server.world import current_nest
from sync.state.model import Act

ACTS = {
    "approve": (Act.APPROVE, ActSchema),
    "return": (Act.RETURN, ReturnSchema),
    "reject": (Act.REJECT, RejectSchema),
    "unreject": (Act.UNREJECT, ReasonedSchema),
    "accept": (Act.ACCEPT, ReasonedSchema),
    "repair": (Act.REPAIR, RepairSchema),
}
SAID = ("id", "reason", "comment", "question")


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/submissions", view_func=submissions)
    desk.add_url_rule("/submissions/approve", view_func=approve_many, methods=["POST"])
    desk.add_url_rule("/submissions/<path:ident>", view_func=submission)
    acts = ", ".join(ACTS)
    desk.add_url_rule(f"/submissions/<path:ident>/<any({acts}):act>", view_func=act, methods=["POST"])
    desk.add_url_rule("/files/<sha256>/<path:ident>", view_func=file)


def submissions() -> str:
    """One shelf: waiting, returned, approved, rejected, all."""
    me = supervisor()
    areas, area = areas_of(me, request.args.get("area"))
    asked, after = _asked(), request.args.get("after")
    rows, more = papers(current_nest(), words_now(), areas, asked, after)
    forms = sorted((form.id, form.title) for form in current_nest().catalogue.current())
    return render_template(
        "desk/submissions.html", me=me, papers=rows, more=more, asked=asked, area=area, after=after, forms=forms,
        shelves=SHELVES, counts=counts(areas), authors=authors_of(areas),
    )  # fmt: skip


def _asked() -> Asked:
    shelf = request.values.get("shelf", "waiting")
    form, author = (request.values.get(name) or None for name in ("form", "author"))
    return Asked(shelf if shelf in SHELVES else "waiting", form, author)


def approve_many() -> Response:
    """Approve those that are ticked, each by itself."""
    me = supervisor()
    me.access.desk(None)
    results = [carry_out_one(Act.APPROVE, me.id, one, {}) for one in dict.fromkeys(request.form.getlist("ids")[:200])]
    refused = [one for one in results if "code" in one]
    flash(_("Đã duyệt %(count)s phiếu.", count=len(results) - len(refused)))
    for one in refused[:5]:
        flash(_("Một phiếu không duyệt được: %(why)s", why=_(one["detail"])))
    return make_response(redirect(url_for("desk.submissions", **_filters())))


def _filters() -> dict[str, Any]:
    names = ("shelf", "area", "form", "author")
    return {name: request.values.get(name) or None for name in names}


def submission(ident: str) -> str:
    """One submission, whole."""
    return _page(supervisor(), ident)


def _page(me: Visitor, ident: str, failure: Problem | None = None) -> str:
    nest, words = current_nest(), words_now()
    page = submission_page(nest, me.access, ident)
    if page is None:
        raise Problem("not_found")
    form = filled(nest, words, page)
    device = db.session.get(Device, page["device"]) if page["device"] else None
    held = page["state"] in ("quarantined", "stored", "set_aside")
    return render_template(
        "desk/submission.html", me=me, page=page, form=form, failure=failure, held=held, device=device,
        people=names_of({page["author"]}), raw=_raw(page["answers"]), once=f"uuid:{uuid.uuid4()}",
        types=nest.catalogue.types, reader=words, filters=_filters(),
        section="desk.quarantine" if held else "desk.submissions",
        ways=ways_out(nest, page, form) if held else [], wards=wards_of(nest, page, failure) if held else [],
    )  # fmt: skip


def _raw(answers: Any) -> str:
    """What the phone sent, as text."""
    if isinstance(answers, str):
        return answers
    return orjson.dumps(answers, option=orjson.OPT_INDENT_2).decode()


def act(ident: str, act: str) -> Response:
    """Carry out one act; then the next that waits, as there is an hour a day for hundreds."""
    me, (kind, schema) = supervisor(), ACTS[act]
    said: dict[str, Any] = {name: request.form[name] for name in SAID if request.form.get(name)}
    if act == "reject":
        said["halves"] = request.form.get("halves") == "1"
    try:
        if act == "repair":
            said["patch"] = patch_of(current_nest(), request.form)
        carry_out(order_of(kind, me.id, now(), loaded(schema(), said), target=ident))
    except Problem as problem:
        return make_response(_page(me, ident, problem), CATALOGUE[problem.code].status)
    flash(_done(act, ident))
    if kind in (Act.ACCEPT, Act.REPAIR, Act.UNREJECT):
        return make_response(redirect(url_for("desk.submission", ident=ident)))
    areas, _area = areas_of(me, request.form.get("area"))
    following = next_waiting(areas, _asked(), ident)
    where = url_for("desk.submission", ident=following, **_filters()) if following else url_for("desk.submissions")
    return make_response(redirect(where))


def _done(act: str, ident: str) -> Markup:
    words = {
        "approve": _("Đã duyệt phiếu."),
        "return": _("Đã trả lại phiếu; người lập phiếu nhận được ở lần đồng bộ tới."),
        "reject": _("Đã bác bỏ phiếu; có thể lấy lại."),
        "unreject": _("Đã lấy lại phiếu."),
        "accept": _("Đã nhận phiếu; nội dung đã được áp dụng."),
        "repair": _("Đã đọc phiếu theo câu trả lời đã sửa; bản gốc vẫn giữ nguyên."),
    }
    link = Markup('<a href="{}">{}</a>').format(url_for("desk.submission", ident=ident), _("Xem lại"))
    return escape(words[act]) + " " + link


def file(sha256: str, ident: str) -> Response:
    """A photo or paper that came with a submission, for whoever may see it."""
    me = supervisor()
    found = file_of(current_nest(), me.access, sha256, ident)
    if found is None:
        raise Problem("not_found")
    answer = file_answer(found, sha256)
    if found.type.startswith("image/"):
        answer.headers["Content-Disposition"] = "inline"
    return answer
