"""A workflow and what its presentation declares: parameters, their types and which must be given.

Imported on first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vcd_client.api.workflows import get_workflow_presentation
from vcd_client.models import Presentation, PresentationElement, WsParameter
from vcd_client.types import Unset

from provider_py.execution.connection import readable
from provider_py.execution.errors import Missing, Refused, Unanswered, Unauthorized
from provider_py.plugin import DiagnosticError, error
from provider_py.systems.vcd import library
from provider_py.systems.vcd.library import Item
from provider_py.systems.vcd.settings import SYSTEM
from provider_py.systems.vcd.system import CloudDirector

OWN_PREFIXES = ("_vcd_", "_vdc_")
"""Begin the names of what Cloud Director adds to every run by itself, the session's token included."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An input or output; `preset` tells that the form fills it in."""

    name: str
    type: str | None
    description: str | None = None
    mandatory: bool = False
    preset: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What a presentation declares."""

    inputs: Sequence[Variable]
    outputs: Sequence[Variable]


async def find(director: CloudDirector, name: str | None, identifier: str | None) -> tuple[Item, Form | None]:
    """Return a workflow by its name or any of its ids; the form is None where Cloud Director gives none.

    Raises DiagnosticError on `workflow` or `workflow_id`.
    """
    if name is not None:
        item = await library.named(director, name)
        try:
            return item, await _form(director, item.id)
        except (Missing, Unauthorized):  # what is listed exists and may be seen, so it has no presentation
            return item, None
    given = identifier or ""
    known = None if given.startswith(library.URN) else await library.identified(director, given)
    item = known or Item(given)
    try:
        return item, await _form(director, item.id)
    except (Missing, Unauthorized) as fault:
        listed = known or await library.identified(director, given)
        if listed is None:
            raise _unless_kept_out(fault, given, await _readable_library(director)) from fault
        return listed, None


async def _readable_library(director: CloudDirector) -> bool:
    try:
        await library.listed(director)
    except Refused:
        return False
    return True


def _unless_kept_out(fault: Refused, identifier: str, library_is_readable: bool) -> Exception:
    """What is hidden and what is missing are answered alike; a library that is readable tells that access is fine."""
    if isinstance(fault, Unauthorized) and not library_is_readable:
        return fault
    return DiagnosticError(
        error(
            f"There is no Cloud Director workflow {identifier!r}",
            f"Check `workflow_id`, and that the workflow is published to these credentials. ({fault.reason})",
            ("workflow_id",),
        )
    )


async def _form(director: CloudDirector, identifier: str) -> Form | None:
    presentation = await director.lookups.get(("presentation", identifier), lambda: _ask(director, identifier))
    steps = each_of(presentation.steps)
    if not (steps or each_of(presentation.input_parameters) or each_of(presentation.output_parameters)):
        return None
    fields = {str(field.id): field for field in _fields(steps)}
    return Form(
        [_variable(each, fields) for each in each_of(presentation.input_parameters) if not is_own(each)],
        [_variable(each, {}) for each in each_of(presentation.output_parameters) if not is_own(each)],
    )


async def _ask(director: CloudDirector, identifier: str) -> Presentation:
    with readable(SYSTEM, "the workflow's presentation"):
        answer = await get_workflow_presentation.asyncio(identifier, client=director.client)
    if not isinstance(answer, Presentation):
        raise Unanswered(SYSTEM, "the workflow's presentation was answered without content")
    return answer


def _fields(elements: Iterable[PresentationElement]) -> Iterator[PresentationElement]:
    for element in elements:
        yield element
        yield from _fields(each_of(element.elements))
        yield from _fields(each_of(element.fields))


def _variable(parameter: WsParameter, fields: Mapping[str, PresentationElement]) -> Variable:
    """Join a parameter with the field that asks for it, whose id is the parameter's name."""
    field = fields.get(str(parameter.name))
    constraints = each_of(field.constraints) if field else ()
    return Variable(
        name=str(parameter.name),
        type=parameter.type_ or (field.type_ if field else None) or None,
        description=parameter.description or (field.description if field else None) or None,
        mandatory=any(constraint.constraint_type == "Mandatory" for constraint in constraints),
        preset=field is not None and not isinstance(field.value, Unset) and field.value is not None,
    )


def is_own(parameter: WsParameter) -> bool:
    """Whether Cloud Director added a parameter by itself."""
    return str(parameter.scope).lower() == "token" or str(parameter.name).lower().startswith(OWN_PREFIXES)


def each_of(listed: list[Any] | None | Unset) -> list[Any]:
    """Return a list of an answer, which may be null or left out."""
    return listed if isinstance(listed, list) else []
