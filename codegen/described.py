"""The provider's models as the templates of constructs see them: classes, arguments, types and references.

A template that walked the models itself would repeat three decisions in every toolkit, and one toolkit would get them
wrong: which names a property may not have (the toolkits' classes would lose members silently), how a nested model is
called when two resources nest different models of one name, and what Python type a reference has at every depth of
lists and maps. They are taken here, once, and templates only write them down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from codegen import registry
from codegen.errors import CodegenError
from codegen.registry import Entry, Registry
from provider_py.plugin import Attribute, ListOf, MapOf, Object, Primitive, Type, TypeName, attributes

RESERVED: Final = frozenset(
    """
    add_move_target add_override alias cdktf_stack connection count depends_on for_each fqn friendly_unique_id
    get_any_map_attribute get_boolean_attribute get_boolean_map_attribute get_list_attribute get_number_attribute
    get_number_list_attribute get_number_map_attribute get_string_attribute get_string_map_attribute has_resource_move
    import_from interpolation_for_attribute is_construct is_terraform_data_source is_terraform_element
    is_terraform_provider is_terraform_resource lifecycle meta_attributes move_from_id move_to move_to_id node
    override_logical_id provider provisioners reset_override_logical_id terraform_generator_metadata
    terraform_meta_arguments terraform_provider_source terraform_resource_type to_hcl_terraform to_metadata to_string
    to_terraform with_ creation_stack resolve type_hint
    """.split()  # noqa: SIM905  # fifty names are readable as a block only
)
"""Members of the toolkits' classes; a property of such a name gets a trailing `_`, so that it overrides none."""

_META: Final[Mapping[str, str]] = {
    "count": "float | {library}.TerraformCount",
    "depends_on": "Sequence[{library}.ITerraformDependable]",
    "for_each": "{library}.ITerraformIterator",
    "lifecycle": "{library}.TerraformResourceLifecycle",
    "provider": "{library}.TerraformProvider",
    "provisioners": "Sequence[Any]",
    "connection": "Any",
}
_RESOURCE_ONLY: Final = frozenset({"provisioners", "connection"})
_ARGUMENTS: Final = {
    TypeName.STRING: "str",
    TypeName.NUMBER: "float",
    TypeName.BOOL: "bool | Expression",
    TypeName.DYNAMIC: "Any",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """How a property refers to an attribute.

    `type` is its Python type, `call` writes the call from an owner and a path, `factory` names what elements call.
    """

    type: str
    call: Callable[[str, str], str]
    factory: str


@dataclass(frozen=True, slots=True)
class Argument:
    """An attribute."""

    name: str
    property: str
    type: str
    required: bool
    description: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class Class:
    """A class to generate; `short_type` is the type name without the provider's prefix, `type` with it."""

    name: str
    summary: str
    arguments: list[Argument]
    attributes: list[Argument]
    short_type: str = ""
    type: str = ""
    base: str = ""
    validate: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)


def context(registered: Registry, library: str) -> dict[str, Any]:
    """Describe the whole registry for the templates of one toolkit."""
    names = _names(registered)
    describe = _Describer(names, library)
    entries = [describe.entry(entry, "Resource", class_name(entry.name)) for entry in registered.resources]
    entries += [describe.entry(entry, "DataSource", _data(entry)) for entry in registered.data_sources]
    configuration = describe.model(registered.configuration, _PROVIDER)
    nested = {model: describe.model(model, name) for model, name in names.items()}
    written = [described for described in nested.values() if described.arguments]
    referred = registry.nested_models(entry.model for entry in (*registered.resources, *registered.data_sources))
    return {
        "library": library,
        "base": f"_{library}",
        "provider": registry.PROVIDER,
        "source": registry.SOURCE,
        "models": written,
        "referred": [nested[model] for model in referred],
        "configuration": configuration,
        "entries": entries,
        "exported": sorted([configuration.name, *(described.name for described in (*entries, *written))]),
    }


def class_name(name: str) -> str:
    """Return the class name of a type name: HarnessExecution for harness_execution."""
    return "".join(part.capitalize() for part in name.split("_"))


