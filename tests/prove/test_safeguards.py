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

UNIT: Final = Path(__file__).parents[1] / "unit" / "execution"
SAMPLES: Final = 300
SURVIVORS: Final[Mapping[str, str]] = {}
"""Mutants that nothing can notice, each with the reason."""
_KILLED, _SURVIVED = 10, 0


def _fails_rules() -> bool:
    """Whether a test of the rules fails; those that compare tables with the documentation do not count."""
    return _fails(UNIT / "test_life.py", "not architecture")


def _fails_journal() -> bool:
    """Whether a test of the journal fails, which moves runs by the rules."""
    return _fails(UNIT / "test_journal.py", "sqlite")


def _fails(file: Path, which: str) -> bool:
    options = ["-x", "-q", "-p", "no:cacheprovider", "--noconftest", "-k", which]
    return pytest.main([*options, str(file)]) is not pytest.ExitCode.OK


def _fails_model() -> bool:
    try:
        run(1, SAMPLES, 20, shortest=False)
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


@pytest.mark.parametrize("mutant", [pytest.param(each, id=each.name) for each in mutants()])
def test_without_it_a_test_fails(mutant: Mutant) -> None:
    killed = any(_in_a_child(mutant, fails) for fails in (_fails_rules, _fails_journal, _fails_model))
    assert killed is (mutant.name not in SURVIVORS)


@pytest.mark.parametrize("fails", [_fails_rules, _fails_journal, _fails_model])
def test_with_all_safeguards_none_fails(fails: Callable[[], bool]) -> None:
    assert not _in_a_child(Mutant("none", lambda: None), fails)


def test_no_survivor_is_listed_that_is_no_mutant() -> None:
    assert SURVIVORS.keys() <= {mutant.name for mutant in mutants()}
