"""`python -m tests.bench [sqlite] [postgresql]`: what a pull costs as the database grows. SQLite unless told.

Exit 0 if a small change costs the same on every size and no pull takes more requests than it has pages, else 1.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.measures import DELTA, Broken, Pull, deltas, first_pull, ratio
from tests.bench.village import HAMLETS, PEOPLE, Village, fill
from tests.databases import DATABASES, Postgres, application, close

SIZES = tuple(int(size) for size in os.environ.get("SIZES", "2000,20000,200000").split(","))
LIMITS = {2_000: 200}  # entries in a page of a first pull; 500 on the other sizes
ROUNDS = 60
MOST_RATIO = 1.2
TRIES = 3  # of a measurement that may be noisy


def main(names: Sequence[str]) -> int:
    if unknown := sorted(set(names) - set(DATABASES)):
        print(f"no database is called {', '.join(unknown)}; there are {', '.join(DATABASES)}")
        return 1
    return max(bench(name, SIZES, ROUNDS) for name in names or DATABASES[:1])


def bench(database: str, sizes: Sequence[int], rounds: int, most_ratio: float = MOST_RATIO) -> int:
    """Measure one kind of database and print the figures; 1 if one of them is not as it must be."""
    with tempfile.TemporaryDirectory(prefix="toam-bench-") as folder, urls(database, Path(folder)) as new_url:
        villages = []
        try:
            for size in sizes:
                begun = time.perf_counter()
                villages.append(fill(application(Path(folder) / str(size), new_url()), size))
                print(
                    f"{database}: {size:>7,} entities in {len(HAMLETS)} hamlets, {time.perf_counter() - begun:.0f} s"
                )
            return measure(villages, rounds, most_ratio)
        except Broken as error:
            print(f"BROKEN: {error}")
            return 1
        finally:
            for village in villages:
                close(village.app)


@contextmanager
def urls(database: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Makes URLs of empty databases."""
    if database == "sqlite":
        yield lambda: ""
        return
    server = Postgres(folder / "postgres")
    try:
        yield lambda: server.url(server.create())
    finally:
        server.close()


def measure(villages: Sequence[Village], rounds: int, most_ratio: float) -> int:
    print(f"\n{'first pull':<24}{'entities':>10}{'limit':>7}{'requests':>10}{'s':>8}{'MB':>8}{'MB gzip':>9}")
    tokens: dict[str, dict[int, str]] = {person: {} for person in PEOPLE}
    for person in PEOPLE:
        for village in villages:
            limit = LIMITS.get(village.size, 500)
            found = first_pull(village, person, limit)
            tokens[person][village.size] = found.token
            print(first_line(f"{person}, {village.size:,}", found, limit))
    results = [delta(villages, person, tokens[person], rounds, most_ratio) for person in PEOPLE]
    return 0 if all(results) else 1


def first_line(what: str, found: Pull, limit: int) -> str:
    sizes = f"{found.raw / 1e6:>8.2f}{found.zipped / 1e6:>9.2f}"
    return f"{what:<24}{found.entities:>10,}{limit:>7}{found.requests:>10}{found.seconds:>8.2f}{sizes}"


def delta(villages: Sequence[Village], person: str, tokens: dict[int, str], rounds: int, most: float) -> bool:
    """Whether a small change costs the same on the smallest and on the largest database."""
    for attempt in range(1, TRIES + 1):
        times = deltas(villages, person, tokens, rounds)
        found = ratio(times)
        medians = ", ".join(f"{size:,}: {1_000 * statistics.median(some):.1f} ms" for size, some in times.items())
        print(f"\n{person}, {DELTA} changes in 1 request, median of {rounds}: {medians}; ratio {found:.2f}")
        if found <= most:
            return True
        print(f"more than {most}, try {attempt} of {TRIES}")
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
