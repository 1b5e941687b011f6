"""What the page about running calls jobs, outcomes, versions and settings."""

from flask_babel import lazy_gettext as _l

from server.reminders.runs import COMMAND, SCHEDULER, Outcome

JOBS = {  # name -> what it is called, what it does, when
    "retry": (
        _l("Làm lại phiếu còn chờ"),
        _l("Áp dụng những phiếu đã lưu mà lần đầu máy chủ chưa áp dụng được"),
        _l("5 phút một lần"),
    ),
    "plan": (
        _l("Lập kế hoạch đêm"),
        _l("Tính lại lượt thăm của mọi địa bàn, vì ngày mới có thể làm việc đến hạn"),
        _l("1 giờ sáng mỗi ngày"),
    ),
    "clear": (
        _l("Dọn dẹp"),
        _l("Bỏ tệp gửi dở đã lâu và lịch sử chạy cũ hơn 90 ngày"),
        _l("2 giờ sáng mỗi ngày"),
    ),
    "escalate": (
        _l("Báo lên trên"),
        _l("Ghi nhận lượt thăm trễ phải báo cho cấp trên theo quy tắc"),
        _l("10 phút một lần"),
    ),
    "lists": (
        _l("Lập danh sách ngày"),
        _l("Lập danh sách hôm nay cho từng cộng tác viên; đã có thì giữ nguyên"),
        _l("4 giờ sáng mỗi ngày"),
    ),
    "weekly-lists": (
        _l("Lập danh sách tuần"),
        _l("Lập danh sách tuần này cho từng cộng tác viên; đã có thì giữ nguyên"),
        _l("4 giờ sáng thứ Hai"),
    ),
}
OUTCOMES = {
    Outcome.WANTED.value: _l("Đang chờ bắt đầu"),
    Outcome.RUNNING.value: _l("Đang chạy"),
    Outcome.DONE.value: _l("Xong"),
    Outcome.FAILED.value: _l("Lỗi"),
}
MARKS = {
    Outcome.WANTED.value: "stored",
    Outcome.RUNNING.value: "received",
    Outcome.DONE.value: "done",
    Outcome.FAILED.value: "danger",
}
BY = {SCHEDULER: _l("theo lịch"), COMMAND: _l("bằng lệnh trên máy chủ")}
VERSIONS = {
    "rules": _l("Quy tắc"),
    "calendar": _l("Lịch ngày làm việc"),
    "forms": _l("Biểu mẫu đang phát"),
    "schema": _l("Cấu trúc dữ liệu"),
    "database": _l("Cơ sở dữ liệu"),
    "python": "Python",
}
SETTINGS = {
    "data": _l("Thư mục của cơ sở dữ liệu SQLite và mọi thứ khác giữ trên đĩa"),
    "database_url": _l("Cơ sở dữ liệu; để trống là SQLite trong thư mục dữ liệu"),
    "demo": _l("Trang giới thiệu tại /, chỉ trên chính máy này"),
    "scheduler": _l("Tiến trình này chạy các việc theo lịch khi đến lượt nó"),
    "ward_list": _l("Danh mục xã, phường đang dùng"),
    "config": _l("Thư mục của quy tắc, ngày nghỉ và địa bàn"),
    "forms": _l("Thư mục của biểu mẫu"),
    "keep_days": _l("Máy giữ lại phiếu đã gửi bao nhiêu ngày"),
    "min_app": _l("Bản ứng dụng cũ nhất còn được tải dữ liệu"),
    "public_url": _l("Địa chỉ mà điện thoại dùng để tới máy chủ"),
    "proxied": _l("Có máy chủ trung gian đứng trước"),
    "login_hours": _l("Một lần đăng nhập dùng được bao nhiêu giờ"),
    "secret": _l("Khóa ký phiên đăng nhập; để trống là tự sinh trong thư mục dữ liệu"),
    "max_body": _l("Yêu cầu lớn nhất, byte"),
    "max_inflated": _l("Yêu cầu lớn nhất sau khi giải nén, byte"),
    "max_items": _l("Số phiếu nhiều nhất trong một lô"),
    "max_item": _l("Phiếu lớn nhất, byte"),
    "max_page": _l("Số mục nhiều nhất trong một trang tải về"),
    "media": _l("Thư mục của ảnh và tệp; để trống là trong thư mục dữ liệu"),
    "max_blob": _l("Tệp lớn nhất, byte"),
    "blob_chunk": _l("Mỗi lần gửi tệp nên gửi bao nhiêu byte"),
    "max_volume": _l("Một máy gửi được bao nhiêu byte tệp trong 24 giờ"),
    "visits_a_day": _l("Một cộng tác viên làm được bao nhiêu dòng danh sách mỗi ngày"),
    "log_level": _l("Mức ghi nhật ký máy chủ thấp nhất"),
}


def size(count: int) -> str:
    """A number of bytes as people say it."""
    value, units = float(count), ["B", "KB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    said = f"{value:.0f}" if value >= 10 or units[0] == "B" else f"{value:.1f}".replace(".", ",")
    return f"{said} {units[0]}"
