"""What the pages call states, outcomes and reasons; each in the reader's language when it is shown."""

from datetime import date, datetime

from flask_babel import lazy_gettext as _l

from sync.authority import Role
from sync.batch import Outcome, Reason
from sync.ports import Review
from sync.state.model import NoticeKind
from sync.times import local_time

OUTCOMES = {
    Outcome.APPLIED.value: _l("Đã ghi nhận"),
    Outcome.MERGED.value: _l("Đã gộp theo quy tắc"),
    Outcome.CONFLICT.value: _l("Mâu thuẫn, chờ cán bộ"),
    Outcome.STORED.value: _l("Đã lưu, máy chủ sẽ làm tiếp"),
    Outcome.QUARANTINED.value: _l("Giữ lại, chưa áp dụng"),
}
REASONS = {
    Reason.UNREADABLE.value: _l("không đọc được"),
    Reason.BAD_VALUE.value: _l("có câu trả lời không hợp lệ"),
    Reason.UNKNOWN_FORM.value: _l("mẫu phiếu không có"),
    Reason.UNKNOWN_VERSION.value: _l("bản mẫu phiếu không có"),
    Reason.UNKNOWN_PROPERTY.value: _l("có mục không có trong mẫu"),
    Reason.NOT_ALLOWED.value: _l("vai trò không được làm việc này"),
    Reason.OUT_OF_AREA.value: _l("ngoài địa bàn được giao"),
    Reason.WARD_UNKNOWN.value: _l("không biết xã/phường"),
    Reason.WARD_AMBIGUOUS.value: _l("mã xã/phường cũ đã tách, chưa rõ thuộc đâu"),
    Reason.ID_REUSE.value: _l("mã phiếu đã dùng cho nội dung khác"),
    Reason.DEVICE_REVOKED.value: _l("máy đã bị thu hồi"),
}
STATES = {
    Review.RECEIVED.value: _l("Mới nhận"),
    Review.EDITED.value: _l("Đã sửa lại"),
    Review.HAS_ISSUES.value: _l("Trả lại để sửa"),
    Review.REJECTED.value: _l("Đã bác bỏ"),
    Review.APPROVED.value: _l("Đã duyệt"),
    Review.QUARANTINED.value: _l("Giữ lại"),
    Review.SET_ASIDE.value: _l("Để riêng"),
    Review.STORED.value: _l("Chờ máy chủ"),
}
SHELVES = {
    "waiting": _l("Chờ xem"),
    "returned": _l("Trả lại"),
    "approved": _l("Đã duyệt"),
    "rejected": _l("Bác bỏ"),
    "all": _l("Tất cả"),
}
ROLES = {
    Role.COLLABORATOR.value: _l("Cộng tác viên"),
    Role.SUPERVISOR.value: _l("Cán bộ bảo vệ trẻ em"),
    Role.SCHEDULER.value: _l("Người lập lịch"),
    Role.ADMINISTRATOR.value: _l("Quản trị viên"),
}
TYPES = {
    "household": _l("Hộ gia đình"),
    "child": _l("Trẻ"),
    "child_protected": _l("Hồ sơ bảo vệ"),
    "person": _l("Người lớn"),
    "report": _l("Tin báo"),
    "submission": _l("Phiếu"),
}
RULES = {
    NoticeKind.OVERRULED.value: _l("Lần quan sát sau được dùng."),
    "graver": _l("Mức nặng hơn được dùng."),
    NoticeKind.ASKS_TO_LOWER.value: _l("Xin hạ mức: mức nặng nhất giữ nguyên tới khi cán bộ hạ."),
    NoticeKind.ASKS_TO_REMOVE.value: _l("Xin bỏ bớt nhóm: chỉ cán bộ bỏ được."),
    NoticeKind.ASKS_TO_CLEAR.value: _l("Xin xóa trắng: số đã có được giữ."),
    NoticeKind.DOUBTFUL.value: _l("Đồng hồ hoặc màn hình của người ghi không chắc: giá trị kia được tin hơn."),
    NoticeKind.RULED.value: _l("Cán bộ đã quyết định khác."),
    "$acts": _l("Hai việc của cán bộ không biết nhau: việc thận trọng hơn có hiệu lực."),
}
RISKS = {0: _l("Chưa đánh giá"), 1: _l("Nguy cơ thấp"), 2: _l("Nguy cơ trung bình"), 3: _l("Nguy cơ cao")}
TABS = {
    "now": _l("Hiện nay"),
    "story": _l("Diễn biến"),
    "history": _l("Lịch sử từng mục"),
    "charts": _l("Biểu đồ"),
    "protected": _l("Hồ sơ bảo vệ"),
}
FATES = {
    "shows": _l("đang hiện"),
    "stands": _l("đứng bên cạnh"),
    "replaced": _l("đã được thay"),
    "rejected": _l("đã bác bỏ"),
    "amended": _l("chính người viết đã sửa"),
}
EVENTS = {
    "visit": _l("Phiếu"),
    "delete": _l("Xin xóa, hoặc xóa hồ sơ"),
    "correct": _l("Cán bộ sửa"),
    "resolve": _l("Cán bộ quyết định mâu thuẫn"),
    "restore": _l("Khôi phục hồ sơ"),
    "reject": _l("Bác bỏ phiếu"),
    "unreject": _l("Lấy lại phiếu đã bác bỏ"),
    "accept": _l("Nhận phiếu bị giữ"),
    "repair": _l("Sửa câu trả lời của phiếu"),
    "planned_open": _l("Lượt thăm đang chờ"),
    "planned_done": _l("Lượt thăm đã xong"),
    "planned_not_needed": _l("Lượt thăm không cần nữa"),
}

