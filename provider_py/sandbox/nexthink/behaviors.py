"""What the simulated Nexthink tenant can be switched to."""

from __future__ import annotations

from typing import Final

from provider_py.sandbox.behaviors import Behavior

SYSTEM: Final = "nexthink"

BEHAVIORS: Final = {
    "token_seconds": Behavior(900),  # lifetime of an access token
    "token_auth": Behavior("basic", "either"),  # credentials in the header, or in the form body as well
    "strict_published": Behavior(False),  # requests must also satisfy the document as published
    "unknown_targets": Behavior("drop", "refuse"),  # an unknown device or user is dropped, or refuses the request
    "params_check": Behavior(True),  # params must match what the workflow declares
    "details_shape": Behavior("object", "array"),  # published: array
    "trigger_shape": Behavior("array", "object"),  # published: array
    "id_form": Behavior("hash", "bare"),  # ids are answered with or without their number sign
    "row_lag_seconds": Behavior(0.3),  # from the execute call until its rows appear
    "export_seconds": Behavior(0.5),  # until the file of an export is complete
    "export_limit": Behavior(0),  # rows of a file, the rest is cut off with a 206; 0 removes the limit
    "export_error": Behavior(""),  # message every export fails with
    "workflows_right": Behavior(True),  # the credentials have the permission for workflows
    "nql_right": Behavior(True),  # the credentials have the permission for NQL
}
