"""The table of guarantees that proofs compare with is the one that users read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.prove.guarantees import TABLE, Column, Promise, Row
from tests.support.host import ROOT
from tests.support.systems import NAMES, SYSTEMS

GUIDE: Final = ROOT / "docs" / "guides" / "guarantees.md"
_QUALIFICATION: Final = ", unless someone else starts the same inputs at that moment"
"""What the guide adds to a cell, and no proof can bring about."""


def in_words(promises: Mapping[str, Promise]) -> str:
    """Return a cell as the guide has it: one word, or what differs between the systems."""
    words = [promises[system].value for system in SYSTEMS]
    if len(set(words)) == 1:
        return words[0]
    if words[1] == words[2]:
        return f"{NAMES['harness']}: {words[0]}. Others: {words[1]}"
    return ". ".join(f"{NAMES[system]}: {promises[system].value}" for system in ("harness", "vcd", "nexthink"))


def test_the_guide_says_what_is_proven() -> None:
    lines = [line.strip("| ").split(" | ") for line in GUIDE.read_text("utf-8").splitlines() if line.startswith("| ")]
    header, *rows = lines[: next(i for i, line in enumerate(lines) if line[0].startswith("The newest"))]
    assert header[1:] == [column.value for column in Column]
    guide = {row[0]: row[1:] for row in rows}
    for row in Row:
        first, *others = [in_words(TABLE[row][column]) for column in Column]
        cells = [cell.replace(_QUALIFICATION, "") for cell in guide[row.value]]
        assert cells == [first, *("as without key" if row is Row.UNANSWERED else other for other in others)]
