"""Faults: what happens to a request between a client and a simulated system.

A provider must survive two different losses that look alike to a client: a request that never arrived, and one that was
processed although its response was lost. A start sent again is harmless after the first and a second run after the
other. Every kind of fault can therefore strike before the system sees the request or, with `after`, once it has been
processed; the recorded requests and runs then tell whether the provider drew the right conclusion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field


class FaultKind(StrEnum):
    """What happens to the request, or with `after` to its response."""

    STATUS = "status"
    """Answered with `status`, `headers` and `body`."""
    HTML = "html"
    """Answered with an HTML page, as a gateway does; `status` defaults to 502."""
    JSON = "json"
    """Answered with `body` as JSON; `status` defaults to 200."""
    TRUNCATE = "truncate"
    """The response ends half-way, and the connection with it."""
    CUT = "cut"
    """The connection is closed without a response."""
    DELAY = "delay"
    """The response takes `seconds` longer."""
    SILENCE = "silence"
    """No response; after `seconds`, if set, the connection is closed."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault strikes; None matches any."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    method: str | None = None
    path: str | None = None
    """Substring of the path."""
    body: str | None = None
    """Substring of the body."""

    def fits(self, method: str, path: str, body: str) -> bool:
        """Whether a request is one of them."""
        return (
            (self.method is None or self.method.upper() == method)
            and (self.path is None or self.path in path)
            and (self.body is None or self.body in body)
        )


@dataclass(slots=True)
class Fault:
    """One prepared fault, also the body of POST /faults."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    system: str
    kind: FaultKind
    match: Match = field(default_factory=Match)
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    times: Annotated[int, Field(ge=1)] | None = 1
    """How many matching requests it strikes; None strikes all of them."""
    after: bool = False
    """True: the request is processed, and only its response is struck. False: it never reaches the system."""


class FaultBook:
    """The prepared faults; the first that matches a request strikes it."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Prepare a fault, after those already prepared."""
        self.faults.append(fault)

    def clear(self) -> None:
        """Remove every prepared fault."""
        self.faults.clear()

    def take(self, system: str, method: str, path: str, body: str) -> Fault | None:
        """The fault that strikes this request, counted as used once."""
        for fault in self.faults:
            if fault.system == system and fault.match.fits(method, path, body):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None
