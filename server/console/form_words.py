"""Forms in words: kinds of questions, and what differs between two versions or is wrong with one, in Vietnamese.

The lines are those of `flask forms diff` and `flask forms publish`; whoever reads English gets them as they are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from forms.form import Form
from forms.outline import Outline

KINDS = {
    "text": _l("chữ"),
    "integer": _l("số nguyên"),
    "decimal": _l("số"),
    "date": _l("ngày tháng"),
    "datetime": _l("ngày và giờ"),
    "code": _l("chọn một"),
    "codes": _l("chọn nhiều"),
    "geopoint": _l("vị trí"),
    "file": _l("ảnh hoặc tệp"),
    "note": _l("chỉ hiện ra"),
    "calculation": _l("tự tính, không hiện"),
    "repeat": _l("nhiều dòng, hỏi lại phần dưới cho từng dòng"),
}
STATES = {"current": _l("Đang dùng"), "earlier": _l("Bản cũ"), "withdrawn": _l("Đã ngừng phát")}
MARKS = {"current": "done", "earlier": "stored", "withdrawn": "late"}


@dataclass(frozen=True)
class Line:
    """One line of a difference: `kind` is section, new, gone, other or more (of the question above)."""

    kind: str
    text: str


def different(lines: Iterable[str], forms: Iterable[Form]) -> list[Line]:
    """The lines of `forms.changes.changes` after their heading, for the page."""
    vietnamese = str(get_locale()) != "en"
    titles = _titles(forms) if vietnamese else {}
    return [_line(line, vietnamese, titles) for line in list(lines)[1:]]


def problems(lines: Iterable[str]) -> Iterator[str]:
    """What publishing refuses or notes, for the page."""
    for line in lines:
        yield _in_vietnamese(line, _PROBLEMS) if str(get_locale()) != "en" else line


def _titles(forms: Iterable[Form]) -> Mapping[str, str]:
    """Headings of sections, English -> Vietnamese."""
    sections = (item.section for form in forms for item in Outline(form).items)
    return {title["en"]: title.get("vi") or title["en"] for section in sections for title in section}


def _line(line: str, vietnamese: bool, titles: Mapping[str, str]) -> Line:
    text = line.strip()
    kind = "section" if not line.startswith(" ") else "more" if line.startswith("      ") else "other"
    kind = {"+": "new", "-": "gone"}.get(text[:1], kind) if kind == "other" else kind
    text = text[2:] if text[:2] in ("+ ", "- ", "~ ") else text
    if not vietnamese:
        return Line(kind, text)
    if kind == "section":
        return Line(kind, " / ".join(titles.get(part, part) for part in text.split(" / ")).replace(*_NO_SECTION))
    return Line(kind, _in_vietnamese(text, _CHANGES))


def _in_vietnamese(text: str, patterns: tuple[tuple[str, str], ...]) -> str:
    for pattern, words in patterns:
        text = re.sub(pattern, words, text)
    return text


_NO_SECTION = ("(no section)", "(ngoài mọi phần)")
# Only what stands outside of quotation marks and at its place is replaced: labels stay as they are.
_CHANGES = (
    (r"^no question is different$", "không câu hỏi nào khác"),
    (r"^title: ", "tên biểu mẫu: "),
    (r"^ward list: ", "danh mục xã, phường: "),
    (r": new, note; says nothing$", ": dòng mới, chỉ hiện ra"),
    (r": new, (\w+); (says nothing|goes to (.+))$", r": câu mới, kiểu \1; câu trả lời vào: \2"),
    (r": no longer asked; (.+) in older versions$", r": không hỏi nữa; ở bản cũ \1"),
    (r"^was called (\w+)$", r"trước tên là \1"),
    (r"^type: ", "kiểu: "),
    (r"^moved, from (.+)$", r"chuyển chỗ, trước ở phần \1"),
    (r"^moved$", "chuyển chỗ"),
    (r"^section: ", "phần: "),
    (r"^label \((\w+)\): ", r"câu hỏi (\1): "),
    (r"^hint \((\w+)\): ", r"lời nhắc (\1): "),
    (r"^message of the constraint \((\w+)\): ", r"lời báo khi sai (\1): "),
    (r"^asked if: ", "chỉ hỏi nếu: "),
    (r"^required: ", "bắt buộc: "),
    (r"^constraint: ", "điều kiện đúng: "),
    (r"^calculation: ", "cách tính: "),
    (r"^option (\S+) (“[^”]*”|none): new$", r"lựa chọn \1 \2: mới"),
    (r"^option (\S+) became (\S+)$", r"lựa chọn \1 nay là \2"),
    (r"^option (\S+) (“[^”]*”|none): removed; answers keep the code$", r"lựa chọn \1 \2: bỏ; phiếu cũ giữ mã này"),
    (r"^option (\S+) \((\w+)\): ", r"lựa chọn \1 (\2): "),
    (r"\bsays nothing\b(?=$| ->)", "không ghi gì"),
    (r"\bgoes to the submission; the server takes .*? from it", "chỉ ở trong phiếu"),
    (r"\bgoes to the submission\b", "chỉ ở trong phiếu"),
    (r"\bgoes to (?=[a-z_.]+(?:$| ))", "vào "),
    (r": none -> ", ": không có -> "),
    (r" -> none$", " -> không có"),
    (r": always -> ", ": luôn luôn -> "),
    (r" -> always$", " -> luôn luôn"),
    (r" -> ", " → "),
)
_PROBLEMS = (
    (r"^(\w+) row (\d+) \(question (\w+)\): ", r"trang \1, dòng \2 (câu \3): "),
    (r"^(\w+) row (\d+): ", r"trang \1, dòng \2: "),
    (
        r"the version must be ten digits, YYYYMMDDNN, not (.+)$",
        r"số bản phải có mười chữ số, năm tháng ngày và hai số, không phải \1",
    ),
    (
        r"^(\w+) (\d+) is published already, and nothing is different$",
        r"\1 bản \2 đã công bố rồi, và không có gì khác",
    ),
    (
        r"^(\w+) (\d+) exists with another content: raise the version in settings$",
        r"\1 bản \2 đã có với nội dung khác: hãy tăng số version ở trang settings",
    ),
    (
        r"^(\d+) is older than the current (\d+): phones only go up$",
        r"bản \1 cũ hơn bản đang dùng \2: điện thoại chỉ lên bản cao hơn",
    ),
    (
        r"^(\w+): the server reads it and its options by name; they must stay$",
        r"\1: máy chủ đọc câu này theo tên; câu và các lựa chọn phải giữ",
    ),
    (
        r"^(\w+): its type was (\w+) and would be (\w+), which needs another name$",
        r"\1: kiểu từ \2 thành \3 thì phải đặt tên khác",
    ),
    (
        r"^(\w+): only officers read its answer, and then everybody could$",
        r"\1: chỉ cán bộ được đọc câu này, đổi như vậy thì ai cũng đọc được",
    ),
    (
        r"^(\w+) is gone: its property stays, and no form asks for it$",
        r"\1 không hỏi nữa: mục ấy vẫn còn, nhưng không mẫu nào hỏi",
    ),
    (
        r"^(\w+) is gone and (\w+) has its label: if it was renamed, say so in lifts.csv$",
        r"\1 không còn mà \2 có cùng câu hỏi: nếu là đổi tên, hãy ghi vào trang lifts",
    ),
    (r"^(\w+) (\d+) is withdrawn: restore it first$", r"\1 bản \2 đang ngừng phát: hãy phát lại trước"),
    (
        r"^(\w+): it asks for (\w+), but property (\w+) is of type (\w+)$",
        r"\1: câu này hỏi \2, nhưng mục \3 thuộc kiểu \4",
    ),
    (
        r"the sheets of (\w+) (\d+) are not among those published: is it the current one\?",
        r"các trang của \1 bản \2 không có trong kho: có phải bản đang dùng không?",
    ),
    (r"there is no question type '(.+)'", r"không có kiểu câu hỏi “\1”"),
    (r"speaks of \$\{(\w+)\}: no question has that name", r"nhắc tới ${\1}: không câu hỏi nào có tên ấy"),
    (r"a question has a list, and there is no list of that name", "câu hỏi dùng một danh sách không có"),
    (r"the name \$\{(\w+)\} is used twice", r"tên ${\1} dùng hai lần"),
    (r"is no workbook: .*$", "không phải tệp Excel (.xlsx)"),
    (r"has no sheet (.+)$", r"thiếu trang \1"),
    (r"^the workbook cannot be read \((\w+)\)$", r"không đọc được tệp (\1)"),
    (r"unknown or repeated columns: ", "cột lạ hoặc lặp lại: "),
    (
        r"^ODK Validate was skipped, as there is no Java here; our own compiler has checked the form\.$",
        "Không có Java trên máy này nên bỏ qua ODK Validate; bộ dịch của máy chủ đã kiểm tra.",
    ),
    (r"^([0-9a-f]{64}|\w+)\.xlsx ", "tệp "),
)
