"""The XPath of XForm binds, as far as a server can decide it: relevance, constraints, calculations.

An expression is compiled once and evaluated on answers. What cannot be decided here (an entity list on the
phone, `uuid()`, an unknown function) gives `None`, and `and`/`or` treat it as Kleene's third value, so that
no submission is ever refused for a condition that only the phone could know.
Source: ODK XForms specification, "XPath functions"; XPath 1.0 §3 for operators and conversions.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

Value = str | float | bool | None  # None: not decidable


class Scope(Protocol):
    """Where the names of an expression are looked up."""

    def value(self, name: str) -> Value:
        """The XPath string of the question called `name`, '' if blank; None if not decidable."""

    @property
    def today(self) -> date:
        """The date that `today()` stands for."""


Expression = Callable[[Scope, Value], Value]  # (scope, the value that `.` stands for)

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"[^"]*"|'[^']*')
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<path>(?:\.\./|/)[\w./-]*\w|\.(?![\w./]))
    | (?P<name>[A-Za-z_][\w.-]*)
    | (?P<op><=|>=|!=|[=<>+*(),-])
    )\s*""",
    re.VERBOSE,
)
_LEVELS: tuple[tuple[str, ...], ...] = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"))
_PRODUCTS = ("*", "div", "mod")
_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}")
_NUMBER = re.compile(r"\A-?(\d+(\.\d*)?|\.\d+)\Z", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()


class _Undecidable(Exception):
    """The expression uses something that only the phone can know."""


def compile_expression(source: str) -> Expression:
    """Compile one XPath expression; an unsupported one compiles to 'not decidable'."""
    try:
        parser = _Parser(_tokens(source))
        expression = parser.binary(0)
        if not parser.done:
            raise _Undecidable
    except _Undecidable:
        return lambda scope, here: None
    return expression


def truth(value: Value) -> bool | None:
    """XPath `boolean()` with the third value kept."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value != ""
    return not (value == 0 or math.isnan(value))


def number(value: Value) -> float:
    """XPath `number()`; a date string counts as its days since 1970-01-01, as in JavaRosa."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        if _DATE.match(value):
            try:
                return float(date.fromisoformat(value[:10]).toordinal() - _EPOCH)
            except ValueError:
                return math.nan
        return float(value) if _NUMBER.match(value.strip(" \t\r\n")) else math.nan
    return math.nan if value is None else value


def string(value: Value) -> str:
    """XPath `string()`: integers without a decimal point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value):
            return "NaN" if math.isnan(value) else "-Infinity" if value < 0 else "Infinity"
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return value or ""


def _tokens(source: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None or match.end() == position:
            raise _Undecidable
        kind = match.lastgroup or ""
        tokens.append((kind, match.group(kind)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the grammar of XPath 1.0 §3, without node sets."""

    def __init__(self, tokens: Sequence[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._tokens)

    def _peek(self) -> str:
        return "" if self.done else self._tokens[self._at][1]

    def _take(self, expected: str | None = None) -> tuple[str, str]:
        if self.done or (expected is not None and self._peek() != expected):
            raise _Undecidable
        self._at += 1
        return self._tokens[self._at - 1]

    def binary(self, level: int) -> Expression:
        operators = _LEVELS[level] if level < len(_LEVELS) else _PRODUCTS
        operand = self._unary if operators is _PRODUCTS else lambda: self.binary(level + 1)
        left = operand()
        while self._peek() in operators and self._tokens[self._at][0] != "string":
            left = _operation(self._take()[1], left, operand())
        return left

    def _unary(self) -> Expression:
        if self._peek() != "-":
            return self._primary()
        self._take()
        inner = self._unary()
        return lambda scope, here: None if (v := inner(scope, here)) is None else -number(v)

    def _primary(self) -> Expression:
        kind, text = self._take()
        if kind == "string":
            return lambda scope, here: text[1:-1]
        if kind == "number":
            return lambda scope, here: float(text)
        if kind == "path":
            name = text.rsplit("/", 1)[-1]
            return (lambda scope, here: here) if text == "." else (lambda scope, here: scope.value(name))
        if text == "(":
            inner = self.binary(0)
            self._take(")")
            return inner
        if kind == "name" and self._peek() == "(":
            return self._call(text)
        raise _Undecidable

    def _call(self, name: str) -> Expression:
        self._take("(")
        arguments: list[Expression] = []
        while self._peek() != ")":
            arguments.append(self.binary(0))
            if self._peek() == ",":
                self._take(",")
        self._take(")")
        if not self.done and self._peek().startswith("/"):
            raise _Undecidable
        return _function(name, arguments)


def _operation(operator: str, left: Expression, right: Expression) -> Expression:
    if operator == "and":
        return lambda scope, here: _both(truth(left(scope, here)), lambda: truth(right(scope, here)))
    if operator == "or":
        return lambda scope, here: _either(truth(left(scope, here)), lambda: truth(right(scope, here)))
    apply = _COMPARE.get(operator) or _ARITHMETIC[operator]

    def evaluate(scope: Scope, here: Value) -> Value:
        a, b = left(scope, here), right(scope, here)
        return None if a is None or b is None else apply(a, b)

    return evaluate


def _both(a: bool | None, rest: Callable[[], bool | None]) -> bool | None:
    if a is False:
        return False
    b = rest()
    return False if b is False else (None if a is None or b is None else True)


def _either(a: bool | None, rest: Callable[[], bool | None]) -> bool | None:
    if a is True:
        return True
    b = rest()
    return True if b is True else (None if a is None or b is None else False)


def _equal(a: Value, b: Value) -> bool:
    if type(a) is str and type(b) is str:  # nearly always
        return a == b
    if isinstance(a, bool) or isinstance(b, bool):
        return truth(a) == truth(b)
    if isinstance(a, float) or isinstance(b, float):
        return number(a) == number(b)
    return a == b


_COMPARE: dict[str, Callable[[Value, Value], Value]] = {
    "=": _equal,
    "!=": lambda a, b: not _equal(a, b),
    "<": lambda a, b: number(a) < number(b),
    "<=": lambda a, b: number(a) <= number(b),
    ">": lambda a, b: number(a) > number(b),
    ">=": lambda a, b: number(a) >= number(b),
}
_ARITHMETIC: dict[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: number(a) + number(b),
    "-": lambda a, b: number(a) - number(b),
    "*": lambda a, b: number(a) * number(b),
    "div": lambda a, b: number(a) / number(b) if number(b) else math.nan,
    "mod": lambda a, b: math.fmod(number(a), number(b)) if number(b) else math.nan,
}


def _format_date(value: Value, pattern: Value) -> Value:
    text = string(value)
    if not _DATE.match(text):
        return ""
    try:
        return date.fromisoformat(text[:10]).strftime(string(pattern))
    except ValueError:
        return ""


def _truncated(value: Value) -> Value:
    result = number(value)
    return result if math.isnan(result) or math.isinf(result) else float(math.trunc(result))


def _matches(value: Value, pattern: Value) -> Value:
    try:
        return re.fullmatch(string(pattern).removeprefix("^").removesuffix("$"), string(value)) is not None
    except re.error:
        return None


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "true": lambda: True,
    "false": lambda: False,
    "not": lambda a: not truth(a),
    "boolean": truth,
    "number": number,
    "string": string,
    "int": _truncated,
    "round": lambda a, digits=0.0: float(math.floor(number(a) * 10**digits + 0.5) / 10**digits),
    "selected": lambda a, code: string(code) in string(a).split(),
    "count-selected": lambda a: float(len(string(a).split())),
    "string-length": lambda a: float(len(string(a))),
    "contains": lambda a, b: string(b) in string(a),
    "starts-with": lambda a, b: string(a).startswith(string(b)),
    "concat": lambda *parts: "".join(string(part) for part in parts),
    "coalesce": lambda a, b: a if string(a) else b,
    "regex": _matches,
    "date": lambda a: a,
    "format-date": _format_date,
    "once": lambda a: a,
}


def _function(name: str, arguments: list[Expression]) -> Expression:
    if name == "today" and not arguments:
        return lambda scope, here: scope.today.isoformat()
    if name == "if" and len(arguments) == 3:
        return _conditional(*arguments)
    function = _FUNCTIONS.get(name)
    if function is None:
        return lambda scope, here: None  # what stands beside it may decide all the same

    def call(scope: Scope, here: Value) -> Value:
        values = [argument(scope, here) for argument in arguments]
        if any(value is None for value in values):
            return None
        try:
            return function(*values)
        except (TypeError, ValueError, OverflowError):
            return None  # the wrong number of arguments, or NaN where a whole number is needed

    return call


def _conditional(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    def evaluate(scope: Scope, here: Value) -> Value:
        decided = truth(condition(scope, here))
        return None if decided is None else (then if decided else otherwise)(scope, here)

    return evaluate
