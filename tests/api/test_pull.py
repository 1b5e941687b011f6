"""What a device gets back: the pages of the feed, over HTTP."""

from typing import Any

from tests.api.builders import new_id, register
from tests.api.conftest import Town


def ids(page: dict[str, Any], kind: str = "entities") -> list[str]:
    return [one["id"] for one in page[kind]]


def test_a_page(town: Town) -> None:
    home, child = new_id(), new_id()
    body = town.sync([register(home, {child: "Trần Thị Bưởi"})])
    assert sorted(ids(body["page"])) == sorted([home, child])
    print(body)
