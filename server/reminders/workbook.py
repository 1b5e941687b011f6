"""A reminder list as a sheet of Excel, to be printed on A4 and written on by hand.

How cells are written: `server/sheets.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from server.sheets import landscape, put_row, put_text

COLUMNS: Sequence[tuple[str, int]] = (
    ("STT", 5),
    ("Ấp, khu vực", 17),
    ("Chủ hộ", 20),
    ("Địa chỉ", 24),
    ("Trẻ (hoặc hộ) cần thăm", 22),
    ("Nội dung thăm", 34),
    ("Hạn", 11),
    ("Theo luật", 8),
    ("Chuyển từ danh sách", 17),
    ("Kết quả", 16),
    ("Ghi chú", 20),
)
OUTCOMES = {
    "done": "Đã thăm",
    "partly": "Xong một phần",
    "not_needed": "Không cần nữa",
    "cancelled": "Đã hủy",
    "nobody_home": "Vắng nhà",
    "refused": "Từ chối",
    "not_found": "Không tìm thấy địa chỉ",
    "moved_away": "Đã chuyển đi",
    "escalated": "Chuyển cán bộ xã/phường",
    "carried_over": "Chuyển sang danh sách sau",
    "missed": "Quá hạn, chưa thăm",
    "not_made": "Chưa thăm",
}
TITLES = {"daily": "DANH SÁCH THĂM HỘ TRONG NGÀY", "weekly": "DANH SÁCH THĂM HỘ TRONG TUẦN"}
CARRIED = "CHUYỂN SANG DANH SÁCH SAU (vượt số lượt thăm một người làm được)"


def file_name(body: Mapping[str, Any]) -> str:
    """The name of the file: number and revision, nobody's name."""
    return f"danh-sach-{body['number']}-r{body['revision']}.xlsx"


def workbook(body: Mapping[str, Any]) -> bytes:
    """The sheet of a list, of which `body` is the JSON."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Danh sách"
    book.properties.creator = "Tổ Ấm"
    _top(sheet, body)
    head = sheet.max_row + 1
    put_row(sheet, head, [label for label, _ in COLUMNS], bold=True)
    for line in body["lines"]:
        if not line["carried"]:
            put_row(sheet, sheet.max_row + 1, _cells(line))
    carried = [line for line in body["lines"] if line["carried"]]
    if carried:
        put_text(sheet, sheet.max_row + 1, 1, CARRIED, bold=True)
    for line in carried:
        put_row(sheet, sheet.max_row + 1, _cells(line))
    _sign(sheet, sheet.max_row + 2)
    _paper(sheet, head, body)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _top(sheet: Worksheet, body: Mapping[str, Any]) -> None:
    begins, ends = (_day(body[name]) for name in ("begins", "ends"))
    days = begins if begins == ends else f"{begins} đến {ends}"
    lines = [line for line in body["lines"] if not line["carried"]]
    put_text(sheet, 1, 1, TITLES[body["kind"]], bold=True)
    put_text(
        sheet, 2, 1, f"Số: {body['number']}, lần {body['revision']}. {body['ward'] or body['area']}. Ngày {days}."
    )
    capacity = "" if body["capacity"] is None else f" Khả năng: {body['capacity']} lượt."
    left = len(body["lines"]) - len(lines)
    over = f" Chuyển sang sau: {left}." if left else ""
    who = " ".join(part for part in (body["name"], f"({body['collaborator']})") if part)
    put_text(sheet, 3, 1, f"Cộng tác viên: {who}. Số lượt: {len(lines)}.{capacity}{over}")
    if body["reason"]:
        put_text(sheet, 4, 1, f"Lập lại vì: {body['reason']}")


def _cells(line: Mapping[str, Any]) -> list[str]:
    what = "\n".join(": ".join(text for text in (task["what"], task["why"]) if text) for task in line["tasks"])
    due = min(task["due"] for task in line["tasks"])
    place = line.get("place") or line["scope"]
    return [
        str(line["line"]),
        place,
        line["head"] or "",
        line["address"] or "",
        line["name"] if line["subject"] != line["household"] else "(cả hộ)",
        what,
        _day(due),
        "Có" if any(task["statutory"] for task in line["tasks"]) else "",
        line.get("carried_from") or "",
        _outcome(line),
        "",
    ]


def _outcome(line: Mapping[str, Any]) -> str:
    words = OUTCOMES.get(line["outcome"] or "", "")
    late = any(task["in_time"] is False for task in line["tasks"])
    return f"{words} (trễ hạn)" if late else words


def _sign(sheet: Worksheet, row: int) -> None:
    for column, words in ((3, "Người lập danh sách"), (8, "Cộng tác viên")):
        put_text(sheet, row, column, words, bold=True)
        put_text(sheet, row + 1, column, "(ký, ghi rõ họ tên)")


def _paper(sheet: Worksheet, head: int, body: Mapping[str, Any]) -> None:
    """A4 on its side, as wide as the page, the headings on every page."""
    landscape(sheet, head, [width for _, width in COLUMNS])
    sheet.oddFooter.left.text = f"{body['number']}, lần {body['revision']}"
    sheet.oddFooter.right.text = "Trang &P/&N"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%d/%m/%Y}"
