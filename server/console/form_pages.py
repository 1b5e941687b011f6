"""The forms: versions, what differs, the questions in order; publishing, rolling back and withdrawing. No answers."""

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from forms.catalogue import Catalogue, Publication, load_catalogue
from forms.changes import changes
from forms.form import Form, FormError
from forms.outline import Texts
from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console import form_words
from server.console.jobs import acting
from server.console.session import Visitor, administrator
from server.problems import CATALOGUE, Problem
from server.publishing.desk import by_one, put_by, try_publish, unlike, waiting, workbook, writable
from server.publishing.publish import Report, following, rollback, set_state
from server.reading.forms import Asked, asked, counted, versions
from server.sheets import TYPE
from server.world import current_nest
from sync.ports import AuditRow


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/forms", view_func=forms)
    desk.add_url_rule("/forms/check", view_func=check_form, methods=["POST"])
    desk.add_url_rule("/forms/publish", view_func=publish_form, methods=["POST"])
    desk.add_url_rule("/forms/<form_id>", view_func=form)
    desk.add_url_rule("/forms/<form_id>/<any(withdraw, restore, rollback):act>", view_func=act_on, methods=["POST"])
    desk.add_url_rule("/forms/<form_id>/<version>/<any(xml, xlsx):kind>", view_func=form_file)


def forms() -> str:
    """Every form with its versions."""
    return _page(administrator())


def _page(me: Visitor, failure: Problem | None = None) -> str:
    nest = current_nest()
    found = versions(nest.catalogue, counted())
    return render_template("desk/forms.html", me=me, forms=found, failure=failure, **_state())


def _state() -> dict[str, Any]:
    """Whether anything may be published here, and what waits for a restart."""
    nest = current_nest()
    root = nest.settings.forms
    return {"root": root, "writable": writable(root), "waiting": unlike(nest.catalogue, root), "told": form_words}


def form(form_id: str) -> str:
    """One form: its versions, the questions of one, and what is different between two."""
    me = administrator()
    return _form_page(me, form_id)


def _form_page(me: Visitor, form_id: str, problems: list[str] | None = None) -> str:
    catalogue = current_nest().catalogue
    known = versions(catalogue, counted()).get(form_id)
    if known is None:
        raise Problem("not_found")
    shown = _version(catalogue, form_id, request.args.get("version") or known[0].form.version)
    before = request.args.get("before")
    old = _version(catalogue, form_id, before) if before else None
    told = form_words.different(changes(old, shown, catalogue.types, catalogue.lifts), (old, shown)) if old else None
    return render_template(
        "desk/form.html", me=me, versions=known, shown=shown, old=old, different=told,
        questions=_sections(catalogue, shown), problems=list(form_words.problems(problems or ())),
        **_state(),
    )  # fmt: skip


def _sections(catalogue: Catalogue, shown: Form) -> list[tuple[tuple[Texts, ...], list[Asked]]]:
    """(headings, rows) as they follow each other."""
    rows = asked(catalogue, shown, str(get_locale()))
    return [(path, list(some)) for path, some in groupby(rows, key=lambda one: one.path)]


def _version(catalogue: Catalogue, form_id: str, version: str) -> Form:
    entry = catalogue.find(form_id, version)
    if entry is None:
        raise Problem("not_found")
    return entry.form


def form_file(form_id: str, version: str, kind: str) -> Response:
    """A version as phones have it (XForm), or its sheets as a workbook that may be changed."""
    administrator()
    found = _version(current_nest().catalogue, form_id, version)
    if kind == "xml":
        response = Response(found.xml, content_type="application/xml; charset=utf-8")
    else:
        body = workbook(current_nest().settings.forms, found)
        if body is None:
            raise Problem("not_found")
        response = Response(body, content_type=TYPE)
    response.headers["Content-Disposition"] = f"attachment; filename={form_id}-{version}.{kind}"
    return response


