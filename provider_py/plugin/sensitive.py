"""Which values of a tree are secrets: those of attributes declared sensitive or write-only."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from provider_py.plugin.redaction import protect
from provider_py.plugin.schema import Attribute, ListOf, MapOf, Object, Type, attributes, attributes_within
from provider_py.plugin.values import Tree, texts


def protect_values(model: type, tree: Mapping[str, Tree]) -> None:
    """Register the secrets of a block, so that no log and no diagnostic shows them."""
    for attribute in _relevant(model):
        value = tree.get(attribute.name)
        if is_secret(attribute):
            for secret in texts(value):
                protect(secret)
        else:
            _protect_nested(attribute.type, value)


def is_secret(attribute: Attribute) -> bool:
    """Whether the values of an attribute are secrets."""
    return attribute.sensitive or attribute.write_only


def _protect_nested(type_: Type, value: Tree) -> None:
    if isinstance(type_, Object):
        if isinstance(value, dict):
            protect_values(type_.model, value)
    elif isinstance(type_, ListOf | MapOf):
        elements = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        for element in elements:
            _protect_nested(type_.element, element)


@functools.cache
def _relevant(model: type) -> tuple[Attribute, ...]:
    return tuple(
        attribute
        for attribute in attributes(model).values()
        if is_secret(attribute) or any(map(is_secret, attributes_within(attribute.type)))
    )
