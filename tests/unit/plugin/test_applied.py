"""What is applied is what was planned; only write-only values come from the configuration."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Annotated, Any

import pytest

from provider_py.plugin import Dynamic, ListOf, MapOf, Object, Primitive, Type, computed, model, optional, required
from provider_py.plugin.defaults import with_defaults, with_write_only, without_write_only
from provider_py.plugin.schema import Attribute, TypeName, attributes
from provider_py.plugin.values import UNKNOWN, Tree, Typed


@model
class Leaf:
    """An object with a secret, a default and a result."""

    name: Annotated[str, required("Name.")]
    retries: Annotated[int, optional("Retries.")] = 3
    token: Annotated[str | None, optional("Token.", write_only=True)] = None
    state: Annotated[str | None, computed("State.")] = None


@model
class Branch:
    """An object with secrets further down."""

    label: Annotated[str | None, optional("Label.")] = None
    leaf: Annotated[Leaf | None, optional("Leaf.")] = None
    leaves: Annotated[list[Leaf] | None, optional("Leaves.")] = None


@model
class Root:
    """A resource with every kind of attribute at every depth."""

    name: Annotated[str, required("Name.")]
    wait: Annotated[bool, optional("Wait.")] = True
    payload: Annotated[Dynamic, optional("Payload.")] = None
    triggers: Annotated[dict[str, str] | None, optional("Triggers.", replace=True)] = None
    secret: Annotated[dict[str, str] | None, optional("Secret.", write_only=True)] = None
    hidden: Annotated[Leaf | None, optional("Hidden.", write_only=True)] = None
    branch: Annotated[Branch | None, optional("Branch.")] = None
    branches: Annotated[list[Branch] | None, optional("Branches.")] = None
    named: Annotated[dict[str, Branch] | None, optional("Branches by name.")] = None
    id: Annotated[str | None, computed("Id.")] = None


def any_block(cls: type, source: random.Random) -> dict[str, Tree]:
    """Return a configuration."""
    return {name: _any_value(attribute, source) for name, attribute in attributes(cls).items()}


def _any_value(attribute: Attribute, source: random.Random) -> Tree:
    result = attribute.computed and not attribute.optional
    return None if result or (source.random() < 0.3 and not attribute.required) else _any(attribute.type, source)


def _any(type_: Type, source: random.Random) -> Tree:
    match type_:
        case Primitive(TypeName.DYNAMIC):
            return Typed('["list","string"]', [source.choice("xyz")])
        case Primitive(name):
            values: Mapping[TypeName, Tree] = {
                TypeName.NUMBER: source.randrange(9),
                TypeName.BOOL: source.random() < 0.5,
            }
            return values.get(name, f"v{source.randrange(10**6)}")
        case ListOf(element):
            return [_any(element, source) for _ in range(source.randrange(3))]
        case MapOf(element):
            return {key: _any(element, source) for key in source.sample("abc", source.randrange(3))}
        case Object(cls):
            return any_block(cls, source)


def secrets(type_: Type, tree: Tree, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Tree]:
    """Return the write-only values of a value by their paths."""
    match type_, tree:
        case Object(cls), dict():
            return {
                place: value
                for name, attribute in attributes(cls).items()
                for place, value in (
                    {(*path, name): tree[name]}
                    if attribute.write_only
                    else secrets(attribute.type, tree[name], (*path, name))
                ).items()
            }
        case (ListOf(element), list()) | (MapOf(element), dict()):
            members = tree.items() if isinstance(tree, dict) else enumerate(tree)
            return {
                place: value for key, item in members for place, value in secrets(element, item, (*path, key)).items()
            }
        case _:
            return {}


def with_unknown(type_: Type, tree: Tree) -> Tree:
    """Return a value whose results are unknown, as the plan of a creation has them."""
    match type_, tree:
        case Object(cls), dict():
            return {
                name: UNKNOWN
                if attribute.computed and not attribute.optional
                else with_unknown(attribute.type, tree[name])
                for name, attribute in attributes(cls).items()
            }
        case ListOf(element), list():
            return [with_unknown(element, item) for item in tree]
        case MapOf(element), dict():
            return {key: with_unknown(element, item) for key, item in tree.items()}
        case _:
            return tree


@pytest.mark.parametrize("seed", range(200))
def test_inputs_come_from_the_plan_and_write_only_values_from_the_configuration(seed: int) -> None:
    """The plan has any mixture of configuration and other values, as `ignore_changes` makes it at any depth."""
    source = random.Random(seed)
    config, stored = any_block(Root, source), with_defaults(Root, any_block(Root, source))
    ignored = {name for name in attributes(Root) if source.random() < 0.4}
    complete = with_defaults(Root, config)
    planned = without_write_only(Root, {name: (stored if name in ignored else complete)[name] for name in complete})
    if source.random() < 0.5:
        planned = with_unknown(Object(Root), planned)
    applied = with_write_only(Root, planned, config)
    assert without_write_only(Root, applied) == planned
    expected, actual = secrets(Object(Root), complete), secrets(Object(Root), applied)
    for place, value in actual.items():
        if place[0] not in ignored or len(place) == 1:
            assert value == expected[place]
    assert {place for place in expected if place[0] not in ignored} <= actual.keys()


def test_a_write_only_value_never_reaches_another_element() -> None:
    def leaf(name: str, token: str | None = None) -> dict[str, Tree]:
        return {"name": name, "retries": 3, "token": token, "state": None}

    def root(*leaves: dict[str, Tree]) -> dict[str, Tree]:
        branch = {"label": None, "leaf": None, "leaves": list(leaves)}
        return {**dict.fromkeys(attributes(Root)), "name": "n", "branch": branch}

    planned, config = root(leaf("a"), leaf("b")), root(leaf("b", "of b"), leaf("a", "of a"))
    assert with_write_only(Root, planned, config) == planned
    assert with_write_only(Root, planned, root(leaf("b", "of b"))) == planned
    same = root(leaf("a", "of a"), leaf("b", "of b"))
    assert with_write_only(Root, planned, same) == same
    ignored: Any = root(leaf("a"))
    ignored["branch"]["label"] = "stored"
    applied = with_write_only(Root, ignored, root(leaf("a", "of a")))
    assert applied["branch"]["leaves"][0]["token"] == "of a"
