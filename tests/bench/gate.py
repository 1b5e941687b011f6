"""What checking an answer costs: `python -m tests.bench.gate`. CPU time in µs, medians of 50 runs."""

from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from time import process_time
from typing import Any

from forms.catalogue import load_catalogue
from forms.schema import check
from tests.api.builders import VERSIONS, new_id, registration, situation

RUNS, ROUNDS = 50, 100


def answers() -> Mapping[str, dict[str, Any]]:
    """One realistic filling of each form: a mother with two children, a visit to a child at school."""
    children = {new_id(): "Nguyễn Thị Hoa", new_id(): "Nguyễn Văn Đức"}
    return {
        "household_registration": registration(new_id(), children),
        "child_situation": situation(new_id(), "Nguyễn Thị Hoa"),
    }


def cost(work: Callable[[], object]) -> float:
    """The median cost of one call in µs."""
    spent = []
    for _ in range(RUNS):
        begun = process_time()
        for _ in range(ROUNDS):
            work()
        spent.append((process_time() - begun) / ROUNDS * 1e6)
    return median(spent)


def main() -> None:
    catalogue = load_catalogue()
    for form, filled in answers().items():
        entry = catalogue.find(form, VERSIONS[form])
        assert entry is not None and entry.gate.load(filled) is not None
        slow = cost(partial(check, entry.schema, filled))
        fast = cost(partial(entry.gate.load, filled))
        twice = cost(partial(entry.gate.load, filled | {"zz": 1}))
        print(f"{form}: marshmallow {slow:.0f}, gate {fast:.0f} ({slow / fast:.0f} times), refusing {twice:.0f}")


if __name__ == "__main__":
    main()
