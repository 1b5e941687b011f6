"""Who knew of whom, with circles of claims opened.

Two ops that claim to have seen each other (a broken or hostile phone) are taken as knowing neither.
"""

from collections.abc import Iterable, Mapping

Known = Mapping[str, frozenset[str]]  # op -> the ops that it had seen


def without_circles(claims: Known) -> dict[str, frozenset[str]]:
    """The claims without those between ops that reach each other through claims."""
    circles = circles_of(claims)
    if not circles:
        return dict(claims)
    return {
        sub: frozenset(other for other in seen if sub not in circles or circles.get(other) != circles[sub])
        for sub, seen in claims.items()
    }


def circles_of(claims: Known) -> dict[str, int]:
    """Number the groups of ops that reach each other through claims; ops outside of any are left out.

    Kosaraju's algorithm with explicit stacks: a hostile chain may be longer than the interpreter's.
    """
    finished = _by_finish(claims)
    back: dict[str, list[str]] = {sub: [] for sub in claims}
    for sub, seen in claims.items():
        for other in seen:
            back[other].append(sub)
    group: dict[str, int] = {}
    size: dict[int, int] = {}
    for number, start in enumerate(reversed(finished)):
        stack = [start]
        while stack:
            sub = stack.pop()
            if sub not in group:
                group[sub] = number
                size[number] = size.get(number, 0) + 1
                stack += back[sub]
    return {sub: number for sub, number in group.items() if size[number] > 1}


def causes_first(subs: Iterable[str], known: Known) -> list[str]:
    """Order ops so that each comes after those it knew, by id where that is free; `known` has no circles."""
    left = set(subs)
    order: list[str] = []
    for start in sorted(left):
        stack = [(start, False)]
        while stack:
            sub, leaving = stack.pop()
            if leaving:
                order.append(sub)
            elif sub in left:
                left.discard(sub)
                stack.append((sub, True))
                stack += [(other, False) for other in sorted(known[sub], reverse=True) if other in left]
    return order


def _by_finish(claims: Known) -> list[str]:
    done: set[str] = set()
    order: list[str] = []
    for start in sorted(claims):
        stack = [(start, False)]
        while stack:
            sub, leaving = stack.pop()
            if leaving:
                order.append(sub)
            elif sub not in done:
                done.add(sub)
                stack.append((sub, True))
                stack += [(other, False) for other in sorted(claims[sub]) if other not in done]
    return order
