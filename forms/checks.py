"""What looks wrong in an answer and may still be right: worth a second look, never a reason to refuse.

A question is found by the end of its name: `pid`, `phone` and `dob`, or such as `mother_pid` and `caregiver_phone`;
`visit_date` by its whole name.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from forms.form import Form, Kind, Question
from forms.schema import Problem

PERSONAL_ID = "check_personal_id"
PHONE = "check_phone"
BIRTH_DATE = "check_birth_date"
VISIT_DATE = "check_visit_date"

OLDEST = 120  # years
_PROVINCES = range(1, 97)  # TT 07/2016/TT-BCA; from 100 on it is a country
_NOBODYS = 99  # no province has it: the demonstration's people do, and shall raise no doubts for it
_SEXES = {"1": 0, "2": 1}  # list `sex` -> the last bit of the fourth digit
_TWELVE = re.compile(r"\A[0-9]{12}\Z")
_FILLING = re.compile(r"\(0\)|[\s.()/-]")
_INTERNATIONAL = re.compile(r"\A(\+|00)?84(?=[1-9])")
# Mobile numbers have nine digits after the 0 since 2018, fixed ones ten since 2017.
_VIETNAMESE = re.compile(r"\A0([35789][0-9]{8}|2[0-9]{9})\Z")
Level = Mapping[str, Any]


def look(form: Form, answers: Level, received: date) -> list[Problem]:
    """What looks wrong in canonical answers that were received on a day: its code, its pointer, a sentence."""
    found = [*_level(form.of(None), answers, received, "/answers")]
    for repeat in form.repeats:
        for index, row in enumerate(answers.get(repeat) or ()):
            found += _level(form.of(repeat), row, received, f"/answers/{repeat}/{index}")
    return found


def national(number: str) -> str:
    """A phone number in the national way, digits alone: `+84 (0)912 345 678` is `0912345678`.

    What is no number comes back without its spaces and dots.
    """
    bare = _FILLING.sub("", number)
    return _INTERNATIONAL.sub("0", bare)


def _level(questions: tuple[Question, ...], answers: Level, received: date, pointer: str) -> Iterator[Problem]:
    for question in questions:
        answer = answers.get(question.name)
        if isinstance(answer, str) and (code := _code(question)) is not None:
            beside = question.name.removesuffix("pid")
            for text in _LOOKS[code](answer, answers, beside, received):
                yield Problem(code, f"{pointer}/{question.name}", text)


def _code(question: Question) -> str | None:
    if question.calculation is not None:
        return None
    code = VISIT_DATE if question.name == "visit_date" else _ENDS.get(question.name.rpartition("_")[2])
    return code if question.kind is (Kind.DATE if code in (BIRTH_DATE, VISIT_DATE) else Kind.TEXT) else None


def _personal_id(answer: str, answers: Level, beside: str, received: date) -> Iterator[str]:
    """Twelve digits: where the birth was registered, century and sex, year of birth, serial (TT 07/2016/TT-BCA)."""
    if not _TWELVE.match(answer):
        yield "Số định danh cá nhân phải có đúng 12 chữ số."
        return
    place, century, year = int(answer[:3]), int(answer[3]), int(answer[4:6])
    if place not in (*_PROVINCES, _NOBODYS) and place < 100:
        yield "Ba chữ số đầu của số định danh không phải mã tỉnh hay mã nước."
    sex = _SEXES.get(str(answers.get(f"{beside}sex")))
    if sex is not None and century % 2 != sex:
        yield "Số định danh không khớp với giới tính."
    born = _year(answers, beside)
    if born is not None and born != 1900 + century // 2 * 100 + year:
        yield "Số định danh không khớp với năm sinh."


def _year(answers: Level, beside: str) -> int | None:
    day, year = answers.get(f"{beside}dob"), answers.get(f"{beside}birth_year")
    if isinstance(day, str) and day[:4].isdecimal():
        return int(day[:4])
    return year if isinstance(year, int) else None


def _phone(answer: str, answers: Level, beside: str, received: date) -> Iterator[str]:
    if not _VIETNAMESE.match(national(answer)):
        yield "Không giống số điện thoại ở Việt Nam: di động 10 số, cố định 11 số."


def _birth_date(answer: str, answers: Level, beside: str, received: date) -> Iterator[str]:
    if answer > received.isoformat():
        yield "Ngày sinh sau ngày máy chủ nhận phiếu."
    elif received.year - int(answer[:4]) > OLDEST:
        yield f"Ngày sinh cách đây hơn {OLDEST} năm."


def _visit_date(answer: str, answers: Level, beside: str, received: date) -> Iterator[str]:
    if answer > received.isoformat():
        yield "Ngày đến sau ngày máy chủ nhận phiếu."


_ENDS = {"pid": PERSONAL_ID, "phone": PHONE, "dob": BIRTH_DATE}
_LOOKS: Mapping[str, Callable[[str, Level, str, date], Iterator[str]]] = {
    PERSONAL_ID: _personal_id,
    PHONE: _phone,
    BIRTH_DATE: _birth_date,
    VISIT_DATE: _visit_date,
}
