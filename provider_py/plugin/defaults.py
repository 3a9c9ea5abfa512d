"""What a configuration leaves out: defaults, and results that only the provider knows.

Terraform fills in neither. It merges configuration and prior state by itself, but for the values of nested attributes
that the configuration omits it proposes null or the prior value, whichever its merge yields; a default has to be put
back at every depth, or the plan differs from what is applied.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from provider_py.plugin.models import dump_value, is_result
from provider_py.plugin.schema import Attribute, ListOf, MapOf, Object, Type, attributes, attributes_within
from provider_py.plugin.values import UNKNOWN, Tree

_NOTHING: Final[Mapping[str, Tree]] = MappingProxyType({})


def with_defaults(model: type, config: Mapping[str, Tree], proposed: Mapping[str, Tree] = _NOTHING) -> dict[str, Tree]:
    """Return a configuration with its defaults, its write-only values, and results as `proposed` has them."""
    return {
        name: _value(attribute, config.get(name), proposed.get(name), None)
        for name, attribute in attributes(model).items()
    }


def without_write_only(model: type, tree: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return a block with its write-only values nulled, as plans and states must have it."""
    nulled = {}
    for name, attribute in attributes(model).items():
        value = tree.get(name)
        if attribute.write_only:
            value = None
        elif _hides(attribute.type):
            value = _nulled(attribute.type, value)
        nulled[name] = value
    return nulled


def with_write_only(model: type, planned: Mapping[str, Tree], config: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return a planned block with its write-only values, which only the configuration has.

    Everything else is as planned: what `ignore_changes` names is ignored at plan, while an apply gets the configuration
    as it is written. An element of a list gets write-only values only if it is the configured element at its place.
    """
    applied = {}
    for name, attribute in attributes(model).items():
        value = planned.get(name)
        if attribute.write_only:
            value = _value(attribute, config.get(name), None, None)
        elif _hides(attribute.type):
            value = _revealed(attribute.type, value, config.get(name))
        applied[name] = value
    return applied


def completed(attribute: Attribute, config: Tree, proposed: Tree, prior: Tree, *, creating: bool) -> Tree:
    """Return the planned value of one attribute, with results that the plan cannot know as UNKNOWN.

    `proposed` is Terraform's own merge of configuration and prior state: nested results have their prior values there.
    """
    if config is None and is_result(attribute):
        return UNKNOWN if creating else prior
    settled = not creating and proposed == prior
    return _value(attribute, config, proposed, None if settled else UNKNOWN)


def _value(attribute: Attribute, config: Tree, proposed: Tree, result: Tree) -> Tree:
    if config is not None:
        return _filled(attribute.type, config, proposed, result) if _has_gaps(attribute.type) else config
    if is_result(attribute):
        return result if proposed is None else proposed
    return dump_value(attribute.type, attribute.default)


def _filled(type_: Type, config: Tree, proposed: Tree, result: Tree) -> Tree:
    match type_, config:
        case Object(), dict():
            known = proposed if isinstance(proposed, dict) else {}
            return {
                name: _value(attribute, config.get(name), known.get(name), result)
                for name, attribute in attributes(type_.model).items()
            }
        case ListOf(element), list():
            merged = proposed if isinstance(proposed, list) and len(proposed) == len(config) else [None] * len(config)
            return [_element(element, value, known, result) for value, known in zip(config, merged, strict=True)]
        case MapOf(element), dict():
            known = proposed if isinstance(proposed, dict) else {}
            return {key: _element(element, value, known.get(key), result) for key, value in config.items()}
        case _:
            return config


def _element(type_: Type, config: Tree, proposed: Tree, result: Tree) -> Tree:
    return config if config is None else _filled(type_, config, proposed, result)


def _nulled(type_: Type, value: Tree) -> Tree:
    match type_, value:
        case Object(), dict():
            return without_write_only(type_.model, value)
        case ListOf(element), list():
            return [_nulled(element, item) for item in value]
        case MapOf(element), dict():
            return {key: _nulled(element, item) for key, item in value.items()}
        case _:
            return value


def _revealed(type_: Type, planned: Tree, config: Tree) -> Tree:
    match type_, planned, config:
        case Object(), dict(), dict():
            return with_write_only(type_.model, planned, config)
        case ListOf(element), list(), list() if len(planned) == len(config):
            return [_revealed_element(element, *pair) for pair in zip(planned, config, strict=True)]
        case MapOf(element), dict(), dict():
            return {key: _revealed(element, value, config.get(key)) for key, value in planned.items()}
        case _:
            return planned


def _revealed_element(type_: Type, planned: Tree, config: Tree) -> Tree:
    as_configured = _nulled(type_, _element(type_, config, planned, None)) == planned
    return _revealed(type_, planned, config) if as_configured else planned


@functools.cache
def _has_gaps(type_: Type) -> bool:
    """Whether there are defaults or results inside a type."""
    return any(attribute.computed for attribute in attributes_within(type_))


@functools.cache
def _hides(type_: Type) -> bool:
    """Whether there are write-only attributes inside a type."""
    return any(attribute.write_only for attribute in attributes_within(type_))
