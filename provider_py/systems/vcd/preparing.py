"""What a start needs, found and checked: the workflow, and parameters encoded by its types. Imported on first use."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vcd_client.models import WsParameter

from provider_py.plugin import Diagnostic, DiagnosticError, Key, error
from provider_py.systems.vcd import presentation, values
from provider_py.systems.vcd.execution import VcdExecution
from provider_py.systems.vcd.presentation import OWN_PREFIXES, Form
from provider_py.systems.vcd.system import CloudDirector

Given = Mapping[str, tuple[str, object]]
"""Parameters by name: the attribute that gives it, and its value."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one start is asked for."""

    workflow_id: str
    parameters: Sequence[WsParameter]


async def prepare(director: CloudDirector, config: VcdExecution, unknown: frozenset[str]) -> Sequence[Request]:
    """Find the workflow and encode the parameters; raises DiagnosticError with every finding."""
    item, form = await presentation.find(director, config.workflow, config.workflow_id)
    if item.can_execute is False:
        raise DiagnosticError(_not_allowed(config))
    if unknown & {"parameters", "parameter_types", "sensitive_parameters"}:
        return ()
    given = {
        name: (attribute, value)
        for attribute in ("parameters", "sensitive_parameters")
        for name, value in _object(getattr(config, attribute)).items()
    }
    findings = [*_misnamed(config, form, given), *_left_out(config, form, given), *_untyped(config, given)]
    encoded: list[WsParameter] = []
    declared = {each.name: each.type for each in form.inputs} if form else {}
    for name, (attribute, value) in given.items():
        if value is None:
            continue
        kind = (config.parameter_types or {}).get(name) or declared.get(name)
        try:
            encoded.append(_parameter(name, value, kind or values.infer(value)))
        except values.Unfit as misfit:
            findings.append(_unfit(name, kind, attribute, misfit))
    if findings:
        raise DiagnosticError(*findings)
    return (Request(item.id, encoded),)


def _misnamed(config: VcdExecution, form: Form | None, given: Given) -> Iterator[Diagnostic]:
    known = {each.name for each in form.inputs} if form else set(given)
    for name, (attribute, _) in given.items():
        if name.lower().startswith(OWN_PREFIXES):
            yield error(
                f"Parameter {name!r} cannot be given",
                "Names that begin with `_vcd_` or `_vdc_` are Cloud Director's own: it adds them to every run.",
                (attribute,),
            )
        elif name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            yield error(
                f"Workflow {_shown(config)} has no parameter {name!r}",
                f"Its parameters are: {', '.join(sorted(known)) or 'none'}.{meant}",
                (attribute,),
            )


def _left_out(config: VcdExecution, form: Form | None, given: Given) -> Iterator[Diagnostic]:
    needed = [each.name for each in form.inputs if each.mandatory and not each.preset] if form else []
    missing = sorted(name for name in needed if given.get(name, ("", None))[1] is None)
    if missing:
        yield error(
            f"Workflow {_shown(config)} needs a value for: {', '.join(missing)}",
            "These parameters are mandatory. Add them to `parameters`.",
            ("parameters",),
        )


def _untyped(config: VcdExecution, given: Given) -> Iterator[Diagnostic]:
    for name in config.parameter_types or {}:
        if name not in given:
            yield error(
                f"`parameter_types` has a type for {name!r}, which is not given",
                "Give the parameter in `parameters` or `sensitive_parameters`, or remove its type.",
                ("parameter_types", Key(name)),
            )


def _unfit(name: str, kind: str | None, attribute: str, misfit: values.Unfit) -> Diagnostic:
    text = str(misfit)
    place = text if text.startswith(("[", ".")) else f": {text}"
    reason = f"{name}{place}" if attribute == "parameters" else f"Write {name} as a value of that type"
    return error(f"Parameter {name!r} does not fit its type {kind or 'Any'}", f"{reason}.", (attribute,))


def _not_allowed(config: VcdExecution) -> Diagnostic:
    return error(
        f"These credentials may not run the workflow {_shown(config)}",
        "Cloud Director lists it and says that it cannot be executed by this user. Ask an administrator to publish it "
        "to the organization, or use other credentials.",
        ("workflow" if config.workflow else "workflow_id",),
    )


def _shown(config: VcdExecution) -> str:
    return repr(config.workflow or config.workflow_id)


def _parameter(name: str, value: object, declared: str) -> WsParameter:
    return WsParameter.from_dict(
        {"name": name, "type": declared, "scope": "local", "value": values.encode(value, declared)}
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
