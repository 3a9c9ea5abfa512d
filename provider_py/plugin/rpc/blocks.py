"""Blocks between the wire and models. Secrets are registered with the redactor as soon as a block is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.diagnostics import DiagnosticError, error
from provider_py.plugin.models import build, decoded, dump, is_result
from provider_py.plugin.rpc.codec import decode_json, decode_msgpack, encode_msgpack
from provider_py.plugin.schema import Type, attributes
from provider_py.plugin.sensitive import protect_values
from provider_py.plugin.values import UNKNOWN, Tree, wholly_known

M = TypeVar("M")


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


def write_model(model: type, value: object, known: Mapping[str, Tree] | None = None) -> pb.DynamicValue:
    """Write a model as a block.

    What was configured and is unchanged is written as it was read in `known`: a dynamic value keeps its exact type,
    a number its last digit.
    """
    if value is None:
        return write(None)
    tree = dump(model, value)
    if known is not None:
        for attribute in attributes(model).values():
            before, after = known.get(attribute.name), getattr(value, attribute.name)
            configured = not is_result(attribute) and not attribute.write_only
            if configured and _unchanged(attribute.type, before, after):
                tree[attribute.name] = before
    protect_values(model, tree)
    return write(tree)


def _unchanged(type_: Type, tree: Tree, value: object) -> bool:
    return tree is not None and wholly_known(tree) and bool(build(type_, tree) == value)
