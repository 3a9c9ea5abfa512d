"""The simulated Nexthink tenant: token endpoint, Workflows API, and the NQL calls that report executions.

Requests and answers are validated against the corrected OpenAPI document. There is no NQL engine: one saved query is
known, the one that reports the executions of a request.
"""

from __future__ import annotations

from provider_py.sandbox.nexthink.app import CREDENTIALS, TOKEN_PATH, application
from provider_py.sandbox.nexthink.behaviors import BEHAVIORS
from provider_py.sandbox.nexthink.tenant import WORKFLOWS, directory, workflow

__all__ = ["BEHAVIORS", "CREDENTIALS", "TOKEN_PATH", "WORKFLOWS", "application", "directory", "workflow"]
