"""The list of wrong variants fits the code as it is now, so that no change of the code lets it rot."""

import ast
from collections import Counter

import pytest

from tests.mutants.patches import ROOT, Mutant, load

MUTANTS = load()


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) >= 25
    assert [name for name, times in Counter(mutant.name for mutant in MUTANTS).items() if times > 1] == []
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_patch_fits_where_it_is_to_be_applied(mutant: Mutant) -> None:
    """Its text stands there once, what comes out is another program, and the tests that must notice it exist."""
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutant.apply(text))) != ast.dump(ast.parse(text))
    assert mutant.wrong.endswith(".") and "\n" not in mutant.wrong
    assert mutant.tests
    for test in mutant.tests:
        path, _, function = test.partition("::")
        assert (ROOT / path).is_file(), path
        assert not function or f"def {function.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")
