"""A follow-up rule as sentences, made from the rule itself."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.entity_types import Property
from server.console.words import ROLES
from server.reading.words import Words
from server.world import Nest
from sync.visits.escalation import Escalation
from sync.visits.rules import Clock, Rule, Trigger, Unit, Waiting

ELSEWHERE = "child_elsewhere"  # found when planning: no property has it
UNITS = {
    Unit.HOUR: _l("giờ"),
    Unit.WORKING_DAY: _l("ngày làm việc"),
    Unit.DAY: _l("ngày"),
    Unit.MONTH: _l("tháng"),
    Unit.YEAR: _l("năm"),
}
AGES = {"day": _l("ngày tuổi"), "month": _l("tháng tuổi"), "year": _l("tuổi")}
ORIGINS = {"received_at": _l("khi máy chủ nhận được thông tin")}
TOLD = {"supervisor": _l("cán bộ bảo vệ trẻ em"), "chairman": _l("chủ tịch xã"), "city": _l("thành phố")}
WAITS = {"case": _l("chờ phần hồ sơ can thiệp trẻ"), "slip": _l("chờ phiếu hằng tháng của cộng tác viên dân số")}


class RuleWords:
    """Says one server's rules in the reader's language."""

    def __init__(self, nest: Nest, words: Words) -> None:
        self.nest, self.words = nest, words
        self.titles = {form.id: form.title for form in nest.catalogue.current()}

    def sentence(self, rule: Rule | Waiting) -> str:
        """When and until when somebody goes."""
        if isinstance(rule, Waiting):
            when = self.clock(rule.clock, "", once=True)
            return _("Chưa lập lượt thăm nào (%(what)s). Sau này: %(when)s.", what=WAITS[rule.waits_for], when=when)
        when = self.clock(rule.clock, rule.subject, rule.once)
        return _("Khi %(what)s thì %(when)s.", what=self.trigger(rule), when=when)

    def trigger(self, rule: Rule) -> str:
        """What starts it."""
        if rule.trigger is Trigger.NOBODY_HOME:
            return _("đến mà vắng nhà")
        return self.condition(rule.state or {}, rule.subject)

    def condition(self, raw: Mapping[str, Any], subject: str, inside: bool = False) -> str:
        """A condition of the rules' language in words (`sync.visits.conditions`)."""
        for word, join in (("all", _(" và ")), ("any", _(" hoặc "))):
            if word in raw:
                said = join.join(self.condition(part, subject, inside=True) for part in raw[word])
                return f"({said})" if inside and len(raw[word]) > 1 else said
        if "not" in raw:
            return _("không phải %(what)s", what=self.condition(raw["not"], subject, inside=True))
        if "age" in raw:
            return self._age(raw["age"])
        if "child" in raw:
            below = raw["child"]["below"]
            if raw["child"].get("at_risk"):
                return _("trong hộ có trẻ dưới %(age)s tuổi đang có nguy cơ", age=below)
            return _("trong hộ có trẻ dưới %(age)s tuổi", age=below)
        return self._property(raw, subject)

    def _age(self, raw: Mapping[str, Any]) -> str:
        unit, low, below = AGES[str(raw.get("unit", "year"))], raw.get("from"), raw.get("below")
        if low is not None and below is not None:
            return _("trẻ từ %(low)s đến dưới %(below)s %(unit)s", low=low, below=below, unit=unit)
        if below is not None:
            return _("trẻ dưới %(below)s %(unit)s", below=below, unit=unit)
        return _("trẻ từ %(low)s %(unit)s", low=low or 0, unit=unit)

    def _property(self, raw: Mapping[str, Any], subject: str) -> str:
        prop = self.find(str(raw["property"]), subject)
        called = self.called(str(raw["property"]), subject)
        if called is None:
            return _("trẻ được báo sống ở xã, phường khác")
        if "blank" in raw:
            return _("“%(what)s” để trống", what=called) if raw["blank"] else _("“%(what)s” có ghi", what=called)
        if "below" in raw:
            return _("“%(what)s” dưới %(count)s", what=called, count=raw["below"])
        if "contains" in raw:
            return _("“%(what)s” có “%(value)s”", what=called, value=self._value(prop, raw["contains"]))
        codes = raw["in"] if "in" in raw else [raw["equals"]]
        values = _(" hoặc ").join(f"“{self._value(prop, code)}”" for code in codes)
        return _("“%(what)s” là %(value)s", what=called, value=values)

    def find(self, name: str, subject: str) -> Property | None:
        """The property of which a rule speaks; of a submission it is that of a report or of a protected half."""
        types = self.nest.catalogue.types
        for kind in (subject, "child_protected", "report", "child", "household"):
            if kind in types and name in types[kind].properties:
                return types[kind].properties[name]
        return None

    def called(self, name: str, subject: str) -> str | None:
        """What it is called; None for what is found when planning."""
        prop = self.find(name, subject)
        return self.words.label(prop) if prop is not None else None if name == ELSEWHERE else name

    def _value(self, prop: Property | None, code: str) -> str:
        if prop is None:
            return code
        return self.words.code(prop.list or "", code)

    def clock(self, clock: Clock, subject: str, once: bool) -> str:
        """When it is due."""
        unit = UNITS[clock.unit]
        start = clock.origin or clock.since
        since = str(ORIGINS.get(start, "")) if start else ""
        if start and not since:
            since = _("“%(what)s”", what=self.called(start, subject) or start)
        if clock.every:
            return _("thăm %(count)s %(unit)s một lần, tính từ %(since)s", count=clock.every, unit=unit, since=since)
        if clock.at:
            marks = ", ".join(map(str, clock.at))
            if since:
                return _("thăm vào mốc %(marks)s %(unit)s sau %(since)s", marks=marks, unit=unit, since=since)
            return _("thăm vào lúc trẻ được %(marks)s %(unit)s", marks=marks, unit=AGES[clock.unit.value])
        return self._counted(clock, unit, since, once)

    def _counted(self, clock: Clock, unit: Any, since: str, once: bool) -> str:
        said = _("thăm trong %(count)s %(unit)s", count=clock.count, unit=unit) if clock.count else _("làm ngay")
        if clock.since:
            return _("%(what)s kể từ %(since)s gần nhất", what=said, since=since)
        if since:
            said = _("%(what)s kể từ %(since)s", what=said, since=since)
        if once or not clock.count:
            return said
        return _("%(what)s; còn như vậy thì nhắc lại mỗi %(count)s %(unit)s", what=said, count=clock.count, unit=unit)

    def details(self, rule: Rule) -> Iterator[str]:
        """Who goes, when it counts as made in time, with which form, who hears of it when not."""
        yield _("Người làm: %(who)s.", who=ROLES[rule.role])
        if rule.before or rule.after:
            yield _("Làm được từ %(b)s ngày trước đến %(a)s ngày sau hạn.", b=rule.before, a=rule.after)
        forms = [str(self.titles.get(form, form)) for form in rule.done_by]
        yield _("Xong khi có phiếu: %(forms)s.", forms="; ".join(forms))
        if rule.absorbs:
            yield _("Làm thay luôn cho: %(rules)s.", rules=", ".join(rule.absorbs))
        if rule.escalate_after:
            yield _("Vắng nhà từ %(count)s lần thì chuyển cho cán bộ.", count=rule.escalate_after)
        for step in rule.steps:
            yield self._step(step)

    def _step(self, step: Escalation) -> str:
        who = TOLD[step.to]
        if step.failed is not None:
            return _("Vắng nhà %(count)s lần: báo %(who)s.", count=step.failed, who=who)
        kind, _sep, number = step.name.rpartition("-")
        if kind == "hours":
            return _("Sau %(count)s giờ chưa xong: báo %(who)s.", count=number, who=who)
        if number == "0":
            return _("Hết hạn chưa xong: báo %(who)s.", who=who)
        return _("Trễ %(count)s ngày: báo %(who)s.", count=number, who=who)