def check_form() -> Response:
    """Look at a workbook: what is wrong, what would be different. Nothing is published yet."""
    me, nest = administrator(), current_nest()
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise Problem("invalid", _("Chưa chọn tệp."))
        sha256 = put_by(nest.settings.data, file.read())
    except ValueError:
        problem = Problem("invalid", _("Tệp không phải Excel (.xlsx), hoặc quá lớn sau khi giải nén."))
        return make_response(_page(me, problem), CATALOGUE[problem.code].status)
    except Problem as problem:
        return make_response(_page(me, problem), CATALOGUE[problem.code].status)
    return _checked(me, sha256, _try(me, sha256, dry_run=True))


def publish_form() -> Response:
    """Publish the workbook that was looked at; it is checked once more."""
    me, sha256 = administrator(), request.form.get("sha256", "")
    _may_write()
    report = _try(me, sha256, dry_run=False)
    if report.form is None:
        return _checked(me, sha256, report)
    new = report.form
    before = current_nest().catalogue.current_of(new.id)
    _note(me, "publish_form", new.id, {"version": new.version, "was": before.version if before else None})
    flash(_("Đã công bố %(form)s bản %(version)s. Máy chủ dùng bản này từ lần khởi động lại.", form=new.id,
            version=new.version))  # fmt: skip
    return make_response(redirect(url_for("desk.forms")))


def _try(me: Visitor, sha256: str, dry_run: bool) -> Report:
    nest = current_nest()
    path = waiting(nest.settings.data, sha256)
    if path is None:
        raise Problem("not_found", _("Tệp này không còn chờ ở đây. Hãy chọn lại tệp."))
    today, root = me.access.today.isoformat(), nest.settings.forms
    return by_one(nest.settings.data, lambda: try_publish(root, path, today, dry_run))


def _checked(me: Visitor, sha256: str, report: Report) -> Response:
    text = render_template(
        "desk/form_check.html", me=me, sha256=sha256, problems=list(form_words.problems(report.problems)),
        notes=list(form_words.problems(report.notes)), heading=report.diff[0] if report.diff else "",
        different=form_words.different(report.diff, current_nest().catalogue.current()), **_state(),
    )  # fmt: skip
    return make_response(text, 422 if report.problems else 200)


def act_on(form_id: str, act: str) -> Response:
    """Withdraw a version, offer it again, or make an earlier one current under a new number."""
    me, nest, version = administrator(), current_nest(), request.form.get("version", "")
    _may_write()
    report, root, today = Report(), nest.settings.forms, me.access.today.isoformat()

    def work() -> Report:
        current = load_catalogue(root).current_of(form_id)
        if current is None:
            raise Problem("not_found")
        if act == "rollback":
            return rollback(root, form_id, version, following(current.version, today), today)
        state = Publication.WITHDRAWN if act == "withdraw" else Publication.PUBLISHED
        refused = set_state(root, form_id, version, state)
        return Report([refused] if refused else [])

    try:
        report = by_one(nest.settings.data, work)
    except FormError as error:
        report.problems.append(str(error))
    if report.problems:
        return make_response(_form_page(me, form_id, report.problems), 422)
    made = report.form.version if report.form is not None else version
    _note(me, f"{act}_form", form_id, {"version": made, "was": version if made != version else None})
    flash(_("Đã ghi: %(form)s bản %(version)s. Máy chủ làm theo từ lần khởi động lại.", form=form_id, version=made))
    return make_response(redirect(url_for("desk.form", form_id=form_id)))


def _may_write() -> None:
    if not writable(current_nest().settings.forms):
        raise Problem("cannot_apply", _("Máy chủ không được ghi vào thư mục biểu mẫu (TOAM_FORMS)."))


def _note(me: Visitor, act: str, form_id: str, detail: dict[str, Any]) -> None:
    row = AuditRow(acting(me), now(), me.id, act, form_id, detail=detail)
    write(lambda tx: append(tx.connection, [row], tx.areas), [row.area])
