"""Settings of the provider block: what the configuration leaves out comes from the environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final, TypeVar

from provider_py.plugin.diagnostics import DiagnosticError, Path, error
from provider_py.plugin.redaction import protect
from provider_py.plugin.schema import Attribute, Primitive, TypeName, attributes
from provider_py.plugin.sensitive import is_secret, protect_values

S = TypeVar("S")

_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_EXPECTED: Final = {TypeName.BOOL: 'Must be "true" or "false"', TypeName.NUMBER: "Must be a whole number"}


def resolve(model: type[S], configured: S | None, environment: Mapping[str, str], path: Path = ()) -> S:
    """Complete a block of settings: the configured value, else the environment variable's, else the fallback.

    Attributes that are not declared with `setting` keep their configured values. An empty variable counts as unset.
    Sensitive settings are protected, wherever they come from.
    Raises DiagnosticError for a variable whose text does not fit the attribute's type or checks.
    """
    settings = model() if configured is None else configured
    completed = {
        attribute.name: _from_environment(attribute, environment, path)
        for attribute in attributes(model).values()
        if attribute.environment is not None and getattr(settings, attribute.name) is None
    }
    protect_values(model, {name: getattr(settings, name) for name in attributes(model)})
    return dataclasses.replace(settings, **completed)  # type: ignore[type-var]  # every model is a dataclass


def _from_environment(attribute: Attribute, environment: Mapping[str, str], path: Path) -> object:
    text = environment.get(attribute.environment or "")
    if not text:
        return attribute.fallback
    if is_secret(attribute):
        protect(text)
    value = _parsed(attribute, text)
    problems = [_EXPECTED[attribute.type.name]] if value is None and isinstance(attribute.type, Primitive) else []
    problems += [] if problems else [problem for check in attribute.checks if (problem := check(value)) is not None]
    if not problems:
        return value
    raise DiagnosticError(
        error(
            f"Invalid environment variable {attribute.environment}",
            f"It sets the provider's `{attribute.name}`. {problems[0]}. Correct the variable or unset it.",
            (*path, attribute.name),
        )
    )


def _parsed(attribute: Attribute, text: str) -> object:
    name = attribute.type.name if isinstance(attribute.type, Primitive) else None
    if name is TypeName.BOOL:
        return _BOOLEANS.get(text.strip().lower())
    if name is TypeName.NUMBER:
        return int(text) if text.strip().isdecimal() else None
    return text
