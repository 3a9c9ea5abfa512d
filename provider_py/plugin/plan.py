"""Plans of creations and updates: what the layer plans by itself, then the resource's own part.

The proposed state of the request cannot be taken as it is: Terraform merges configuration and prior state without
knowing defaults, keeps the prior value of every result, and passes write-only values along, which no plan may hold.
So the plan is built attribute by attribute from configuration, proposal and prior state, and the resource adds what
only it knows. Terraform plans again during apply, with values that were unknown before, and rejects a plan that
differs: a resource's part may depend on the request alone, never on a clock, a counter or a fresh look.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provider_py.plugin.defaults import completed, with_defaults, without_write_only
from provider_py.plugin.diagnostics import Diagnostic, Key, Path
from provider_py.plugin.models import decoded, is_result
from provider_py.plugin.resource import AnyResource, Change, Plan
from provider_py.plugin.schema import ListOf, MapOf, Object, Type, attributes, attributes_within
from provider_py.plugin.values import UNKNOWN, Tree, equivalent

Block = Mapping[str, Tree]


class Planned(NamedTuple):
    """A plan as Terraform takes it."""

    state: Block
    replace: Sequence[Path]
    private: bytes
    diagnostics: Sequence[Diagnostic]


async def plan(resource: AnyResource, prior: Block | None, proposed: Block, config: Block, private: bytes) -> Planned:
    """Plan a creation (no prior state) or an update."""
    model = resource.model
    outline = _outline(model, prior, proposed, config)
    before = prior if prior is not None else {}
    changed = frozenset(
        attribute.name
        for attribute in attributes(model).values()
        if not is_result(attribute) and _differ(outline[attribute.name], before.get(attribute.name))
    )
    planned = decoded(model, with_defaults(model, config, proposed))
    hook = await resource.plan(Change(_model(model, prior), planned, changed, private))
    creating = prior is None
    declared = () if creating or hook.in_place else replaced_paths(model, outline, before)
    return Planned(
        state=_with_unknown(model, outline, hook),
        replace=[] if creating else list(dict.fromkeys([*declared, *hook.replace])),
        private=private if hook.private is None else hook.private,
        diagnostics=hook.diagnostics,
    )


def replaced_paths(model: type, planned: Block, prior: Block, path: Path = ()) -> Iterator[Path]:
    """Return the paths of changed attributes that are declared to force replacement."""
    for name in _replacing(model):
        attribute, here = attributes(model)[name], (*path, name)
        after, before = planned.get(name), prior.get(name)
        if _differ(after, before):
            if attribute.replace:
                yield here
            else:
                yield from _replaced_inside(attribute.type, after, before, here)


def _outline(model: type, prior: Block | None, proposed: Block, config: Block) -> dict[str, Tree]:
    """Return the layer's own plan."""
    before = prior if prior is not None else {}
    planned = {
        name: completed(attribute, config.get(name), proposed.get(name), before.get(name), creating=prior is None)
        for name, attribute in attributes(model).items()
    }
    return without_write_only(model, planned)


def _with_unknown(model: type, outline: Block, hook: Plan) -> Block:
    inputs = [name for name in hook.unknown if not is_result(attributes(model)[name])]
    if inputs:
        message = f"only results can be planned as unknown, not {', '.join(inputs)} of {model.__name__}"
        raise ValueError(message)
    return {**outline, **dict.fromkeys(hook.unknown, UNKNOWN)}


def _model(model: type, block: Block | None) -> Tree:
    return None if block is None else decoded(model, block).model


def _replaced_inside(type_: Type, after: Tree, before: Tree, path: Path) -> Iterator[Path]:
    if not _replaces(type_):
        return
    match type_, after, before:
        case Object(), dict() | None, dict() | None:
            yield from replaced_paths(type_.model, after or {}, before or {}, path)
        case ListOf(element), list(), list() if len(after) == len(before):
            for index, pair in enumerate(zip(after, before, strict=True)):
                yield from _replaced_inside(element, *pair, (*path, index))
        case MapOf(element), dict(), dict() if after.keys() == before.keys():
            for key, value in after.items():
                yield from _replaced_inside(element, value, before[key], (*path, Key(key)))
        case _ if _differ(after, before):
            yield path


def _differ(after: Tree, before: Tree) -> bool:
    """Whether a value changes; nulls of different types are the same, although Terraform wants the configured one."""
    return bool(after != before) and not equivalent(after, before)


@functools.cache
def _replacing(model: type) -> tuple[str, ...]:
    return tuple(
        name for name, attribute in attributes(model).items() if attribute.replace or _replaces(attribute.type)
    )


@functools.cache
def _replaces(type_: Type) -> bool:
    """Whether a change inside a value of this type may force replacement."""
    return any(attribute.replace for attribute in attributes_within(type_))
