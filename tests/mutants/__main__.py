"""`python -m tests.mutants [NAME...]`: apply each wrong variant to a copy and run the tests that must notice.

Exit 0 if all were noticed, 1 if one survived, 2 if the tests fail without any, or a name or a test is not known.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from tests.mutants.patches import ROOT, Mutant, load
from tests.mutants.tree import Copy, Run

COPIES = 2
EXAMPLES = "100"  # worlds that each property is shown, unless TOAM_EXAMPLES says otherwise
TIMEOUT = 120.0  # seconds for one mutant
BASELINE_TIMEOUT = 900.0


def main(names: Sequence[str]) -> int:
    os.environ.setdefault("TOAM_EXAMPLES", EXAMPLES)
    mutants = load()
    if unknown := sorted(set(names) - {mutant.name for mutant in mutants}):
        print(f"no mutant is called {', '.join(unknown)}")
        return 2
    chosen = [mutant for mutant in mutants if mutant.name in names or not names]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [Copy.of(ROOT, Path(folder) / str(number)) for number in range(COPIES)]
        if not sound(copies, chosen):
            return 2
        results = run_all(copies, chosen)
    survived = [mutant for mutant, run in results if run.passed]
    faults = [mutant for mutant, run in results if not run.passed and not run.noticed]
    total = f"{len(results)} mutants, {len(survived)} survived"
    print(f"{total}{f', {len(faults)} not tried' if faults else ''}; {time.monotonic() - begun:.0f} s")
    return 1 if survived else 2 if faults else 0


def sound(copies: Sequence[Copy], mutants: Sequence[Mutant]) -> bool:
    """Whether every test that must notice something passes while there is nothing to notice."""
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    shares = [share for number in range(len(copies)) if (share := tests[number :: len(copies)])]
    with ThreadPoolExecutor(len(copies)) as pool:
        runs = list(pool.map(lambda copy, share: copy.test(share, BASELINE_TIMEOUT, True), copies, shares))
    for run in runs:
        if not run.passed:
            print(f"{run.output}\nThese tests fail already without any mutant.")
    if all(run.passed for run in runs):
        print(f"without mutants: {len(tests)} tests or files of tests pass, {max(r.seconds for r in runs):.0f} s")
    return all(run.passed for run in runs)


def run_all(copies: Sequence[Copy], mutants: Sequence[Mutant]) -> list[tuple[Mutant, Run]]:
    """Try every mutant in whichever copy is free."""
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)
    printing = Lock()

    def attempt(mutant: Mutant) -> tuple[Mutant, Run]:
        copy = free.get()
        try:
            with copy.wrong(mutant):
                run = copy.test(mutant.tests, TIMEOUT)
        finally:
            free.put(copy)
        with printing:
            print(line(mutant, run), flush=True)
        return mutant, run

    with ThreadPoolExecutor(len(copies)) as pool:
        return list(pool.map(attempt, mutants))


def line(mutant: Mutant, run: Run) -> str:
    """What is printed of one mutant."""
    if run.passed:
        return f"SURVIVED {mutant.name}: {mutant.wrong}"
    if not run.noticed:
        return f"NOT TRIED {mutant.name}: its tests cannot be run\n{run.output}"
    return f"killed  {mutant.name}  by {run.by}  {run.seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
