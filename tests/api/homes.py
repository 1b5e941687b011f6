"""A family on the server under test, and what a page tells of it."""

from collections.abc import Mapping
from typing import Any

from tests.api.builders import new_id, register, rewrite, visit
from tests.api.conftest import Town

NAME = "Trần Thị Bưởi"


def ids(page: Mapping[str, Any], kind: str = "entities") -> set[str]:
    found = [one["id"] for one in page[kind]]
    assert len(found) == len(set(found))
    return set(found)


class Home:
    """A household with one child, registered by u1 in hamlet 01."""

    def __init__(self, town: Town, **more: Any) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}, **more))

    @property
    def ids(self) -> set[str]:
        return {self.home, self.child}

    def visit(self, user: str = "u1", **answers: Any) -> dict[str, Any]:
        seen = self.town.child(self.child, "s1")
        return self.town.apply(visit(self.child, NAME, seen["etag"], seen["data"], **answers), user)

    def move(self, ward: str, hamlet: str, user: str = "s1") -> None:
        seen = self.town.household(self.home, user)
        moved = rewrite(self.home, seen["etag"], seen["data"], ward_code=ward, hamlet_code=hamlet)
        self.town.apply(moved, user)
