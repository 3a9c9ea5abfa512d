"""Settings of the provider block: what the configuration leaves out comes from the environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeVar

from provider_py.plugin.diagnostics import DiagnosticError, Path, error
from provider_py.plugin.schema import Attribute, Primitive, TypeName, attributes

S = TypeVar("S")

_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_MISFITS: Final = {TypeName.BOOL: "it is neither true nor false", TypeName.NUMBER: "it is not a whole number"}


def resolve(model: type[S], given: S | None, environment: Mapping[str, str], path: Path = ()) -> S:
    """Fill a block of settings: the configured value, else the environment variable's, else the fallback.

    Attributes that are not declared with `setting` keep what is given. Raises DiagnosticError for a variable whose
    text does not fit the attribute's type or checks.
    """
    values = {} if given is None else {field.name: getattr(given, field.name) for field in dataclasses.fields(given)}  # type: ignore[arg-type]
    for attribute in attributes(model).values():
        if values.get(attribute.name) is None and attribute.environment is not None:
            text = environment.get(attribute.environment) or None
            values[attribute.name] = attribute.fallback if text is None else _parse(attribute, text, path)
    return model(**values)


def _parse(attribute: Attribute, text: str, path: Path) -> object:
    value = _converted(attribute, text)
    wrong = _MISFITS[attribute.type.name] if value is None and isinstance(attribute.type, Primitive) else None
    for check in attribute.checks:
        wrong = wrong or check(value)
    if wrong is None:
        return value
    raise DiagnosticError(
        error(
            f"Environment variable {attribute.environment} cannot be used",
            f"It stands in for the provider's `{attribute.name}`, but {wrong}. Correct the variable or unset it.",
            (*path, attribute.name),
        )
    )


def _converted(attribute: Attribute, text: str) -> object:
    type_ = attribute.type.name if isinstance(attribute.type, Primitive) else None
    if type_ is TypeName.BOOL:
        return _BOOLEANS.get(text.strip().lower())
    if type_ is TypeName.NUMBER:
        return int(text) if text.strip().isdecimal() else None
    return text
