"""The service library: the workflows that can be run, their inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from provider_py.sandbox.wire import JsonObject

ENDPOINT_TYPE: Final = "CompositeType(host:string,port:number):Endpoint"
ITEM_URN: Final = "urn:vcloud:serviceItem:"
SERVER_ID: Final = "7c1a0f5e-35f1-4bd0-9f3c-0a6c1f3f6a11"
REPORTS: Final = 130
"""Number of workflows Report 001, Report 002 …, which make the library longer than its longest page."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An input or output of a workflow."""

    name: str
    type: str
    mandatory: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """A service item and the Orchestrator workflow behind it."""

    name: str
    description: str | None = None
    inputs: tuple[Variable, ...] = ()
    outputs: tuple[tuple[Variable, object], ...] = ()
    """Each with the value a run returns."""
    can_execute: bool = True
    service: str = "Tenant services"
    echoes: bool = False
    """Whether a run returns its inputs as outputs."""

    @property
    def item_uuid(self) -> str:
        """The service item's bare UUID."""
        return _uuid(f"item/{self.service}/{self.name}")

    @property
    def item_id(self) -> str:
        """The service item's id."""
        return f"{ITEM_URN}{self.item_uuid}"

    @property
    def vro_id(self) -> str:
        """The workflow's id in Orchestrator."""
        return _uuid(f"workflow/{self.service}/{self.name}")


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"vcd-sandbox/{name}"))


_VM: Final = {"type": "VC:VirtualMachine", "id": "vcenter.example.com,id:vm-42", "displayValue": "web-1"}

WORKFLOWS: Final = (
    Workflow(
        "Onboard tenant",
        "Creates a machine and the network a new tenant starts with.",
        (
            Variable("vmName", "string", mandatory=True),
            Variable("size", "number"),
            Variable("notify", "boolean"),
            Variable("tags", "Array/string"),
        ),
        (
            (Variable("vmId", "string"), "vm-42"),
            (Variable("ready", "boolean"), True),
            (Variable("addresses", "Array/string"), ["192.0.2.10", "192.0.2.11"]),
        ),
    ),
    Workflow(
        "Configure endpoint",
        "Takes a parameter of every type.",
        (
            Variable("start", "Date"),
            Variable("password", "SecureString", mandatory=True),
            Variable("options", "Properties"),
            Variable("vm", "VC:VirtualMachine", mandatory=True),
            Variable("manifest", "MimeAttachment"),
            Variable("endpoint", ENDPOINT_TYPE),
            Variable("pattern", "Regexp"),
            Variable("licence", "EncryptedString"),
            Variable("ports", "Array/number"),
            Variable("hint", "Any"),
        ),
        (
            (Variable("finishedAt", "Date"), "2024-04-03T14:19:21.537+00:00"),
            (Variable("options", "Properties"), {"mode": "strict", "retries": 3}),
            (Variable("endpoint", ENDPOINT_TYPE), {"host": "endpoint.example.com", "port": 443}),
            (Variable("vm", "VC:VirtualMachine"), _VM),
        ),
    ),
    Workflow("Refresh inventory", None),
    Workflow("Rotate keys", "Rotates the tenant's keys."),
    Workflow("Rotate keys", "Rotates the backup's keys.", service="Backup services"),
    Workflow(
        "Copy values",
        "Returns its inputs.",
        (
            Variable("text", "string"),
            Variable("number", "number"),
            Variable("flag", "boolean"),
            Variable("moment", "Date"),
            Variable("secret", "SecureString"),
            Variable("cipher", "EncryptedString"),
            Variable("pattern", "Regexp"),
            Variable("file", "MimeAttachment"),
            Variable("vm", "VC:VirtualMachine"),
            Variable("resource", "ResourceElement"),
            Variable("list", "Array/string"),
            Variable("machines", "Array/VC:VirtualMachine"),
            Variable("options", "Properties"),
            Variable("endpoint", ENDPOINT_TYPE),
            Variable("endpoints", f"Array/{ENDPOINT_TYPE}"),
            Variable("anything", "Any"),
        ),
        echoes=True,
    ),
    Workflow("Restricted maintenance", "Seen by everybody, run by few.", can_execute=False),
    *(Workflow(f"Report {number:03}", service="Reports") for number in range(1, REPORTS + 1)),
)


def find(workflow_id: str, urn_only: bool = False) -> Workflow | None:
    """The workflow with this service item URN or, unless only URNs are accepted, with either bare id."""
    for workflow in WORKFLOWS:
        bare = () if urn_only else (workflow.item_uuid, workflow.vro_id)
        if workflow_id in {workflow.item_id, *bare}:
            return workflow
    return None


def service_item(workflow: Workflow) -> JsonObject:
    """A workflow as a service item."""
    return {
        "serviceItemType": "VroWorkflowServiceItem",
        "id": workflow.item_id,
        "name": workflow.name,
        "description": workflow.description,
        "canExecute": workflow.can_execute,
        "serviceName": workflow.service,
        "serviceId": f"urn:vcloud:service:{_uuid(f'service/{workflow.service}')}",
        "tenantScoped": True,
        "providerScoped": True,
        "publishAll": False,
        "vroWorkflowId": workflow.vro_id,
        "vroServerId": SERVER_ID,
    }


def presentation(workflow: Workflow, typed: bool) -> JsonObject:
    """The form for a workflow's inputs, with or without their types."""
    return {
        "id": workflow.vro_id,
        "vroId": SERVER_ID,
        "name": workflow.name,
        "description": workflow.description,
        "inputParameters": [_parameter(variable, typed) for variable in workflow.inputs],
        "outputParameters": [_parameter(variable, typed) for variable, _ in workflow.outputs],
        "steps": [_step(workflow)] if workflow.inputs else [],
    }


def _parameter(variable: Variable, typed: bool) -> JsonObject:
    return {"name": variable.name, "scope": "local", **({"type": variable.type} if typed else {})}


def _step(workflow: Workflow) -> JsonObject:
    fields = [_field(variable) for variable in workflow.inputs]
    group = {"elementType": "Group", "id": "group_0", "displayName": None, "hidden": False, "fields": fields}
    return {"elementType": "StepInfo", "id": "step_0", "displayName": "General", "readOnly": False, "elements": [group]}


def _field(variable: Variable) -> JsonObject:
    return {
        "elementType": "PrimaryField",
        "id": variable.name,
        "displayName": variable.name,
        "hidden": False,
        "type": variable.type,
        "decorators": [{"decoratorType": "RefreshOnChange"}],
        "constraints": [{"constraintType": "Mandatory"}] if variable.mandatory else [],
        "fields": [],
        "affectedFieldsIds": [],
    }
