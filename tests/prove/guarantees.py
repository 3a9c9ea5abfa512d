"""The table of guarantees, as far as deaths of processes go, in a form that cases are compared with.

`docs/guides/guarantees.md` is the same table in words; a test compares the rows and the cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Promise(StrEnum):
    """What is promised of a wish, in the words of the guide."""

    ONE = "yes"
    """Exactly one run, without anybody's help."""
    SETTLED = "no second start; you settle whether it started"
    """The same; or none is started until the user has said whether one did."""
    NONE = "no"
    """A second run may be started."""


class Column(StrEnum):
    """What the user has set."""

    PLAIN = "Without key"
    KEY = "With key"
    SHARED = "With key and shared journal"


class Row(StrEnum):
    """What happened, in the words of the guide."""

    KILLED = (
        "The provider or Terraform is killed, or the machine loses power, and the working directory or a shared "
        "journal is kept"
    )
    UNANSWERED = "The answer to a start is lost"
    UNSTORED = (
        "The provider or Terraform is killed before a state is written that has the run, and the working directory is "
        "lost too"
    )
    UNWRITTEN = (
        "Terraform is killed after the provider has ended and before a remote state is written: moments after the last "
        "run"
    )
    STORED = "The working directory is lost while a run is open, and the state has it"


_ALL_ONE: Final = dict.fromkeys(("harness", "nexthink", "vcd"), Promise.ONE)
_NEXTHINK_ASKS: Final = {**_ALL_ONE, "nexthink": Promise.SETTLED}
_ALL_NONE: Final = dict.fromkeys(("harness", "nexthink", "vcd"), Promise.NONE)
_MARKED: Final = {**_ALL_NONE, "harness": Promise.ONE}

TABLE: Final[Mapping[Row, Mapping[Column, Mapping[str, Promise]]]] = {
    Row.KILLED: dict.fromkeys(Column, _ALL_ONE),
    Row.UNANSWERED: dict.fromkeys(Column, _NEXTHINK_ASKS),
    Row.UNSTORED: {Column.PLAIN: _ALL_NONE, Column.KEY: _MARKED, Column.SHARED: _ALL_ONE},
    Row.UNWRITTEN: {Column.PLAIN: _ALL_NONE, Column.KEY: _ALL_ONE, Column.SHARED: _ALL_ONE},
    Row.STORED: dict.fromkeys(Column, _ALL_ONE),
}
"""What is promised of a run, by what happened, what is set, and the system."""
