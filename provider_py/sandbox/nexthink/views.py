"""Workflows as the list and details calls answer them."""

from __future__ import annotations

from collections.abc import Mapping

from provider_py.sandbox.nexthink.tenant import Parameter, Workflow


def details(workflow: Workflow, bare_id: bool) -> dict[str, object]:
    """A workflow in the shape the service answers, which is not the published one."""
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


def _version(workflow: Workflow, number: int, status: str) -> dict[str, object]:
    return {
        "version": number,
        "status": status,
        "definition": f'<workflow name="{workflow.bare_id}"/>',
        "valid": True,
        "hasDevice": workflow.has_device,
        "hasUser": workflow.has_user,
        "parameters": [_parameter(parameter) for parameter in workflow.parameters] if number > 1 else [],
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "id": parameter.id,
        "allowCustomValue": parameter.allow_custom_value,
        "options": None if parameter.options is None else list(parameter.options),
    }


def matches(workflow: Workflow, filters: Mapping[str, str]) -> bool:
    """Whether the list's filters leave this workflow."""
    methods = {"MANUAL", "API"} if workflow.api_enabled else {"MANUAL"}
    return (
        filters.get("dependency", workflow.dependency) == workflow.dependency
        and filters.get("triggerMethod", "MANUAL") in methods
        and (filters.get("fetchOnlyActiveWorkflows", "false").lower() != "true" or workflow.active)
    )
