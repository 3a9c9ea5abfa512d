"""The variables of a workflow or pipeline, and whether a configuration fits them, by the rules Harness applies."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from provider_py.plugin import Diagnostic, Key, Path, error


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable as Harness declares it; `allowed` is empty where any value will do."""

    name: str
    type: str
    required: bool = False
    fixed: bool = False
    default: str | None = None
    allowed: Sequence[str] = ()
    several: bool = False


@dataclass(frozen=True, slots=True)
class Entity:
    """The workflow or pipeline to run; `kind` is a word of the enum ExecutionType."""

    kind: str
    id: str
    name: str
    variables: Sequence[Variable]
    description: str | None = None


def check(entity: Entity, given: Mapping[str, Mapping[str, str]], *, complete: bool = True) -> Iterator[Diagnostic]:
    """Validate values, by attribute name and variable name, against what the entity declares.

    `complete`: whether every required variable has to be among them.
    """
    declared = {variable.name: variable for variable in entity.variables}
    values = {name: value for attribute in given.values() for name, value in attribute.items()}
    for attribute, pairs in given.items():
        for name, value in pairs.items():
            path = (attribute, Key(name))
            if name not in declared:
                yield _unknown(entity, name, declared, path)
            else:
                # A write-only value must not be echoed, so its message names the variable only.
                yield from _misfit(declared[name], value, path, shown=attribute != "sensitive_variables")
    missing = [v.name for v in entity.variables if v.required and not v.fixed and not values.get(v.name)]
    if missing and complete:
        names = ", ".join(missing)
        yield error(
            f"{_title(entity)} needs a value for: {names}",
            f'These variables are required. Add them to `variables`, for example {missing[0]} = "…".',
            ("variables",),
        )


def _unknown(entity: Entity, name: str, declared: Iterable[str], path: Path) -> Diagnostic:
    near = difflib.get_close_matches(name, list(declared), n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    known = ", ".join(declared) or "none"
    return error(
        f"{_title(entity)} has no variable {name!r}",
        f"Harness would ignore it.{meant} Its variables are: {known}.",
        path,
    )


def _misfit(variable: Variable, value: str, path: Path, *, shown: bool) -> Iterator[Diagnostic]:
    said = f" {value!r}" if shown else ""
    if variable.fixed and value != (variable.default or ""):
        yield error(
            f"Variable {variable.name!r} is fixed",
            f"Its value{said} differs from the one set in Harness. Remove it here, or unfix it there.",
            path,
        )
    elif variable.allowed and not {part.strip() for part in value.split(",")} <= set(variable.allowed):
        yield error(
            f"Variable {variable.name!r} does not take the value{said}",
            f"Write one of: {', '.join(variable.allowed)}.",
            path,
        )


def _title(entity: Entity) -> str:
    return f"{entity.kind.capitalize()} {entity.name!r}"
