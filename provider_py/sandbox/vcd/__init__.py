"""The simulated VMware Cloud Director: sessions, service library, workflow executions and their tasks.

Requests and answers are validated against the OpenAPI document in specs/; what that leaves open is a behavior. Of the
vendor's APIs only what concerns workflow runs is simulated.
"""

from __future__ import annotations

from provider_py.sandbox.vcd.app import CREDENTIALS, application
from provider_py.sandbox.vcd.behaviors import BEHAVIORS
from provider_py.sandbox.vcd.library import ENDPOINT_TYPE, REPORTS, WORKFLOWS, Workflow

__all__ = ["BEHAVIORS", "CREDENTIALS", "ENDPOINT_TYPE", "REPORTS", "WORKFLOWS", "Workflow", "application"]
