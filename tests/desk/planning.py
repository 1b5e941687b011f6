"""What the tests of the scheduler's pages share: families with visits that are due."""

from typing import Any

from tests.api.builders import AREA, new_id, register
from tests.api.homes import Home
from tests.api.planners import asked, today, week
from tests.api.towns import Town
from tests.desk.pages import words_of

WHY = "Nghỉ phép"


def families(town: Town, count: int = 3, hamlet: str = "01", **more: Any) -> list[Home]:
    """Families in a hamlet, each with a visit by hand that is due tomorrow."""
    found = [Home(town, hamlet_code=hamlet) for _ in range(count)]
    for one in found:
        asked(town, one.child, days=1, **more)
    return found


def elsewhere(town: Town) -> str:
    """A child of another area."""
    child = new_id()
    town.apply(register(new_id(), {child: "Lê Văn Xa"}, ward_code="31120"), "u5")
    return child


def this_week() -> str:
    return week(today(1))


def board(area: str = AREA, **filters: str) -> str:
    """The address of the board, of the week of tomorrow."""
    more = "".join(f"&{name}={value}" for name, value in filters.items())
    return f"/desk/plan?area={area}&week={this_week()}{more}"


def lines_of(page: Any) -> list[str]:
    """The visits on a board, as a reader sees them."""
    return [words_of(one) for one in page.xpath("//form//ul[@data-list]/li")]


def ticked(page: Any) -> list[str]:
    return [str(one) for one in page.xpath("//input[@name='ids']/@value")]
