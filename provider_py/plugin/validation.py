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
from provider_py.plugin.resource import Decoded
from provider_py.plugin.schema import Attribute, Check, ListOf, MapOf, Object, Primitive, Type, TypeName, attributes
from provider_py.plugin.sensitive import is_secret
from provider_py.plugin.values import UNKNOWN, Tree, wholly_known


class Validatable(Protocol):
    """What has a model and an opinion on it: the provider, a resource or a data source."""

    @property
    def model(self) -> type[Any]:
        """The model."""

    def validate(self, config: Decoded[Any]) -> Iterable[Diagnostic]:
        """Validate attributes together."""


def validate_config(subject: Validatable, config: Mapping[str, Tree]) -> Sequence[Diagnostic]:
    """Run the checks of a configuration, then, if they are content, its own judgement, which relies on them."""
    found = judge(subject.model, config)
    if has_error(found):
        return found
    return [*found, *subject.validate(decoded(subject.model, with_defaults(subject.model, config)))]


def judge(model: type, tree: Mapping[str, Tree]) -> Sequence[Diagnostic]:
    """Run every check of a model on its known values."""
    found: list[Diagnostic] = []
    _judge_block(model, tree, (), found)
    return found


def refuse_write_only(model: type, tree: Mapping[str, Tree]) -> Iterator[Diagnostic]:
    """Refuse write-only values for a host that would store them."""
    allowed = without_write_only(model, tree)
    for name in attributes(model):
        if tree.get(name) != allowed[name]:
            yield error(
                "Write-only attribute is not supported",
                f"This version of Terraform would store `{name}` in its state. "
                "Use Terraform 1.11 or later, or leave the attribute out.",
                (name,),
            )


def _judge_block(model: type, tree: Mapping[str, Tree], path: Path, found: list[Diagnostic]) -> None:
    for attribute in _judged(model):
        value = tree.get(attribute.name)
        here = (*path, attribute.name)
        if value is None and attribute.required:  # Terraform demands that it is written, not that it has a value
            found.append(_wrong("A null is not allowed here; give the attribute a value", here))
        elif value is not None and value is not UNKNOWN:
            _judge_value(attribute, attribute.type, value, here, found)
            if attribute.checks:
                _run(attribute, attribute.checks, attribute.type, value, here, found)


def _judge_value(attribute: Attribute, type_: Type, value: Tree, path: Path, found: list[Diagnostic]) -> None:
    """Look into a value; also for what Terraform's types let through and a model cannot hold."""
    match type_:
        case Object():
            _judge_block(type_.model, value, path, found)
        case ListOf() | MapOf():
            _judge_elements(attribute, type_, value, path, found)
        case Primitive(integer=True) if isinstance(value, Decimal):
            shown = "The value" if is_secret(attribute) else quoted(value)
            found.append(_wrong(f"{shown} is not a whole number; write one without a fraction", path))


def _judge_elements(
    attribute: Attribute, type_: ListOf | MapOf, value: Tree, path: Path, found: list[Diagnostic]
) -> None:
    deeper = _is_judged(type_.element)
    checks = attribute.element_checks if type_ is attribute.type else ()
    if not deeper and not checks and None not in (value.values() if isinstance(value, dict) else value):
        return
    for step, element in _elements(value):
        if element is None:
            found.append(_wrong("A null is not allowed here; leave the element out or give it a value", (*path, step)))
        elif element is not UNKNOWN:
            if deeper:
                _judge_value(attribute, type_.element, element, (*path, step), found)
            if checks:
                _run(attribute, checks, type_.element, element, (*path, step), found)


def _run(
    attribute: Attribute, checks: Sequence[Check], type_: Type, value: Tree, path: Path, found: list[Diagnostic]
) -> None:
    if not wholly_known(value):
        return
    given = build(type_, value)
    for check in checks:
        wrong = check(given)
        if wrong is not None:
            found.append(_wrong(_without(wrong, given) if is_secret(attribute) else wrong, path))


def _without(sentence: str, value: object) -> str:
    for form in (quoted(value), repr(value)):
        sentence = sentence.replace(form, "The value")
    return sentence


def _wrong(sentence: str, path: Path) -> Diagnostic:
    return error(
        f"Invalid value of `{format_path(path)}`", sentence if sentence.endswith(".") else f"{sentence}.", path
    )


@functools.cache
def _judged(model: type) -> tuple[Attribute, ...]:
    return tuple(each for each in attributes(model).values() if each.required or each.checks or _is_judged(each.type))


@functools.cache
def _is_judged(type_: Type) -> bool:
    """Tell whether values of a type have to be looked into."""
    match type_:
        case Primitive():
            return type_.name is TypeName.NUMBER and type_.integer
        case ListOf() | MapOf():
            return True
        case Object():
            return bool(_judged(type_.model))


def _elements(value: Tree) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield from ((Key(key), element) for key, element in value.items())
