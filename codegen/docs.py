"""The provider's registry and examples -> documentation in the Terraform registry's format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from codegen import registry
from codegen.output import header
from codegen.registry import Entry, Registry
from codegen.templating import render
from provider_py.plugin import Attribute, ListOf, MapOf, Object, Primitive, Type, TypeName, attributes

_ORIGIN: Final = "the provider's schema and examples"
_TYPES: Final = {
    TypeName.STRING: "String",
    TypeName.NUMBER: "Number",
    TypeName.BOOL: "Boolean",
    TypeName.DYNAMIC: "Dynamic",
}


@dataclass(frozen=True, slots=True)
class Section:
    """The attributes of one object; `anchor` and `path` are empty for the resource itself."""

    anchor: str
    path: str
    required: list[str]
    optional: list[str]
    read_only: list[str]


def generate(registered: Registry, root: Path, docs: Path, vendors: Mapping[str, str]) -> None:
    """Write index.md, resources/ and data-sources/; `vendors` maps the first word of a type to its heading."""
    example = _read(root / "examples" / "provider" / "provider.tf")
    summary = " ".join((registered.configuration.__doc__ or "").split())
    sections = _sections(registered.configuration)
    _write(docs / "index.md", "index.md.j2", description=summary, example=example, sections=sections)
    for folder, title, entries in (
        ("resources", "Resource", registered.resources),
        ("data-sources", "Data Source", registered.data_sources),
    ):
        for entry in entries:
            page = docs / folder / f"{entry.name}.md"
            _write(page, "entry.md.j2", title=title, **_page(entry, root / "examples" / folder, vendors))


def _page(entry: Entry, examples: Path, vendors: Mapping[str, str]) -> dict[str, object]:
    folder = examples / registry.full_type(entry)
    name = "resource.tf" if examples.name == "resources" else "data-source.tf"
    return {
        "type": registry.full_type(entry),
        "subcategory": vendors.get(entry.name.split("_", 1)[0], ""),
        "description": entry.description.strip(),
        "example": _read(folder / name),
        "import_command": _read(folder / "import.sh"),
        "sections": _sections(entry.model),
    }


def _write(page: Path, template: str, **context: object) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    text = render(f"docs/{template}", header=header(_ORIGIN), provider=registry.PROVIDER, **context)
    page.write_text(text, "utf-8")


def _read(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.is_file() else ""


def _sections(model: type, path: str = "") -> list[Section]:
    declared = attributes(model).values()
    section = Section(
        anchor=_anchor(path),
        path=path,
        required=[_line(attribute, path) for attribute in declared if attribute.required],
        optional=[_line(attribute, path) for attribute in declared if attribute.optional],
        read_only=[_line(attribute, path) for attribute in declared if not (attribute.required or attribute.optional)],
    )
    nested = [(attribute.name, registry.nested_model(attribute.type)) for attribute in declared]
    below = [part for name, inner in nested if inner for part in _sections(inner, f"{path}.{name}".lstrip("."))]
    return [section, *below]


def _line(attribute: Attribute, path: str) -> str:
    traits = [_type(attribute.type)]
    traits += ["Sensitive"] * attribute.sensitive + ["Write-only"] * attribute.write_only
    traits += ["Deprecated"] * attribute.deprecated
    notes = [" ".join(attribute.description.split())]
    if attribute.default is not None:
        notes.append(f"Default: `{json.dumps(attribute.default, ensure_ascii=False)}`.")
    if attribute.replace:
        notes.append("A change replaces the resource.")
    if registry.nested_model(attribute.type):
        notes.append(f"(see [below for nested schema](#{_anchor(f'{path}.{attribute.name}'.lstrip('.'))}))")
    return f"`{attribute.name}` ({', '.join(traits)}) {' '.join(notes)}"


def _anchor(path: str) -> str:
    return f"nestedatt--{path.replace('.', '--')}" if path else ""


def _type(type_: Type) -> str:
    match type_:
        case Primitive():
            return _TYPES[type_.name]
        case ListOf(Object()):
            return "Attributes List"
        case MapOf(Object()):
            return "Attributes Map"
        case ListOf(element):
            return f"List of {_type(element)}"
        case MapOf(element):
            return f"Map of {_type(element)}"
        case Object():
            return "Attributes"
