"""The sandbox: Harness FirstGen, Nexthink and VMware Cloud Director simulated on loopback.

It knows the vendors' specs and nothing of the provider or the generated clients: they meet on the wire only, so that
a mistake shared by both cannot pass a test. `server` serves the systems, `world` is the state they share, and `control`
is the HTTP API that prepares and inspects it. Each system is a package with its `application`, `CREDENTIALS` and
`BEHAVIORS`.
"""

from __future__ import annotations

from provider_py.sandbox.behaviors import Behavior
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.observer import observer
from provider_py.sandbox.openapi import Contract, InvalidResponseError, corrected
from provider_py.sandbox.runs import Phase, Run, Script
from provider_py.sandbox.server import Sandbox
from provider_py.sandbox.specs import spec_file
from provider_py.sandbox.world import RecordedRequest, World

__all__ = [
    "Behavior",
    "Contract",
    "Fault",
    "FaultKind",
    "InvalidResponseError",
    "Match",
    "Phase",
    "RecordedRequest",
    "Run",
    "Sandbox",
    "Script",
    "World",
    "corrected",
    "observer",
    "spec_file",
]
