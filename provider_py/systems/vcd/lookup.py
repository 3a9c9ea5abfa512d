"""Workflows by name or ID, and what their presentations declare: parameters, their types and which are mandatory.

A workflow has three IDs: the URN of its service item, the UUID in that URN, and the ID in Orchestrator. Servers differ
in which of them they accept in a path; the URN works everywhere, so any other is first looked for in the service
library. The library need not be readable, though: an ID that it does not list is tried as it is.

What does not exist and what is hidden are answered alike, with 403 or 404. For a workflow that the library lists, such
an answer means that it has no presentation; for any other, a readable library shows that access is not the problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import vcd_client
from vcd_client import api, models

from provider_py.execution import Missing, Refused, Unauthorized, readable, unknown_name
from provider_py.plugin import DiagnosticError, error, pattern
from provider_py.systems.vcd.answers import elements, expect, paged
from provider_py.systems.vcd.config import SYSTEM
from provider_py.systems.vcd.connection import CloudDirector

URN: Final = "urn:vcloud:serviceItem:"
WORKFLOW_ID: Final = rf"{URN}[0-9A-Fa-f]{{8}}(-[0-9A-Fa-f]{{4}}){{3}}-[0-9A-Fa-f]{{12}}|[0-9A-Za-z_-]{{1,128}}"
"""A service item's URN or UUID, or an ID of Orchestrator: a UUID or, for the workflows it ships with, another text."""
check_workflow_id: Final = pattern(
    WORKFLOW_ID, "the ID of a service item (URN or UUID) or of Orchestrator, or name the workflow with `workflow`"
)
INTERNAL_PREFIXES: Final = ("_vcd_", "_vdc_")
"""Begin the names of the parameters that Cloud Director adds to every run, the token of the session included."""
_PLAIN_NAME: Final = re.compile(r"[\w .@*-]{1,128}")
"""Names that need no quoting in a FIQL filter; for others the whole library is read."""


class Item(NamedTuple):
    """A workflow in the service library; what the library does not say is None."""

    id: str
    name: str | None = None
    description: str | None = None
    service: str | None = None
    service_id: str | None = None
    orchestrator_id: str | None = None
    can_execute: bool | None = None

    def has_id(self, identifier: str) -> bool:
        """Whether this is one of the three IDs of the item, in any case."""
        ids = (self.id, self.id.removeprefix(URN), self.orchestrator_id)
        return identifier.lower() in {known.lower() for known in ids if known}


class Parameter(NamedTuple):
    """An input or output; `preset` says that the presentation fills it in."""

    name: str
    type: str | None
    description: str | None = None
    mandatory: bool = False
    preset: bool = False


class Form(NamedTuple):
    """The parameters that a presentation declares."""

    inputs: Sequence[Parameter]
    outputs: Sequence[Parameter]


async def list_items(director: CloudDirector, name: str | None = None) -> Sequence[Item]:
    """Return all items, or those of a name, in which `*` matches any characters. Asks once per process.

    Not guaranteed: where the name cannot be filtered by, all items are returned.
    """
    fiql = f"name=={name}" if name and _PLAIN_NAME.fullmatch(name) else None
    return await director.lookups.get(("items", fiql), lambda: _read_items(director, fiql))


async def item_with_id(director: CloudDirector, identifier: str) -> Item | None:
    """Return the item that has an ID of any form; None if it is not listed, or if the library may not be read."""
    try:
        items = await list_items(director)
    except Refused:
        return None
    return next((item for item in items if item.has_id(identifier)), None)


async def find_workflow(director: CloudDirector, name: str | None, identifier: str | None) -> tuple[Item, Form | None]:
    """Return a workflow by its name or by any of its IDs, with its form; None where it has no presentation.

    Raises DiagnosticError on `workflow` or `workflow_id`.
    """
    if name is None:
        return await _find_by_id(director, str(identifier))
    item = await _item_named(director, name)
    try:
        return item, await _form(director, item.id)
    except (Missing, Unauthorized):
        return item, None


