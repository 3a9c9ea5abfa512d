"""What the simulated Harness account can be switched to."""

from __future__ import annotations

from typing import Final

from provider_py.sandbox.behaviors import Behavior

SYSTEM: Final = "harness"
VERSIONS: Final = ("2023-12", "2022-05", "2022-02")
"""Releases of the server whose schemas differ, newest first."""

BEHAVIORS: Final = {
    "requests_per_minute": Behavior(30),  # GraphQL requests accepted in any 60 seconds; 0 removes the limit
    "rate_limit_style": Behavior("graphql", "cloudflare"),  # the server refuses, or the network, for a minute
    "retry_after": Behavior("none", "seconds", "date"),  # form of that header in such a refusal
    "unauthorized_style": Behavior("rest", "graphql"),  # body of a 401: the REST envelope, or GraphQL errors
    "deployments_per_day": Behavior(100),  # in any 24 hours, 40 % of them in any hour; 0 removes the limit
    "starting_status": Behavior("RUNNING", "QUEUED", "PREPARING"),  # the first; GraphQL shows PREPARING as null
    "starting_seconds": Behavior(1.0),  # duration of QUEUED or PREPARING
    "aborting_seconds": Behavior(0.5),  # how long an aborted execution still shows RUNNING
    "null_payload": Behavior(False),  # a start answers {"startExecution": null} without errors, but runs
    "execute_denied": Behavior(False),  # the key may read but not execute
    "freeze_window": Behavior(""),  # name of an active freeze window, which forbids every deployment
    "application_filter_required": Behavior(False),  # executions() without a filter on the application is refused
    "time_filters": Behavior("both", "after", "before", "none"),  # which conditions on times a list heeds
    "list_lag": Behavior(0.0),  # seconds after which executions() lists a new execution
    "list_growth": Behavior(0),  # executions that others start of what a page of executions() shows, after each page
    "server_version": Behavior(*VERSIONS),  # the release whose schema is served; older ones lack fields
}