def certainty(rule: Rule | Waiting) -> Sequence[str]:
    """Marks of how sure a rule's source is: `law`, `proposal`, `unverified`."""
    said = rule.source.lower()
    marks = ["law" if rule.statutory else "proposal"]
    return [*marks, "unverified"] if "chưa kiểm chứng" in said or "thứ cấp" in said else marks


# What is wrong with a file, as the rules' reader says it (in English, for its log), in the words of the page.
_WRONG = (
    ("the law gives no longer term", _l("hạn dài hơn mức luật cho phép")),
    ("it cannot be taken out", _l("luật bắt buộc có quy tắc này; không được bỏ")),
    ("it cannot end without a next version", _l("quy tắc luật định không được kết thúc khi chưa có bản tiếp theo")),
    ("the law asks for this rule since", _l("luật đòi quy tắc này có hiệu lực sớm hơn")),
    ("statutory: the law asks for this rule", _l("luật bắt buộc có quy tắc này; statutory phải là true")),
    ("the rules file is no YAML", _l("tệp không phải YAML")),
    ("needs a list under", _l("tệp cần một danh sách dưới mục rules")),
    ("two rules about a", _l("hai bản của cùng một quy tắc có hiệu lực trong cùng một ngày")),
    ("another entry of this code works already", _l("mã này đã có bản đang chạy")),
    ("unknown field", _l("có mục không được biết")),
    ("is missing", _l("thiếu một mục")),
    ("texts need name and why", _l("texts cần name và why bằng cả vi và en")),
    ("is no condition", _l("điều kiện không đúng cách viết")),
    ("needs exactly one of", _l("điều kiện cần đúng một phép so")),
    ("codes are quoted texts", _l("mã phải viết trong dấu nháy")),
    ("a clock needs either", _l("clock cần đúng một trong count, at, every")),
    ("the file is too long", _l("tệp quá dài")),
    ("nested too deeply", _l("tệp lồng quá nhiều tầng")),
    ("repeats itself too often", _l("tệp lặp lại quá nhiều qua dấu neo")),
)


def wrong(said: str) -> str:
    """A message of the rules' reader in words; what is not known is told in general."""
    found = next((str(words) for part, words in _WRONG if part in said), None)
    return found or _("tệp không dùng được")
