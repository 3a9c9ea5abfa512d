"""Workflows as the list and details calls answer them."""

from __future__ import annotations

from collections.abc import Mapping

from provider_py.sandbox.nexthink.tenant import Parameter, Workflow
from provider_py.sandbox.wire import JsonObject


def details(workflow: Workflow, bare_id: bool) -> JsonObject:
    """A workflow in the shape a live tenant answers, which differs from the published one."""
    return {
        "id": workflow.bare_id if bare_id else workflow.id,
        "uuid": workflow.uuid,
        "name": workflow.name,
        "description": workflow.description,
        "status": "ACTIVE" if workflow.active else "INACTIVE",
        "lastUpdateTime": "2025-06-02T08:15:30Z",
        "triggerMethods": {
            "apiEnabled": workflow.api_enabled,
            "manualEnabled": True,
            "manualAllowMultipleInstances": False,
            "schedulingEnabled": False,
        },
        "versions": [
            _version(workflow, 1, "INACTIVE"),
            _version(workflow, 2, "ACTIVE" if workflow.active else "INACTIVE"),
            _version(workflow, 3, "DRAFT"),
        ],
        "contentLibrary": False,
    }


def _version(workflow: Workflow, number: int, status: str) -> JsonObject:
    return {
        "version": number,
        "status": status,
        "definition": f'<workflow name="{workflow.bare_id}"/>',
        "valid": True,
        "hasDevice": workflow.has_device,
        "hasUser": workflow.has_user,
        "parameters": [_parameter(parameter) for parameter in workflow.parameters] if number > 1 else [],
    }


def _parameter(parameter: Parameter) -> JsonObject:
    return {
        "id": parameter.id,
        "allowCustomValue": parameter.allow_custom_value,
        "options": None if parameter.options is None else list(parameter.options),
    }


def matches(workflow: Workflow, filters: Mapping[str, str]) -> bool:
    """Whether the workflow matches the filters of the list."""
    methods = {"MANUAL", "API"} if workflow.api_enabled else {"MANUAL"}
    return (
        filters.get("dependency", workflow.dependency) == workflow.dependency
        and filters.get("triggerMethod", "MANUAL") in methods
        and (filters.get("fetchOnlyActiveWorkflows", "false").lower() != "true" or workflow.active)
    )
