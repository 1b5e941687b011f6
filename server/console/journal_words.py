"""The acts of the journal in words, and what of their details is told to an administrator."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

ACTS = {
    "correct": _l("Sửa hồ sơ"),
    "resolve": _l("Quyết định mâu thuẫn"),
    "delete": _l("Xóa hồ sơ"),
    "restore": _l("Khôi phục hồ sơ"),
    "approve": _l("Duyệt phiếu"),
    "return": _l("Trả phiếu để sửa"),
    "reject": _l("Bác bỏ phiếu"),
    "unreject": _l("Lấy lại phiếu đã bác bỏ"),
    "accept": _l("Nhận phiếu bị giữ"),
    "repair": _l("Sửa câu trả lời của phiếu"),
    "read_protected": _l("Đọc hồ sơ bảo vệ"),
    "export": _l("Tải bảng tính"),
    "issue": _l("Lập danh sách"),
    "reissue": _l("Lập lại danh sách"),
    "visit_reassign": _l("Giao lượt thăm cho người khác"),
    "visit_snooze": _l("Hoãn lượt thăm"),
    "visit_cancel": _l("Hủy lượt thăm"),
    "visit_resume": _l("Lấy lại lượt thăm"),
    "visit_add": _l("Thêm lượt thăm"),
    "list_print": _l("In danh sách"),
    "list_result": _l("Nhập kết quả từ giấy"),
    "enrol": _l("Cài ODK Collect bằng mã QR"),
    "lost": _l("Báo mất máy"),
    "close_incident": _l("Đóng vụ mất máy"),
    "read_annex": _l("Đọc phụ lục thông báo"),
    "handover": _l("Bàn giao địa bàn"),
    "assign": _l("Giao địa bàn"),
    "unassign": _l("Thôi giao địa bàn"),
    "stand_in": _l("Làm thay khi nghỉ"),
    "add_user": _l("Thêm người dùng"),
    "change_user": _l("Sửa người dùng"),
    "invite": _l("Cấp mã đăng ký máy"),
    "revoke": _l("Thu hồi máy"),
    "password": _l("Cấp mật khẩu tạm"),
    "run_job": _l("Yêu cầu chạy việc"),
    "publish_form": _l("Công bố biểu mẫu"),
    "rollback_form": _l("Quay lại bản biểu mẫu cũ"),
    "withdraw_form": _l("Ngừng phát biểu mẫu"),
    "restore_form": _l("Phát lại biểu mẫu"),
    "change_days": _l("Sửa lịch ngày làm việc"),
    "search_journal": _l("Tìm trong nhật ký"),
    "export_journal": _l("Tải nhật ký"),
    "check_journal": _l("Kiểm tra nhật ký"),
}
DETAILS = {
    "days": _l("số ngày"),
    "rows": _l("số dòng"),
    "revision": _l("lần lập"),
    "collaborator": _l("cộng tác viên"),
    "to": _l("cho"),
    "until": _l("đến ngày"),
    "n": _l("lần"),
    "conflict": _l("mâu thuẫn"),
    "there": _l("có hồ sơ"),
    "version": _l("bản"),
    "was": _l("trước là"),
    "act": _l("việc"),
    "who": _l("người"),
    "area": _l("địa bàn"),
    "subject": _l("mã"),
    "since": _l("từ ngày"),
    "reason": _l("lý do"),
    "sha256": _l("tệp"),
    "removed": _l("bỏ"),
    "off": _l("ngày nghỉ"),
}
LONGEST = 100


def act(code: str) -> str:
    """An act in words, or its code."""
    return str(ACTS.get(code, code))


def details(said: Mapping[str, Any]) -> Iterator[str]:
    """What an entry says besides, item by item. What an officer wrote in his own words is not told here: that it was
    written is. It may name a child.
    """
    for key, value in said.items():
        if value in (None, "", [], {}):
            continue
        yield f"{DETAILS.get(key, key)}: {_told(value)}"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return _("có") if value else _("không")
    if isinstance(value, list):
        return ", ".join(_told(one) for one in value[:20])
    if isinstance(value, dict):
        return _("%(count)s mục", count=len(value))
    text = str(value)
    plain = text.isascii() and not any(letter.isspace() for letter in text) and len(text) <= LONGEST
    return text if plain else _("có ghi, không hiện ở đây")
