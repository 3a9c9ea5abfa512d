"""Parameters checked against the workflow's presentation, and encoded by its types: at plan, and again before a start.

Every problem is reported at once, each on the attribute that has it. Messages about `sensitive_parameters` do not quote
values. A presentation may be absent or leave types out; what is not declared is not checked, and its type is inferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provider_py.execution import did_you_mean
from provider_py.plugin import Diagnostic, DiagnosticError, Key, error
from provider_py.systems.vcd import values
from provider_py.systems.vcd.lookup import INTERNAL_PREFIXES, Form, Item


class Argument(NamedTuple):
    """A parameter in the configuration: the attribute that holds it, and its value."""

    attribute: str
    value: object


class Input(NamedTuple):
    """An encoded input of a run."""

    name: str
    type: str
    value: values.Wire | None


def check_permission(item: Item, workflow: str, attribute: str) -> None:
    """Raise DiagnosticError if Cloud Director says that the workflow cannot be executed."""
    if item.can_execute is False:
        raise DiagnosticError(
            error(
                "Workflow cannot be executed",
                f"These credentials may not run the workflow {workflow!r}: Cloud Director lists it as one that this "
                "user cannot execute. Ask an administrator to publish it to the organization, or use other "
                "credentials.",
                (attribute,),
            )
        )


def encode_arguments(
    workflow: str, form: Form | None, arguments: Mapping[str, Argument], types: Mapping[str, str]
) -> Sequence[Input]:
    """Check and encode the arguments that are not null; `types` overrides the declared types.

    Raises DiagnosticError with every problem.
    """
    problems = [
        *_unknown_names(workflow, form, arguments),
        *_missing(workflow, form, arguments),
        *_unused_types(arguments, types),
    ]
    declared = {parameter.name: parameter.type for parameter in form.inputs} if form else {}
    inputs = []
    for name, argument in arguments.items():
        if argument.value is None:
            continue
        type_ = types.get(name) or declared.get(name) or values.infer_type(argument.value)
        try:
            inputs.append(Input(name, type_, values.encode(argument.value, type_)))
        except values.EncodingError as misfit:
            problems.append(_invalid(name, type_, argument.attribute, str(misfit)))
    if problems:
        raise DiagnosticError(*problems)
    return inputs


def _unknown_names(workflow: str, form: Form | None, arguments: Mapping[str, Argument]) -> Iterator[Diagnostic]:
    known = {parameter.name for parameter in form.inputs} if form else set(arguments)
    for name, argument in arguments.items():
        if name.lower().startswith(INTERNAL_PREFIXES):
            yield error(
                f"Reserved workflow parameter {name!r}",
                "Names that begin with `_vcd_` or `_vdc_` are Cloud Director's own: it adds these parameters to every "
                "run. Remove the parameter.",
                (argument.attribute,),
            )
        elif name not in known:
            yield error(
                f"Unknown workflow parameter {name!r}",
                f"Workflow {workflow!r} has no parameter {name!r}. Its parameters are: "
                f"{', '.join(sorted(known)) or 'none'}.{did_you_mean(name, known)}",
                (argument.attribute,),
            )


def _missing(workflow: str, form: Form | None, arguments: Mapping[str, Argument]) -> Iterator[Diagnostic]:
    mandatory = (
        [parameter.name for parameter in form.inputs if parameter.mandatory and not parameter.preset] if form else []
    )
    missing = sorted(name for name in mandatory if name not in arguments or arguments[name].value is None)
    if missing:
        yield error(
            "Missing required workflow parameter",
            f"Workflow {workflow!r} needs a value for: {', '.join(missing)}. Add it to `parameters`.",
            ("parameters",),
        )


def _unused_types(arguments: Mapping[str, Argument], types: Mapping[str, str]) -> Iterator[Diagnostic]:
    for name in types:
        if name not in arguments:
            yield error(
                f"Type of unset workflow parameter {name!r}",
                f"`parameter_types` has a type for {name!r}, which is not set. Set the parameter in `parameters` or "
                "`sensitive_parameters`, or remove its type.",
                ("parameter_types", Key(name)),
            )


def _invalid(name: str, type_: str, attribute: str, misfit: str) -> Diagnostic:
    place = misfit if misfit.startswith(("[", ".")) else f": {misfit}"
    detail = f"{name}{place}" if attribute == "parameters" else f"Set {name} to a value of this type"
    return error(f"Invalid value of workflow parameter {name!r}, of type {type_}", f"{detail}.", (attribute,))