async def _find_by_id(director: CloudDirector, identifier: str) -> tuple[Item, Form | None]:
    listed = None if identifier.startswith(URN) else await item_with_id(director, identifier)
    item = listed or Item(identifier)
    try:
        return item, await _form(director, item.id)
    except (Missing, Unauthorized) as fault:
        listed = listed or await item_with_id(director, identifier)
        if listed is None:
            raise await _unknown_id(director, identifier, fault) from fault
        return listed, None


def is_internal(parameter: models.WsParameter) -> bool:
    """Whether Cloud Director added a parameter itself."""
    return str(parameter.scope).lower() == "token" or str(parameter.name).lower().startswith(INTERNAL_PREFIXES)


async def _item_named(director: CloudDirector, name: str) -> Item:
    items = [item for item in await list_items(director, None if "*" in name else name) if item.name == name]
    if not items:
        known = [item.name for item in await list_items(director) if item.name]
        raise DiagnosticError(unknown_name("Cloud Director workflow", name, known, "workflow"))
    if len(items) > 1:
        ids = ", ".join(f"{item.id}{f' ({item.service})' if item.service else ''}" for item in items)
        raise DiagnosticError(
            error(
                f"Ambiguous Cloud Director workflow name {name!r}",
                f"{len(items)} workflows have this name. Set `workflow_id` instead of `workflow`, to one of: {ids}.",
                ("workflow",),
            )
        )
    return items[0]


async def _unknown_id(director: CloudDirector, identifier: str, fault: Refused) -> Exception:
    """Return what to raise for an ID that is neither listed nor has a presentation."""
    if isinstance(fault, Unauthorized):
        try:
            await list_items(director)
        except Refused:
            return fault
    return DiagnosticError(
        error(
            f"Unknown Cloud Director workflow {identifier!r}",
            f"Check `workflow_id`, and that the workflow is published to these credentials. ({fault.reason})",
            ("workflow_id",),
        )
    )


async def _read_items(director: CloudDirector, fiql: str | None) -> Sequence[Item]:
    request, query = "the list of service items", api.service_library.query_service_items.asyncio
    with readable(SYSTEM, request):
        return [
            Item(
                id=item.id,
                name=item.name or None,
                description=item.description or None,
                service=item.service_name or None,
                service_id=item.service_id or None,
                orchestrator_id=item.vro_workflow_id or None,
                can_execute=item.can_execute if isinstance(item.can_execute, bool) else None,
            )
            async for item in paged(query, models.ServiceItems, director.client, fiql, request)
            if item.id
        ]


async def _form(director: CloudDirector, identifier: str) -> Form | None:
    presentation = await director.lookups.get(
        ("presentation", identifier), lambda: _read_presentation(director, identifier)
    )
    steps = elements(presentation.steps)
    inputs, outputs = elements(presentation.input_parameters), elements(presentation.output_parameters)
    if not (steps or inputs or outputs):
        return None
    fields = {str(field.id): field for field in _fields(steps)}
    return Form(
        [_parameter(declared, fields.get(str(declared.name))) for declared in inputs if not is_internal(declared)],
        [_parameter(declared, None) for declared in outputs if not is_internal(declared)],
    )


async def _read_presentation(director: CloudDirector, identifier: str) -> models.Presentation:
    request = "the workflow's presentation"
    with readable(SYSTEM, request):
        answer = await api.workflows.get_workflow_presentation.asyncio(identifier, client=director.client)
        return expect(answer, models.Presentation, request)


def _fields(nested: Iterable[models.PresentationElement]) -> Iterator[models.PresentationElement]:
    """Yield the elements of a form with all that are nested in them."""
    for element in nested:
        yield element
        yield from _fields(elements(element.elements))
        yield from _fields(elements(element.fields))


def _parameter(declared: models.WsParameter, field: models.PresentationElement | None) -> Parameter:
    """Join a parameter with the field of the form that asks for it, whose ID is the parameter's name."""
    constraints = elements(field.constraints) if field else ()
    return Parameter(
        name=str(declared.name),
        type=declared.type_ or (field.type_ if field else None) or None,
        description=declared.description or (field.description if field else None) or None,
        mandatory=any(constraint.constraint_type == "Mandatory" for constraint in constraints),
        preset=field is not None and not isinstance(field.value, vcd_client.types.Unset) and field.value is not None,
    )
