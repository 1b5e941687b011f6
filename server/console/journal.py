"""The journal, for administrators: found, carried off as a sheet, and proved whole. It names no child."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _

from server.audit import append, verify_part
from server.auth.writing import write
from server.clock import now
from server.console import journal_words
from server.console.jobs import acting
from server.console.running_words import BY
from server.console.session import Visitor, administrator
from server.console.words import moment
from server.reading.journal import Asked, Entry, areas_with_entries, entries, read_cursor
from server.sheets import TYPE, table
from server.store.base import connect
from server.world import current_nest
from sync.authority import UNPLACED
from sync.ports import AuditRow

MOST = 5_000  # rows of a sheet
STEP = 20_000  # entries that one request follows the chain of
NAMED = 20  # broken entries that are named
_WORD = re.compile(r"[!-~]{1,200}")  # ids and codes have neither blanks nor other letters


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/journal", view_func=journal)
    desk.add_url_rule("/journal/sheet", view_func=journal_sheet, methods=["POST"])
    desk.add_url_rule("/journal/check", view_func=check_journal, methods=["POST"])


def journal() -> str:
    """What was done, the newest first. A search is noted, its further pages are not."""
    me = administrator()
    asked, wrong = _asked()
    after = read_cursor(request.args.get("after"))
    if asked.said() and after is None and not wrong:
        _note(me, "search_journal", asked.said())
    found, following = entries(asked, after)
    return _page(me, asked=asked, wrong=wrong, entries=found, following=following, first=after is None)


def journal_sheet() -> Response:
    """The newest of what was found, as a sheet."""
    me = administrator()
    asked, _wrong = _asked()
    found, more = entries(asked, None, MOST)
    _note(me, "export_journal", {**asked.said(), "rows": len(found)})
    title = _("Nhật ký, %(count)s dòng", count=len(found))
    if more:
        title = _("Nhật ký, %(count)s dòng mới nhất; còn nữa, hãy chọn khoảng ngày hẹp hơn", count=len(found))
    columns = [(_("Lúc"), 18), (_("Người"), 12), (_("Tên"), 24), (_("Việc"), 28), (_("Địa bàn"), 24)]
    columns += [(_("Số"), 8), (_("Mã"), 40), (_("Chi tiết"), 40), (_("Dấu nối"), 20)]
    response = Response(table(title, columns, _lines(found)), content_type=TYPE)
    response.headers["Content-Disposition"] = f"attachment; filename=nhat-ky-{me.access.today:%Y%m%d}.xlsx"
    return response


def _lines(found: list[Entry]) -> Iterator[list[str]]:
    for one in found:
        told = "; ".join(journal_words.details(one.detail))
        about = [moment(one.at), one.who, one.name, journal_words.act(one.act), area_name(one.area), str(one.n)]
        yield [*about, one.subject, told, one.sub or ""]


def check_journal() -> Response:
    """Follow the chain of hashes for one step; the page goes on by itself, or by its button."""
    me = administrator()
    area = _word("area")
    after = _after()
    if after is None:
        _note(me, "check_journal", {"area": area} if area else {})
    with connect() as connection:
        found = verify_part(connection, area, after, STEP)
    broken = [*_broken(), *found.broken]
    told = {
        "area": area,
        "checked": _count("checked") + found.entries,
        "wrong": _count("wrong") + len(found.broken),
        "broken": broken[:NAMED],
        "last": found.last,
    }
    if "HX-Request" in request.headers:
        return make_response(render_template("desk/_chain.html", chain=told, area_name=area_name))
    rows, following = entries(Asked(), None)
    return make_response(_page(me, asked=Asked(area=area), entries=rows, following=following, first=True, chain=told))


def _page(me: Visitor, **shown: Any) -> str:
    areas = [(one, area_name(one)) for one in areas_with_entries()]
    shown = {"wrong": [], "chain": None} | shown
    shown |= {"told": journal_words, "places": areas, "area_name": area_name, "most": MOST, "by": BY}
    return render_template("desk/journal.html", me=me, **shown)


def area_name(area: str) -> str:
    """What an area is called."""
    ward = current_nest().places.wards.get(area)
    return _("Chưa thuộc địa bàn nào") if area == UNPLACED else ward.name if ward is not None else area


def _asked() -> tuple[Asked, list[str]]:
    """What is searched for, and the names of the fields that cannot be."""
    wrong, found = list[str](), dict[str, Any]()
    for name in ("act", "who", "area", "subject"):
        found[name] = _word(name)
        if found[name] is None and request.values.get(name, "").strip():
            wrong.append(name)
    for name in ("since", "until"):
        text = request.values.get(name, "").strip()
        try:
            found[name] = date.fromisoformat(text) if text else None
        except ValueError:
            found[name] = None
            wrong.append(name)
        if found[name] is not None and not 2000 <= found[name].year <= 2999:
            found[name] = None
            wrong.append(name)
    return Asked(**found), wrong


def _word(name: str) -> str | None:
    text = request.values.get(name, "").strip()
    return text if _WORD.fullmatch(text) else None


def _count(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 12 else 0


def _after() -> tuple[str, int] | None:
    area = request.form.get("after_area", "")
    return (area, _count("after_n")) if _WORD.fullmatch(area) else None


def _broken() -> list[tuple[str, int]]:
    """Those that earlier steps have found."""
    pairs = (one.rpartition(":") for one in request.form.getlist("broken")[:NAMED])
    return [(area, int(n)) for area, _sep, n in pairs if _WORD.fullmatch(area) and n.isdecimal() and len(n) < 17]


def _note(me: Visitor, act: str, detail: dict[str, Any]) -> None:
    row = AuditRow(acting(me), now(), me.id, act, "journal", detail=detail)
    write(lambda tx: append(tx.connection, [row], tx.areas), [row.area])
