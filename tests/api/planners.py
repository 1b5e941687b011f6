"""What a scheduler does in tests: visits by hand, lists issued and read."""

from collections.abc import Mapping
from datetime import date, timedelta
from io import BytesIO
from typing import Any

from python_calamine import CalamineWorkbook

from server.clock import now
from sync.times import local_date
from tests.api.builders import AREA, moment
from tests.api.conftest import Town
from tests.api.homes import Home


def today(days: int = 0) -> date:
    return local_date(now()) + timedelta(days=days)


def asked(town: Town, subject: str, days: int = 1, user: str = "c1", **more: Any) -> str:
    """Add a visit by hand that is due in so many days; returns its id."""
    body = {"subject": subject, "due": today(days).isoformat(), "reason": "Xem giếng nước"} | more
    return town.act("visits", user, **body)["id"]


def unregistered(town: Town, days: int) -> str:
    """A child of so many days whose birth is not registered: a visit that the law wants is due at 30, 45 and 60."""
    family = Home(town)
    seen = town.child(family.child, "s1")
    values = {"dob": moment(-days)[:10], "birth_reg": "3"}
    town.act(f"entities/child/{family.child}/correct", base=seen["etag"], values=values, reason="Giấy chứng sinh")
    return family.child


def issued(town: Town, day: date, kind: str = "daily", user: str = "c1", **more: Any) -> dict[str, dict[str, Any]]:
    """Issue lists; collaborator -> his list."""
    numbers = town.act("lists", user, area=AREA, kind=kind, day=day.isoformat(), **more)["numbers"]
    found = [town.get(f"/api/v1/lists/{number}", user).get_json() for number in numbers]
    assert len({one["collaborator"] for one in found}) == len(found)
    return {one["collaborator"]: one for one in found}


def lines(body: Mapping[str, Any], carried: bool = False) -> list[str]:
    """The subjects of the lines of a list, in order; of those alone that are carried over, or are not."""
    return [line["subject"] for line in body["lines"] if line["carried"] is carried]


def plan(town: Town, user: str = "c1", **query: str) -> list[dict[str, Any]]:
    answer = town.app.test_client().get(
        "/api/v1/visits", query_string=query, headers={"Authorization": f"Bearer {town.tokens[user]}"}
    )
    assert answer.status_code == 200, answer.text
    return answer.get_json()["visits"]


def week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def sheet(data: bytes) -> list[list[Any]]:
    """The cells of a workbook, as another program reads them."""
    return CalamineWorkbook.from_filelike(BytesIO(data)).get_sheet_by_index(0).to_python()
