"""The schemas that Terraform asks for, derived from models; nested objects are nested attributes, never blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tfplugin6 import tfplugin6_pb2 as pb

from provider_py.plugin.schema import Attribute, ListOf, MapOf, Object, Primitive, Type, attributes
from provider_py.plugin.values import notation, type_text

_Nesting = pb.Schema.Object.NestingMode
_SINGLE: Final = pb.Schema.Object.SINGLE
_LIST: Final = pb.Schema.Object.LIST
_MAP: Final = pb.Schema.Object.MAP


def schema(model: type, description: str, version: int = 0) -> pb.Schema:
    """Return the schema of a provider, resource or data source."""
    block = pb.Schema.Block(
        version=version, attributes=_attributes(model), description=description, description_kind=pb.MARKDOWN
    )
    return pb.Schema(version=version, block=block)


def _attributes(model: type) -> Iterator[pb.Schema.Attribute]:
    return map(_attribute, attributes(model).values())


def _attribute(attribute: Attribute) -> pb.Schema.Attribute:
    message = pb.Schema.Attribute(
        name=attribute.name,
        description=attribute.description,
        description_kind=pb.MARKDOWN,
        required=attribute.required,
        optional=attribute.optional,
        computed=attribute.computed,
        sensitive=attribute.sensitive,
        deprecated=attribute.deprecated,
        write_only=attribute.write_only,
    )
    nested = _nested(attribute.type)
    if nested is None:
        message.type = type_text(notation(attribute.type)).encode()
    else:
        message.nested_type.CopyFrom(nested)
    return message


def _nested(type_: Type) -> pb.Schema.Object | None:
    match type_:
        case Object():
            return _object(type_, _SINGLE)
        case ListOf(Object() as element):
            return _object(element, _LIST)
        case MapOf(Object() as element):
            return _object(element, _MAP)
        case Primitive() | ListOf() | MapOf():
            return None


def _object(type_: Object, nesting: _Nesting.ValueType) -> pb.Schema.Object:
    return pb.Schema.Object(attributes=_attributes(type_.model), nesting=nesting)
