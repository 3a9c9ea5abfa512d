"""Values from outside, in a form that Terraform can store.

What a system answers is not bound to Terraform's types: a text cut within a character holds half of a surrogate pair,
JSON in practice has Infinity and numbers beyond every float, a field that should be text holds a number. What does not
work is to leave that to the encoder: it fails, or the host refuses what it wrote, and the state of a run that was
started is lost with it.

So every value is fitted to its attribute's type before it is encoded: text becomes what Terraform makes of it anyway
(whole characters, in Unicode form C), and what has no place in the type becomes null, with the path of each such place.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

from provider_py.plugin import dynamic
from provider_py.plugin.diagnostics import Key
from provider_py.plugin.schema import ListOf, MapOf, Object, Primitive, Type, TypeName, attributes
from provider_py.plugin.values import Tree, Typed

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Loss:
    """A place whose value became null: its steps, innermost first, and why."""

    reason: str
    steps: list[str | int] = field(default_factory=list)


Fitter: TypeAlias = Callable[[object, list[Loss]], Tree]
"""Fits a value that is not None, and adds what it had to leave out."""


def fit(type_: Type, tree: Tree) -> tuple[Tree, list[Loss]]:
    """Return a value of an attribute's type that Terraform can store, and the places that became null."""
    losses: list[Loss] = []
    return (None if tree is None else _fitter(type_)(tree, losses)), losses


def text(value: str) -> str:
    """Return a text as Terraform stores it: half characters replaced by U+FFFD, the rest in form C."""
    if value.isascii():
        return value
    if _SURROGATE.search(value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", value)


@functools.cache
def _fitter(type_: Type) -> Fitter:
    match type_:
        case Primitive():
            return _PRIMITIVES[type_.name]
        case ListOf():
            return functools.partial(_list, _fitter(type_.element))
        case MapOf():
            return functools.partial(_map, _fitter(type_.element))
        case Object():
            return functools.partial(_members, [(n, _fitter(a.type)) for n, a in attributes(type_.model).items()])


def _string(value: object, losses: list[Loss]) -> Tree:
    return text(value) if isinstance(value, str) else _lost(losses, f"{type(value).__name__} where text belongs")


def _number(value: object, losses: list[Loss]) -> Tree:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        finite = isinstance(value, int) or value.is_finite()
        return value if finite else _lost(losses, f"{value} is not a number that Terraform can store")
    return _lost(losses, f"{type(value).__name__} where a number belongs")


def _bool(value: object, losses: list[Loss]) -> Tree:
    return value if isinstance(value, bool) else _lost(losses, f"{type(value).__name__} where true or false belongs")


def _dynamic(value: object, losses: list[Loss]) -> Tree:
    """Fit a value that has its type with it; if that changes anything, its type is inferred once more."""
    if not isinstance(value, Typed):
        return _anything(value, losses)
    fitted = _anything(value.value, losses)
    return value if fitted == value.value else dynamic.from_python(fitted)


def _anything(value: object, losses: list[Loss]) -> Tree:
    match value:
        case None | bool():
            return value
        case str():
            return text(value)
        case list():
            return _list(_anything, value, losses)
        case dict():
            return _map(_anything, value, losses)
        case Typed():
            return _dynamic(value, losses)
        case _:
            return _number(value, losses)


_PRIMITIVES: Final = {
    TypeName.STRING: _string,
    TypeName.NUMBER: _number,
    TypeName.BOOL: _bool,
    TypeName.DYNAMIC: _dynamic,
}


def _list(fit_element: Fitter, value: object, losses: list[Loss]) -> Tree:
    if not isinstance(value, list):
        return _lost(losses, f"{type(value).__name__} where a list belongs")
    fitted = []
    for index, element in enumerate(value):
        known = len(losses)
        fitted.append(None if element is None else fit_element(element, losses))
        _inside(losses, known, index)
    return fitted


def _map(fit_element: Fitter, value: object, losses: list[Loss]) -> Tree:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        return _lost(losses, f"{type(value).__name__} where a map with text as its keys belongs")
    fitted: dict[str, Tree] = {}
    for name, element in value.items():
        known, key = len(losses), text(name)
        if key in fitted:
            _lost(losses, "a second value under a name that Terraform takes for the same")
        else:
            fitted[key] = None if element is None else fit_element(element, losses)
        _inside(losses, known, Key(key))
    return fitted


def _members(members: Iterable[tuple[str, Fitter]], value: object, losses: list[Loss]) -> Tree:
    if not isinstance(value, dict):
        return _lost(losses, f"{type(value).__name__} where an object belongs")
    fitted = {}
    for name, fit_member in members:
        known, member = len(losses), value.get(name)
        fitted[name] = None if member is None else fit_member(member, losses)
        _inside(losses, known, name)
    return fitted


def _lost(losses: list[Loss], reason: str) -> None:
    losses.append(Loss(reason))


def _inside(losses: list[Loss], known: int, step: str | int) -> None:
    """Add a step to the paths of the losses that came after the first `known`."""
    for loss in losses[known:] if len(losses) > known else ():
        loss.steps.append(step)
