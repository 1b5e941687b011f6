"""Finding somebody, the register of children, and both as sheets. Searches are posted: no name is in an address."""

from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console.reader import area_names, areas_of, words_now
from server.console.session import Visitor, supervisor
from server.console.words import RISKS, TYPES
from server.problems import Problem
from server.reading.register import MOST, PAGE, Asked, Line, children, found_all, search
from server.sheets import TYPE, table
from server.world import current_nest
from sync.ports import AuditRow

LONGEST = 100  # characters of what is searched for
KINDS = ("child", "household", "person", "report")


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/find", view_func=find, methods=["GET", "POST"])
    desk.add_url_rule("/find/sheet", view_func=sheet, methods=["POST"])


def find() -> str:
    """Whoever was searched for; else the children, the highest risk first."""
    me, words = supervisor(), words_now()
    areas, area = areas_of(me, request.values.get("area"))
    wanted, kind = _wanted()
    shown: dict[str, Any] = {"wanted": wanted, "kind": kind, "area": area, "risks": RISKS, "kinds": KINDS}
    if wanted:
        lines, more = search(words, me.access, wanted, kind, request.form.get("after") or None)
        return render_template("desk/find.html", me=me, lines=lines, more=more, total=None, **shown)
    asked, page = _asked(me), _page()
    lines, total = children(words, me.access, areas, asked, page)
    shown |= {"asked": asked, "page": page, "size": PAGE, "hamlets": _hamlets(me)}
    return render_template("desk/find.html", me=me, lines=lines, more=False, total=total, **shown)


def _wanted() -> tuple[str, str | None]:
    kind = request.form.get("kind", "")
    return request.form.get("q", "").strip()[:LONGEST], kind if kind in KINDS else None


def _asked(me: Visitor) -> Asked:
    scope, risk = request.values.get("hamlet") or None, request.values.get("risk", "")
    if scope is not None and not me.access.scope(scope.partition("/")[0], scope):
        raise Problem("not_found")
    return Asked(scope, int(risk) if risk in ("1", "2", "3") else None, request.values.get("doubtful") == "1")


def _page() -> int:
    text = request.values.get("page", "0")
    return min(int(text), MOST // PAGE) if text.isdecimal() and len(text) < 6 else 0


def _hamlets(me: Visitor) -> list[tuple[str, str]]:
    """(scope, name) of the hamlets in the visitor's charge; with the ward's name where there are several wards."""
    wards = dict(area_names(me))
    return [
        (f"{area}/{code}", hamlet.name if len(wards) == 1 else f"{hamlet.name}, {wards[area]}")
        for (area, code), hamlet in sorted(current_nest().places.hamlets.items())
        if area in wards
    ]


def sheet() -> Response:
    """The children that the page shows, all of them, or those who were found. That it was taken is noted."""
    me, words = supervisor(), words_now()
    areas, _area = areas_of(me, request.form.get("area"))
    wanted, kind = _wanted()
    if wanted:
        lines, what = found_all(words, me.access, wanted, kind), "found"
    else:
        lines, what = children(words, me.access, areas, _asked(me), 0, MOST)[0], "children"
    at = now()
    noted = [AuditRow(one, at, me.id, "export", what, detail={"rows": len(lines)}) for one in sorted(areas)]
    write(lambda tx: append(tx.connection, noted, tx.areas), sorted(areas))
    body = table(_("Danh sách, %(count)s dòng", count=len(lines)), _columns(), [_cells(one) for one in lines])
    response = Response(body, content_type=TYPE)
    response.headers["Content-Disposition"] = f"attachment; filename=danh-sach-{me.access.today:%Y%m%d}.xlsx"
    return response


def _columns() -> list[tuple[str, int]]:
    return [
        (_("Loại"), 14),
        (_("Họ và tên"), 26),
        (_("Ngày sinh"), 12),
        (_("Giới tính"), 10),
        (_("Hộ"), 24),
        (_("Địa chỉ"), 26),
        (_("Nơi ở"), 26),
        (_("Nguy cơ"), 16),
        (_("Mâu thuẫn"), 10),
        (_("Mã"), 38),
    ]


def _cells(one: Line) -> list[Any]:
    risk = str(RISKS[one.risk]) if one.risk in RISKS else ""
    about = [str(TYPES[one.type]), one.name, one.dob, one.sex, one.head, one.address, one.place]
    return [*about, risk, str(one.doubts) if one.doubts else "", one.id]
