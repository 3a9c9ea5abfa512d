"""Faults put between a client and a system: what is answered instead, cut short, late or never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What happens to the request, or to its answer if it is to be processed first."""

    STATUS = "status"
    """Answered with `status`, `headers` and `body`."""
    HTML = "html"
    """Answered with an HTML page, as a gateway does; `status` is 502 unless given."""
    JSON = "json"
    """Answered with `body` as JSON; `status` is 200 unless given."""
    TRUNCATE = "truncate"
    """The answer ends half-way, and the connection with it."""
    CUT = "cut"
    """The connection is closed without an answer."""
    DELAY = "delay"
    """It takes `seconds` longer."""
    SILENCE = "silence"
    """Nothing is answered; after `seconds`, if given, the connection is closed."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault is for; what is None does not matter."""

    method: str | None = None
    path: str | None = None
    """Part of the path."""
    body: str | None = None
    """Part of the body."""

    def fits(self, method: str, path: str, body: str) -> bool:
        """Whether a request is one of those."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or self.path in path)
            and (self.body is None or self.body in body)
        )


@dataclass(slots=True)
class Fault:
    """One prepared fault."""

    system: str
    kind: FaultKind
    match: Match = field(default_factory=Match)
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    seconds: float | None = None
    times: int | None = 1
    """How many matching requests it hits; None is all of them."""
    after: bool = False
    """True: the request is processed first and only its answer is hit. False: it never reaches the system."""


class FaultBook:
    """The prepared faults; the first that fits a request hits it."""

    def __init__(self) -> None:
        """Start without any fault."""
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Prepare a fault, behind those already there."""
        self.faults.append(fault)

    def clear(self) -> None:
        """Drop every prepared fault."""
        self.faults.clear()

    def take(self, system: str, method: str, path: str, body: str) -> Fault | None:
        """The fault that hits this request, used up once more."""
        for fault in self.faults:
            if fault.system == system and fault.match.fits(method, path, body):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None
