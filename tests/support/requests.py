"""The requests of each system that tests look for or inject faults into, in the form of the sandbox's fault matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Match: TypeAlias = Mapping[str, str]

STARTS: Final[Mapping[str, Match]] = {
    "harness": {"method": "POST", "body": "startExecution("},
    "nexthink": {"method": "POST", "path": "/workflows/execute"},
    "vcd": {"method": "POST", "path": "/executions"},
}
POLLS: Final[Mapping[str, Match]] = {
    "harness": {"method": "POST", "body": "executionStateBatch"},
    "nexthink": {"method": "POST", "path": "/nql/execute"},
    "vcd": {"method": "GET", "path": "/executions/"},
}
LOOKUPS: Final[Mapping[str, Match]] = {
    "harness": {"method": "POST", "body": "workflowByName"},
    "nexthink": {"method": "GET", "path": "/workflows/details"},
    "vcd": {"method": "GET", "path": "/presentation"},
}


def matches(match: Match, method: str, path: str, body: object) -> bool:
    """Whether a request is one of those meant."""
    return match["method"] == method and match.get("path", "") in path and match.get("body", "") in str(body)
