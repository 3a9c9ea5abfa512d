"""What differs between a shipped specification and a newer one, told by the operations of ours that it touches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `text` says which, `operations` are ours that it may break or surprise; none: it does not."""

    text: str
    operations: tuple[str, ...] = ()


def report(vendor: str, changes: Sequence[Change]) -> Iterable[str]:
    """Write the changes that touch us, each with its operations, then the others."""
    touching = [change for change in changes if change.operations]
    others = [change for change in changes if not change.operations]
    if not changes:
        yield f"{vendor}: nothing has changed"
        return
    yield f"{vendor}: {len(touching)} that touch our operations, {len(others)} others"
    for change in touching:
        yield f"  {change.text}"
        yield f"      in {', '.join(change.operations)}"
    if others:
        yield "others:"
        yield from (f"  {change.text}" for change in others)