WEEKDAYS = (_l("T2"), _l("T3"), _l("T4"), _l("T5"), _l("T6"), _l("T7"), _l("CN"))
ARRANGED = {
    "reassign": _l("Giao lại"),
    "snooze": _l("Hoãn"),
    "cancel": _l("Hủy"),
    "resume": _l("Lấy lại"),
    "add": _l("Thêm"),
}
LIST_KINDS = {"daily": _l("Danh sách ngày"), "weekly": _l("Danh sách tuần")}
LINE_OUTCOMES = {
    "done": _l("Đã thăm"),
    "partly": _l("Xong một phần"),
    "not_needed": _l("Không cần nữa"),
    "cancelled": _l("Đã hủy"),
    "nobody_home": _l("Vắng nhà"),
    "refused": _l("Từ chối"),
    "not_found": _l("Không tìm thấy địa chỉ"),
    "moved_away": _l("Đã chuyển đi"),
    "escalated": _l("Chuyển cán bộ xã/phường"),
    "carried_over": _l("Chuyển sang danh sách sau"),
    "missed": _l("Quá hạn, chưa thăm"),
    "not_made": _l("Chưa thăm"),
}
TOLD = {"supervisor": _l("cán bộ bảo vệ trẻ em"), "chairman": _l("Chủ tịch xã/phường"), "city": _l("thành phố")}
ESCALATED = {
    "open": _l("Chưa thăm"),
    "answered": _l("Đã thăm sau đó"),
    "in_time": _l("Đã thăm trước đó, phiếu gửi sau"),
    "withdrawn": _l("Không cần nữa"),
}
ESCALATED_MARKS = {"open": "late", "answered": "done", "in_time": "done"}
LINE_MARKS = {"done": "done", "partly": "doubt", "missed": "late", "nobody_home": "doubt", "refused": "doubt"}


def moment(ms: int) -> str:
    """An instant as read in Việt Nam."""
    return local_time(ms).strftime("%d/%m/%Y %H:%M")


def day(value: date | datetime) -> str:
    """A calendar day as written in Việt Nam."""
    return value.strftime("%d/%m/%Y")
