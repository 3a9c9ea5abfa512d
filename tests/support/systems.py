"""The three systems as tests know them: their words, the requests they receive, and what can happen to those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import pytest

Match: TypeAlias = Mapping[str, str]

SYSTEMS: Final = ("harness", "nexthink", "vcd")
CANCELLABLE: Final = ("harness", "vcd")
NAMES: Final = {"harness": "Harness", "nexthink": "Nexthink", "vcd": "Cloud Director"}
TITLES: Final = {system: f"{name} execution" for system, name in NAMES.items()}
SUCCESS: Final = {"harness": "SUCCESS", "nexthink": "success", "vcd": "completed"}
FAILURE: Final = {"harness": "FAILED", "nexthink": "failure", "vcd": "failed"}
CREDENTIALS: Final = {
    "harness": ("api_key", "HARNESS_API_KEY"),
    "nexthink": ("client_secret", "NEXTHINK_CLIENT_SECRET"),
    "vcd": ("api_token", "VCD_API_TOKEN"),
}
"""The setting and the environment variable of each system's secret."""
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
SEARCHES: Final[Mapping[str, Match]] = {
    "harness": {"method": "POST", "body": "recentExecutions"},
    "vcd": {"method": "GET", "path": "/executions"},
}
"""How the run of a start that was not answered is searched for."""
LOOKUPS: Final[Mapping[str, Match]] = {
    "harness": {"method": "POST", "body": "workflowByName"},
    "nexthink": {"method": "GET", "path": "/workflows/details"},
    "vcd": {"method": "GET", "path": "/presentation"},
}
CANCELS: Final[Mapping[str, Match]] = {
    "harness": {"method": "PUT"},
    "vcd": {"method": "DELETE", "path": "/state"},
}
TOKENS: Final[Mapping[str, Match]] = {
    "nexthink": {"method": "POST", "path": "/oauth2/default/v1/token"},
    "vcd": {"method": "POST", "path": "/oauth/tenant/acme/token"},
}
FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "500": {"kind": "status", "status": 500},
    "502 HTML": {"kind": "html"},
    "200 HTML": {"kind": "html", "status": 200},
    "503 JSON": {"kind": "json", "status": 503, "body": {"message": "try again"}},
    "truncated": {"kind": "truncate"},
    "cut": {"kind": "cut"},
    "late": {"kind": "delay", "seconds": 1.0},
    "silence": {"kind": "silence", "seconds": 1.0},
    "another shape": {"kind": "json", "body": {"unheard": "of"}},
    "empty object": {"kind": "json", "body": {}},
    "empty list": {"kind": "json", "body": []},
    "null": {"kind": "json", "body": None},
}
"""What may happen to a request or, with `after`, to its answer, in the form of the sandbox's faults."""

every_system: Final = pytest.mark.parametrize("system", SYSTEMS)


def every_fault(*names: str) -> pytest.MarkDecorator:
    """Parametrize a test's `fault` with these of FAULTS."""
    return pytest.mark.parametrize("fault", [pytest.param(FAULTS[name], id=name) for name in names])


def matches(match: Match, method: str, path: str, body: object) -> bool:
    """Whether a request is one of those meant."""
    return match["method"] == method and match.get("path", "") in path and match.get("body", "") in str(body)


def texts(diagnostics: Sequence[Any]) -> str:
    """Return everything that diagnostics say."""
    return "\n".join(f"{diagnostic.summary}\n{diagnostic.detail}" for diagnostic in diagnostics)
