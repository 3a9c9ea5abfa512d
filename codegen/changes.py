"""Differences between a shipped specification and a newer one, reported by the operations of ours that they touch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NOT_TOUCHED, TOUCHED, FAILED = 0, 1, 2
"""Exit codes of `refresh`: whether a change touches our operations, or the comparison failed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference, in words; `operations` are ours that it may break or surprise, none if it is harmless to us."""

    text: str
    operations: tuple[str, ...] = ()


def report(vendor: str, changes: Sequence[Change]) -> Iterable[str]:
    """Write the changes that touch us, each with its operations, then the others."""
    touching = [change for change in changes if change.operations]
    others = [change for change in changes if not change.operations]
    if not changes:
        yield f"{vendor}: nothing has changed"
        return
    yield f"{vendor}: {len(touching)} of {len(changes)} changes touch our operations"
    for change in touching:
        yield f"  {change.text}"
        yield f"      in {', '.join(change.operations)}"
    if others:
        yield "others:"
        yield from (f"  {change.text}" for change in others)
