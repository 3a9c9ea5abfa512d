"""What the declared checks of attributes say about a configuration; unknown values pass."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from provider_py.plugin.checks import quoted
from provider_py.plugin.defaults import with_defaults, without_write_only
from provider_py.plugin.diagnostics import Diagnostic, Key, Path, error, format_path, has_error
from provider_py.plugin.models import build, decoded
from provider_py.plugin.resource import AnyConfig
from provider_py.plugin.schema import Attribute, Check, ListOf, MapOf, Object, Primitive, Type, attributes
from provider_py.plugin.sensitive import is_secret
from provider_py.plugin.values import UNKNOWN, Tree, wholly_known


class Validatable(Protocol):
    """What has a model and rules across its attributes: the provider, a resource or a data source."""

    @property
    def model(self) -> type[Any]:
        """The model."""

    def validate(self, config: AnyConfig) -> Iterable[Diagnostic]:
        """Validate attributes against each other."""


def validate_config(subject: Validatable, config: Mapping[str, Tree]) -> Sequence[Diagnostic]:
    """Run the checks of a configuration, then, if all pass, the subject's own validation, which relies on them."""
    problems = check_values(subject.model, config)
    if has_error(problems):
        return problems
    return [*problems, *subject.validate(decoded(subject.model, with_defaults(subject.model, config)))]


def check_values(model: type, tree: Mapping[str, Tree]) -> Sequence[Diagnostic]:
    """Run every check of a model on its known values."""
    return list(_check_block(model, tree, ()))


def refuse_write_only(model: type, tree: Mapping[str, Tree]) -> Iterator[Diagnostic]:
    """Refuse write-only values for a host that would store them."""
    storable = without_write_only(model, tree)
    for name in attributes(model):
        if tree.get(name) != storable[name]:
            yield error(
                "Write-only attribute not supported",
                f"This version of Terraform would store `{name}` in its state. "
                "Use Terraform 1.11 or later, or remove the attribute.",
                (name,),
            )


def _check_block(model: type, tree: Mapping[str, Tree], path: Path) -> Iterator[Diagnostic]:
    for attribute in _checked(model):
        value = tree.get(attribute.name)
        here = (*path, attribute.name)
        if value is None and attribute.required:  # Terraform demands that it is written, not that it has a value
            yield _invalid("Must not be null. Set a value", here)
        elif value is not None and value is not UNKNOWN:
            yield from _check_value(attribute, attribute.type, value, here)
            yield from _run(attribute, attribute.checks, attribute.type, value, here)


def _check_value(attribute: Attribute, type_: Type, value: Tree, path: Path) -> Iterator[Diagnostic]:
    """Check what is inside a value, and what Terraform's types let through and a model cannot hold."""
    match type_:
        case Object():
            yield from _check_block(type_.model, value, path)
        case ListOf() | MapOf():
            yield from _check_elements(attribute, type_, value, path)
        case Primitive(integer=True) if isinstance(value, Decimal):
            subject = "The value" if is_secret(attribute) else quoted(value)
            yield _invalid(f"{subject} is not a whole number. Remove the fraction", path)


def _check_elements(attribute: Attribute, type_: ListOf | MapOf, value: Tree, path: Path) -> Iterator[Diagnostic]:
    nested = _needs_checks(type_.element)
    checks = attribute.element_checks if type_ is attribute.type else ()
    if not nested and not checks and None not in (value.values() if isinstance(value, dict) else value):
        return  # a fleet is a list of thousands
    for step, element in _elements(value):
        if element is None:
            yield _invalid("Must not be null. Remove the element or set a value", (*path, step))
        elif element is not UNKNOWN:
            if nested:
                yield from _check_value(attribute, type_.element, element, (*path, step))
            yield from _run(attribute, checks, type_.element, element, (*path, step))


def _run(attribute: Attribute, checks: Sequence[Check], type_: Type, value: Tree, path: Path) -> Iterator[Diagnostic]:
    if not checks or not wholly_known(value):
        return
    configured = build(type_, value)
    for check in checks:
        problem = check(configured)
        if problem is not None:
            yield _invalid(_without(problem, configured) if is_secret(attribute) else problem, path)


def _without(sentence: str, value: object) -> str:
    for form in (quoted(value), repr(value)):
        sentence = sentence.replace(form, "The value")
    return sentence


def _invalid(sentence: str, path: Path) -> Diagnostic:
    detail = sentence if sentence.endswith((".", "?")) else f"{sentence}."
    return error(f"Invalid value for `{format_path(path)}`", detail, path)


@functools.cache
def _checked(model: type) -> tuple[Attribute, ...]:
    return tuple(
        attribute
        for attribute in attributes(model).values()
        if attribute.required or attribute.checks or _needs_checks(attribute.type)
    )


@functools.cache
def _needs_checks(type_: Type) -> bool:
    """Whether values of a type have to be looked into; lists and maps always, for null elements."""
    match type_:
        case Primitive():
            return type_.integer
        case ListOf() | MapOf():
            return True
        case Object():
            return bool(_checked(type_.model))


def _elements(value: Tree) -> Iterator[tuple[str | int, Tree]]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield from ((Key(key), element) for key, element in value.items())
