"""Plans of creations and updates: what the layer plans by itself, then the resource's own part."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from provider_py.plugin.defaults import completed, with_defaults, without_write_only
from provider_py.plugin.diagnostics import Diagnostic, Key, Path
from provider_py.plugin.models import decoded, is_result
from provider_py.plugin.resource import Change, Plan, Resource
from provider_py.plugin.schema import ListOf, MapOf, Object, Primitive, Type, attributes
from provider_py.plugin.values import UNKNOWN, Tree

Block = Mapping[str, Tree]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan as Terraform takes it."""

    state: Block
    replace: Sequence[Path]
    private: bytes
    diagnostics: Sequence[Diagnostic]


async def plan(resource: Resource[Any], prior: Block | None, proposed: Block, config: Block, private: bytes) -> Planned:
    """Plan a creation (no prior state) or an update."""
    model = resource.model
    outline = _outline(model, prior, proposed, config)
    before = prior if prior is not None else {}
    changed = frozenset(
        each.name
        for each in attributes(model).values()
        if not is_result(each) and outline[each.name] != before.get(each.name)
    )
    planned = decoded(model, with_defaults(model, config, proposed))
    hook = await resource.plan(Change(_model(model, prior), planned, changed, private))
    creating = prior is None
    declared = () if creating or hook.in_place else forced(model, outline, before)
    return Planned(
        state=_with_unknown(model, outline, hook),
        replace=[] if creating else list(dict.fromkeys([*declared, *hook.replace])),
        private=private if hook.private is None else hook.private,
        diagnostics=hook.diagnostics,
    )


def forced(model: type, planned: Block, prior: Block, path: Path = ()) -> Iterator[Path]:
    """Return the paths of changed attributes that are declared to force replacement."""
    for name in _replacing(model):
        attribute, here = attributes(model)[name], (*path, name)
        after, before = planned.get(name), prior.get(name)
        if after != before:
            if attribute.replace:
                yield here
            else:
                yield from _forced_inside(attribute.type, after, before, here)


def _outline(model: type, prior: Block | None, proposed: Block, config: Block) -> dict[str, Tree]:
    """Return the layer's own plan."""
    before = prior if prior is not None else {}
    planned = {
        name: completed(each, config.get(name), proposed.get(name), before.get(name), creating=prior is None)
        for name, each in attributes(model).items()
    }
    return without_write_only(model, planned)


def _with_unknown(model: type, outline: Block, hook: Plan) -> Block:
    wrong = [name for name in hook.unknown if not is_result(attributes(model)[name])]
    if wrong:
        message = f"only results can be planned as unknown, not {', '.join(wrong)} of {model.__name__}"
        raise ValueError(message)
    return {**outline, **dict.fromkeys(hook.unknown, UNKNOWN)}


def _model(model: type, block: Block | None) -> Any:
    return None if block is None else decoded(model, block).model


def _forced_inside(type_: Type, after: Tree, before: Tree, path: Path) -> Iterator[Path]:
    if not _replaces(type_):
        return
    match type_, after, before:
        case Object(), dict() | None, dict() | None:
            yield from forced(type_.model, after or {}, before or {}, path)
        case ListOf(element), list(), list() if len(after) == len(before):
            for index, pair in enumerate(zip(after, before, strict=True)):
                yield from _forced_inside(element, *pair, (*path, index))
        case MapOf(element), dict(), dict() if after.keys() == before.keys():
            for key, value in after.items():
                yield from _forced_inside(element, value, before[key], (*path, Key(key)))
        case _ if after != before:
            yield path


@functools.cache
def _replacing(model: type) -> tuple[str, ...]:
    return tuple(name for name, each in attributes(model).items() if each.replace or _replaces(each.type))


def _replaces(type_: Type) -> bool:
    match type_:
        case Primitive():
            return False
        case ListOf() | MapOf():
            return _replaces(type_.element)
        case Object():
            return bool(_replacing(type_.model))
