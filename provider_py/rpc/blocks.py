"""Blocks between the wire and models. Secrets are registered with the redactor as soon as a block is read."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import Diagnostic, DiagnosticError, error, format_path, warning
from provider_py.plugin.models import build, decoded, dump_value, is_result
from provider_py.plugin.redaction import shorten
from provider_py.plugin.schema import Attribute, Type, attributes
from provider_py.plugin.sensitive import protect_values
from provider_py.plugin.storable import Loss, fit
from provider_py.plugin.values import UNKNOWN, Tree, wholly_known
from provider_py.rpc.codec import decode_json, decode_msgpack, encode_block, encode_msgpack

log = logging.getLogger(__name__)

M = TypeVar("M")

_SHOWN: Final = 3
"""Places that a warning names; the others are counted."""


def read(model: type, value: pb.DynamicValue) -> dict[str, Tree] | None:
    """Read a block; None if it is null."""
    tree = decode_json(model, value.json) if value.json else decode_msgpack(model, value.msgpack)
    if tree is None or tree is UNKNOWN:
        return None
    protect_values(model, tree)
    return dict(tree)


def required(model: type, value: pb.DynamicValue) -> dict[str, Tree]:
    """Read a block that must not be null."""
    tree = read(model, value)
    if tree is None:
        raise DiagnosticError(error("Missing value", f"Terraform sent a null value for {model.__name__}."))
    return tree


def known(model: type[M], tree: Mapping[str, Tree]) -> M:
    """Return the model of a block that has no unknown inputs."""
    value = decoded(model, tree).model
    if value is None:
        message = f"a required attribute of {model.__name__} is unknown where every value must be known"
        raise ValueError(message)
    return value


def write(tree: Mapping[str, Tree] | None) -> pb.DynamicValue:
    """Write a block."""
    return pb.DynamicValue(msgpack=encode_msgpack(tree))


class Written(NamedTuple):
    """A block on the wire, and warnings about what had to be left out of it."""

    value: pb.DynamicValue
    diagnostics: Sequence[Diagnostic]


def write_model(model: type, value: object, known: Mapping[str, Tree] | None = None) -> Written:
    """Write a model as a block; whatever is in it, the rest of it is written.

    What was configured and is unchanged is written as it was read in `known`: a dynamic value keeps its exact type,
    a number its last digit. What cannot be stored is null.
    """
    if value is None:
        return Written(write(None), ())
    trees: dict[str, Tree] = {}
    members: dict[str, bytes] = {}
    warnings: list[Diagnostic] = []
    for name, attribute in attributes(model).items():
        try:
            trees[name], losses = _fitted(attribute, getattr(value, name), (known or {}).get(name))
            members[name] = encode_msgpack(trees[name])
        except Exception as fault:  # the state of a started run must not be lost for one of its attributes
            log.exception("%s of %s cannot be stored", name, model.__name__)
            trees[name], losses = None, [Loss(f"{type(fault).__name__}: {fault}")]
            members[name] = encode_msgpack(None)
        if losses:
            warnings.append(_not_stored(name, losses))
    protect_values(model, trees)
    return Written(pb.DynamicValue(msgpack=encode_block(members)), warnings)


def _fitted(attribute: Attribute, value: object, known: Tree) -> tuple[Tree, Sequence[Loss]]:
    if attribute.write_only:
        return None, ()
    if not is_result(attribute) and _unchanged(attribute.type, known, value):
        return known, ()
    return fit(attribute.type, dump_value(attribute.type, value))


def _not_stored(name: str, losses: Sequence[Loss]) -> Diagnostic:
    places = [f"`{format_path((name, *reversed(loss.steps)))}`" for loss in losses]
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    return warning(
        "Value cannot be stored",
        f"Terraform cannot store {', '.join(places[:_SHOWN])}{more} ({shorten(losses[0].reason, 200)}), so null takes "
        "the place. Everything else is stored. If the configuration needs the value, have the system return it in "
        "another form, for example as text.",
        (name,),
    )


def _unchanged(type_: Type, tree: Tree, value: object) -> bool:
    return tree is not None and wholly_known(tree) and bool(build(type_, tree) == value)
