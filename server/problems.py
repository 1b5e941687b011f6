"""The catalogue of refusals: one stable code each, with its status and a sentence a person can act on.

Source: RFC 9457. What is wrong inside one item of a batch is no HTTP error; it is in that item's receipt.
"""

from dataclasses import dataclass
from typing import Any

from flask import Response, json

TYPE = "urn:toam:problem:"


@dataclass(frozen=True)
class Kind:
    """One kind of refusal."""

    status: int
    title: str


CATALOGUE: dict[str, Kind] = {
    "bad_digest": Kind(400, "Dữ liệu đến nơi không còn nguyên vẹn (sai Content-Digest). Hãy gửi lại."),
    "no_digest": Kind(400, "Thiếu Content-Digest: sha-256=:…: của dữ liệu gửi đi."),
    "truncated": Kind(400, "Dữ liệu nén bị cụt. Hãy gửi lại."),
    "bad_encoding": Kind(400, "Chỉ nhận Content-Encoding: gzip hoặc không nén."),
    "bad_json": Kind(400, "Không đọc được dữ liệu JSON của lô phiếu. Chưa lưu gì; hãy gửi lại."),
    "bad_envelope": Kind(400, "Phần đầu của lô phiếu thiếu hoặc sai. Chưa lưu gì."),
    "bad_request": Kind(400, "Yêu cầu không đúng dạng."),
    "resync": Kind(
        409,
        "Máy chủ không còn đúng lịch sử mà máy này đã thấy. Hãy gửi lại mọi phiếu còn giữ, rồi tải lại từ đầu.",
    ),
    "update_needed": Kind(426, "Ứng dụng đã cũ. Phiếu vẫn gửi được; hãy cập nhật để nhận dữ liệu."),
    "unauthenticated": Kind(
        401, "Máy chủ không nhận ra mã truy cập. Hãy đăng nhập lại và giữ nguyên phiếu chưa gửi."
    ),
    "address_unknown": Kind(403, "Địa chỉ máy chủ trong ứng dụng không còn dùng được. Hãy quét lại mã QR."),
    "login_failed": Kind(401, "Tên đăng nhập hoặc mật khẩu không đúng."),
    "form_expired": Kind(400, "Trang đã mở quá lâu hoặc bạn vừa đăng nhập lại. Chưa lưu gì; hãy tải lại trang."),
    "not_for_phones": Kind(403, "Các trang này dành cho cán bộ. Cộng tác viên làm việc trên điện thoại."),
    "code_refused": Kind(403, "Mã đăng ký không dùng được. Hãy xem lại mã, hoặc xin cán bộ một mã mới."),
    "password_expired": Kind(403, "Mật khẩu đã hết hạn. Hãy xin quản trị viên đặt mật khẩu mới."),
    "token_expired": Kind(403, "Hết hạn đăng nhập: phiếu vẫn gửi được. Hãy đăng nhập lại để nhận dữ liệu."),
    "device_revoked": Kind(403, "Máy này đã bị thu hồi: chỉ còn gửi được, không nhận được nữa."),
    "forbidden": Kind(403, "Vai trò của bạn không được xem phần này."),
    "not_found": Kind(404, "Không có, hoặc ngoài phạm vi được giao cho bạn."),
    "method_not_allowed": Kind(405, "Đường dẫn này không nhận cách gọi đó."),
    "stale": Kind(409, "Xung đột đã thay đổi từ lúc bạn xem. Hãy xem lại rồi quyết định."),
    "cannot_apply": Kind(409, "Ở trạng thái hiện nay của phiếu không làm được việc này."),
    "ward_needed": Kind(409, "Xã/phường của phiếu chưa rõ. Hãy chọn xã/phường khi sửa phiếu (repair)."),
    "unknown_base": Kind(409, "Trạng thái bạn đã xem không có trong máy chủ này. Hãy tải lại hồ sơ."),
    "id_reuse": Kind(409, "Mã này đã dùng cho một việc khác."),
    "installation_taken": Kind(409, "Bản cài này đã có người dùng. Hãy thêm người mới từ tài khoản đang dùng máy."),
    "not_in_charge": Kind(409, "Người này không được giao địa bàn của lượt thăm, hoặc không đúng vai trò."),
    "charge_overlaps": Kind(409, "Người này đã được giao nơi ấy trong những ngày đó. Hãy chọn ngày khác."),
    "charge_gone": Kind(409, "Ngày đó người giao không phụ trách nơi này. Hãy xem lại người và ngày."),
    "whole_area": Kind(409, "Người này được giao cả xã, phường. Hãy giao theo từng ấp, khu vực trước."),
    "already_reported": Kind(409, "Máy này đã được báo mất. Hãy xem trang của máy."),
    "already_closed": Kind(409, "Vụ việc này đã được đóng."),
    "user_exists": Kind(409, "Đã có người dùng với mã này. Hãy chọn mã khác."),
    "own_role": Kind(409, "Không thể tự đổi vai trò của mình. Hãy nhờ một quản trị viên khác."),
    "no_address": Kind(409, "Chưa đặt địa chỉ của máy chủ (TOAM_PUBLIC_URL), nên chưa tạo được mã QR."),
    "visit_over": Kind(409, "Lượt thăm này đã xong hoặc không cần nữa."),
    "statutory_visit": Kind(409, "Lượt thăm theo luật: không được hủy, không được hoãn quá hạn."),
    "list_changed": Kind(409, "Danh sách đã có lần lập mới hơn. Hãy xem lại rồi quyết định."),
    "list_over": Kind(409, "Danh sách này đã hết hạn, hoặc không còn lượt thăm nào để lập lại."),
    "wrong_offset": Kind(409, "Tệp trên máy chủ không dừng ở vị trí này. Hãy hỏi lại vị trí rồi gửi tiếp từ đó."),
    "tus_version": Kind(412, "Cần Tus-Resumable: 1.0.0."),
    "too_large": Kind(413, "Lô phiếu quá lớn. Hãy chia nhỏ rồi gửi lại."),
    "too_many_items": Kind(413, "Lô có quá nhiều phiếu. Hãy chia nhỏ rồi gửi lại."),
    "media_too_large": Kind(413, "Tệp lớn hơn mức cho phép. Hãy giảm cỡ ảnh hoặc rút ngắn đoạn ghi rồi gửi lại."),
    "unsupported_media_type": Kind(415, "Đường dẫn này không nhận Content-Type đó."),
    "bad_range": Kind(416, "Tệp không có đoạn (Range) được hỏi."),
    "invalid": Kind(422, "Một số phần của yêu cầu không hợp lệ."),
    "past_day": Kind(422, "Ngày phải từ hôm nay trở đi: việc giao địa bàn của những ngày đã qua không đổi."),
    "not_yet": Kind(422, "Thời điểm này chưa tới, hoặc trước lúc máy được đăng ký. Hãy xem lại ngày giờ."),
    "media_type_refused": Kind(422, "Tệp không phải ảnh, ghi âm, phim hay PDF mà máy chủ nhận, dù tên là gì."),
    "reason_needed": Kind(422, "Cần ghi lý do, để người lập phiếu và đồng nghiệp hiểu."),
    "weak_password": Kind(422, "Mật khẩu cần ít nhất 10 ký tự và không được trùng tên đăng nhập."),
    "too_many_attempts": Kind(429, "Đã thử sai quá nhiều lần. Hãy đợi rồi thử lại."),
    "volume_used": Kind(429, "Máy này đã gửi đủ dung lượng tệp của một ngày. Hãy đợi rồi gửi tiếp."),
    "bad_checksum": Kind(
        460, "Đoạn vừa gửi đến nơi không còn nguyên vẹn (sai Upload-Checksum). Hãy gửi lại đoạn đó."
    ),
    "bad_content": Kind(460, "Tệp nhận đủ nhưng không đúng mã sha256 đã báo. Hãy gửi lại từ đầu."),
    "internal": Kind(500, "Máy chủ gặp lỗi. Chưa lưu gì; hãy gửi lại sau, với cùng mã phiếu."),
    "busy": Kind(503, "Máy chủ đang bận. Chưa lưu gì; hãy gửi lại sau, với cùng mã phiếu."),
}


class Problem(Exception):
    """Raised anywhere in the shell; answered as a problem document. `extra` are its further members."""

    def __init__(self, code: str, detail: str | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.detail, self.extra = code, detail, extra

    @property
    def title(self) -> str:
        """The sentence of its kind."""
        return CATALOGUE[self.code].title

    def response(self) -> Response:
        """The problem document."""
        kind = CATALOGUE[self.code]
        body = {"type": TYPE + self.code, "title": kind.title, "status": kind.status, "code": self.code}
        if self.detail:
            body["detail"] = self.detail
        response = Response(
            json.dumps(body | self.extra), status=kind.status, content_type="application/problem+json"
        )
        if kind.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if kind.status == 503:
            response.headers["Retry-After"] = "5"
        if "upload_offset" in self.extra:
            response.headers["Upload-Offset"] = str(self.extra["upload_offset"])
        if "retry_after" in self.extra:
            response.headers["Retry-After"] = str(self.extra["retry_after"])
        return response
