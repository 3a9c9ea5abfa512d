"""Plugin of ariadne-codegen: what the client does differently from the generator's own."""

from __future__ import annotations

import ast
from typing import Any, Final

from ariadne_codegen.plugins.base import Plugin
from graphql import (
    ExecutableDefinitionNode,
    GraphQLEnumType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

SENT: Final = "sent"
"""Key of the settings: a dict that receives each operation's text by name, as the client sends it."""

_MISSING: Final = '''
@classmethod
def _missing_(cls, value: object) -> "{name}":
    """Accept a value newer than this client; it equals its text."""
    if not isinstance(value, str):
        raise ValueError(f"{{value!r}} is not a string")
    member = str.__new__(cls, value)
    member._name_ = member._value_ = value
    return member
'''


class Adjustments(Plugin):
    """Enums of answers accept values newer than the schema; enums of requests alone stay strict."""

    def __init__(self, schema: GraphQLSchema, config_dict: dict[str, Any]) -> None:
        """Find the enums of answers."""
        super().__init__(schema, config_dict)
        composite = (GraphQLObjectType, GraphQLInterfaceType)
        kinds = (kind for kind in schema.type_map.values() if isinstance(kind, composite))
        self.answered = {get_named_type(field.type).name for kind in kinds for field in kind.fields.values()}

    def generate_enum(self, class_def: ast.ClassDef, enum_type: GraphQLEnumType) -> ast.ClassDef:
        """Add the classmethod that makes a member of an unknown value."""
        if enum_type.name in self.answered:
            class_def.body.extend(ast.parse(_MISSING.format(name=class_def.name)).body)
        return class_def

    def generate_operation_str(self, operation_str: str, operation_definition: ExecutableDefinitionNode) -> str:
        """Note the operation with the type names that the generator adds to it."""
        if operation_definition.name:
            self.config_dict[SENT][operation_definition.name.value] = operation_str
        return operation_str
