"""In which order homes are walked to: hamlet by hamlet, within each to the nearest one that is left."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Point = tuple[float, float]  # latitude and longitude in degrees


@dataclass(frozen=True)
class Home:
    """A household to be walked to; without a `point` only its hamlet is known."""

    id: str
    hamlet: str
    point: Point | None = None


def point_of(geopoint: object) -> Point | None:
    """The point of an ODK geopoint (`latitude longitude altitude accuracy`); None if it names no place on Earth."""
    try:
        latitude, longitude = (float(part) for part in str(geopoint).split()[:2])
    except ValueError:
        return None
    on_earth = abs(latitude) <= 90 and abs(longitude) <= 180  # also false for NaN
    return (latitude, longitude) if on_earth and (latitude, longitude) != (0, 0) else None


def walk(homes: Iterable[Home], start: Point | None = None) -> list[Home]:
    """All homes, each once. Those without coordinates come last in their hamlet, by id.

    Without a `start` the walk begins in the first hamlet's south-westernmost home, so that a list printed again has
    the same order.
    """
    by_hamlet: dict[str, list[Home]] = {}
    for home in homes:
        by_hamlet.setdefault(home.hamlet, []).append(home)
    order: list[Home] = []
    for hamlet in sorted(by_hamlet):
        here = sorted(by_hamlet[hamlet], key=lambda home: home.id)
        walked = _nearest_first([home for home in here if home.point is not None], start)
        start = walked[-1].point if walked else start
        order += [*walked, *(home for home in here if home.point is None)]
    return order


def _nearest_first(left: list[Home], start: Point | None) -> list[Home]:
    order: list[Home] = []
    while left:
        following = min(left, key=lambda home: (_order(home, start), home.id))
        left.remove(following)
        order.append(following)
        start = following.point
    return order


def _order(home: Home, start: Point | None) -> tuple[float, ...]:
    assert home.point is not None
    return home.point if start is None else (distance(home.point, start),)


def distance(one: Point, other: Point) -> float:
    """Metres between two points of a province, where the Earth may be taken as flat."""
    middle = math.radians((one[0] + other[0]) / 2)
    north = math.radians(one[0] - other[0])
    east = math.radians(one[1] - other[1]) * math.cos(middle)
    return 6_371_000 * math.hypot(north, east)


def last_point(walked: Sequence[Home]) -> Point | None:
    """Where a walk ends, as far as is known."""
    return next((home.point for home in reversed(walked) if home.point is not None), None)