_PROVIDER: Final = f"{class_name(registry.PROVIDER)}Provider"


def _data(entry: Entry) -> str:
    return f"Data{class_name(entry.name)}"


def _names(registered: Registry) -> dict[type, str]:
    owners = [(class_name(registry.PROVIDER), registered.configuration)]
    owners += [(class_name(entry.name), entry.model) for entry in registered.resources]
    owners += [(_data(entry), entry.model) for entry in registered.data_sources]
    taken = {_PROVIDER, *(name for name, _ in owners)}
    names: dict[type, str] = {}
    for owner, model in owners:
        for nested in registry.nested_models([model]):
            if nested not in names:
                names[nested] = f"{owner}{nested.__name__}" if nested.__name__ in taken else nested.__name__
                taken.add(names[nested])
    return names


class _Describer:
    def __init__(self, names: Mapping[type, str], library: str) -> None:
        self._names, self._library = names, library

    def entry(self, entry: Entry, base: str, name: str) -> Class:
        described = self.model(entry.model, name)
        meta = {
            name: annotation.format(library=self._library)
            for name, annotation in _META.items()
            if base == "Resource" or name not in _RESOURCE_ONLY
        }
        clash = sorted(meta.keys() & {argument.name for argument in described.arguments})
        if clash:
            message = f"{entry.name}: {', '.join(clash)} cannot be arguments: Terraform has meta-arguments of that name"
            raise CodegenError(message)
        return Class(
            name=name,
            summary=_one_line(entry.description),
            arguments=described.arguments,
            attributes=described.attributes,
            short_type=entry.name,
            type=registry.full_type(entry),
            base=base,
            validate="validate_resource" if base == "Resource" else "validate_data_source",
            meta=meta,
        )

    def model(self, model: type, name: str) -> Class:
        declared = attributes(model).values()
        arguments = [self._argument(attribute) for attribute in declared if attribute.required or attribute.optional]
        return Class(
            name=name,
            summary=_one_line((model.__doc__ or name).split("\n", 1)[0]),
            arguments=sorted(arguments, key=lambda argument: not argument.required),
            attributes=[self._argument(attribute) for attribute in declared if not attribute.write_only],
        )

    def _argument(self, attribute: Attribute) -> Argument:
        return Argument(
            name=attribute.name,
            property=f"{attribute.name}_" if attribute.name in RESERVED else attribute.name,
            type=self._type(attribute.type),
            required=attribute.required,
            description=_one_line(attribute.description),
            reference=self._reference(attribute.type),
        )

    def _type(self, type_: Type) -> str:
        match type_:
            case Primitive():
                return _ARGUMENTS[type_.name]
            case ListOf(element):
                return f"Sequence[{self._type(element)}] | Expression"
            case MapOf(element):
                return f"Mapping[str, {self._type(element)}] | Expression"
            case Object(model):
                return f"{self._names[model]} | Expression"

    def _reference(self, type_: Type) -> Reference:
        if isinstance(type_, ListOf | MapOf):
            name = "ListReference" if isinstance(type_, ListOf) else "MapReference"
            element = self._reference(type_.element)
            return Reference(
                f"{name}[{element.type}]",
                lambda owner, path: f"{name}({owner}, {_literal(path)}, {element.factory})",
                f"lambda owner, path: {name}(owner, path, {element.factory})",
            )
        function, result = self._single(type_)
        return Reference(result, lambda owner, path: f"{function}({owner}, {_literal(path)})", function)

    def _single(self, type_: Primitive | Object) -> tuple[str, str]:
        if isinstance(type_, Object):
            name = f"{self._names[type_.model]}Reference"
            return name, name
        functions = {
            TypeName.STRING: ("text", "str"),
            TypeName.NUMBER: ("number", "float"),
            TypeName.BOOL: ("boolean", f"{self._library}.IResolvable"),
            TypeName.DYNAMIC: ("Reference", "Reference"),
        }
        return functions[type_.name]


def _literal(path: str) -> str:
    return f'f"{path}"' if "{" in path else f'"{path}"'


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace('"""', "'''").split())
