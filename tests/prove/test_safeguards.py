"""Each safeguard alone: whatever is taken out of the rules of life, a test of theirs or the model notices."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.prove.mutants import Mutant, mutants
from tests.prove.test_model import run

pytestmark = pytest.mark.prove

RULES: Final = Path(__file__).parents[1] / "unit" / "execution" / "test_life.py"
SAMPLES: Final = 150
SURVIVORS: Final[Mapping[str, str]] = {}
"""Mutants that nothing can notice, each with the reason."""
_KILLED, _SURVIVED = 10, 0


@pytest.mark.parametrize("mutant", [pytest.param(each, id=each.name) for each in mutants()])
def test_without_it_a_test_fails(mutant: Mutant) -> None:
    killed = _in_a_child(mutant, _fails_rules) or _in_a_child(mutant, _fails_model)
    assert killed is (mutant.name not in SURVIVORS)


def test_without_a_mutant_none_fails() -> None:
    nothing = Mutant("nothing", lambda: None)
    assert not _in_a_child(nothing, _fails_rules)
    assert not _in_a_child(nothing, _fails_model)


def test_no_survivor_is_listed_that_is_no_mutant() -> None:
    assert SURVIVORS.keys() <= {mutant.name for mutant in mutants()}


def _fails_rules() -> bool:
    """Whether a test of the rules fails; those that compare tables with the documentation do not count."""
    return pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-k", "not architecture", str(RULES)]) != 0


def _fails_model() -> bool:
    try:
        run(1, SAMPLES, 20)
    except BaseException:  # noqa: BLE001 - whatever it is, it was noticed
        return True
    return False


def _in_a_child(mutant: Mutant, fails: Callable[[], bool]) -> bool:
    """Say whether something fails with a mutant in force, which stays in a process of its own."""
    child = os.fork()
    if child == 0:
        status = _KILLED
        try:
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            logging.disable(logging.CRITICAL)
            mutant.apply()
            status = _KILLED if fails() else _SURVIVED
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == _KILLED
