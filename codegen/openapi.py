"""OpenAPI -> typed REST client: read, correct by overlay, validate, generate.

The generator drops what it cannot understand, and of two operations with one operationId it keeps one. So documents are
validated first, and the generator's warnings are errors here.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from codegen import overlay
from codegen.documents import JsonObject, JsonValue, elements, members, read, resolve
from codegen.errors import SpecError
from codegen.lazy import make_lazy
from codegen.output import finish_package, format_python
from codegen.sources import Spec
from codegen.templating import TEMPLATES, render

_HTTPX: Final = re.compile(r"\bhttpx\b")


def generate(spec: Spec, root: Path, package: Path) -> None:
    """Generate the client package."""
    document = corrected(spec, root)
    validate(document, spec.document)
    package.parent.mkdir(parents=True, exist_ok=True)
    source = package.parent / f".{package.name}.json"
    source.write_text(json.dumps(document, default=str), "utf-8")
    _run_generator(spec, source, package)
    source.unlink()
    (package / "constraints.py").write_text(_constraints(document), "utf-8")
    format_python(package, fix=True)
    make_lazy(package)
    finish_package(package, spec.document)


def _constraints(document: JsonValue) -> str:
    schemas = [*_properties(document), *_parameters(document)]
    patterns = {place: repr(schema["pattern"]) for place, schema in schemas if "pattern" in schema}
    max_items = {place: schema["maxItems"] for place, schema in schemas if "maxItems" in schema}
    return render("openapi/constraints.py.j2", patterns=patterns, max_items=max_items)


def _properties(document: JsonValue) -> Iterator[tuple[str, JsonObject]]:
    for name, schema in members(document, "components", "schemas").items():
        for key, value in members(schema, "properties").items():
            yield f"{name}.{key}", members(value)
            yield f"{name}.{key}[]", members(value, "items")


def _parameters(document: JsonValue) -> Iterator[tuple[str, JsonObject]]:
    for path in members(document, "paths").values():
        for operation in map(members, members(path).values()):
            if "operationId" in operation:
                for parameter in elements(operation.get("parameters")):
                    yield f"{operation['operationId']}.{members(parameter).get('name')}", members(parameter, "schema")


def corrected(spec: Spec, root: Path) -> JsonValue:
    """Return the document with the overlay applied."""
    document = read(root, spec.document)
    if spec.overlay is None:
        return document
    return overlay.apply(document, read(root, spec.overlay), spec.overlay)


def merge(documents: Mapping[str, JsonValue]) -> JsonObject:
    """Merge documents of one API, by file name; equal parts become one, different values are an error."""
    merged: JsonObject = {}
    for file, document in documents.items():
        if not isinstance(document, dict):
            raise SpecError(file, "", "is not an OpenAPI document")
        _merge(merged, document, file, "$")
    return merged


def _merge(target: JsonObject, addition: JsonObject, file: str, location: str) -> None:
    for key, value in addition.items():
        place, present = f"{location}.{key}", target.get(key)
        if key not in target:
            target[key] = json.loads(json.dumps(value))
        elif isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value, file, place)
        elif present != value:
            raise SpecError(file, place, "differs from the documents merged before it")


def validate(document: JsonValue, file: str) -> None:
    """Raise SpecError for the first fault: not OpenAPI 3, a reference to nothing, an operationId used twice."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # lazy: 1 s, REST clients only

    version = str(members(document).get("openapi", ""))
    if not isinstance(document, dict) or not version.startswith(("3.0", "3.1")):
        raise SpecError(file, "$.openapi", "is not an OpenAPI 3.0 or 3.1 document")
    for location, reference in _references(document, "$"):
        if resolve(document, reference) is None:
            raise SpecError(file, location, f"{reference} refers to nothing")
    validator = OpenAPIV31SpecValidator if version.startswith("3.1") else OpenAPIV30SpecValidator
    for error in validator(document).iter_errors():
        raise SpecError(file, error.json_path, error.message)


def _references(node: JsonValue, location: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield location, reference
        for key, value in node.items():
            yield from _references(value, f"{location}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _references(value, f"{location}[{index}]")


def _run_generator(spec: Spec, source: Path, package: Path) -> None:
    from openapi_python_client import generate as run  # lazy: 2 s, REST clients only
    from openapi_python_client.config import Config, ConfigFile, MetaType  # lazy: as above

    settings = ConfigFile(
        package_name_override=spec.package,
        project_name_override=spec.package,
        package_version_override=spec.api_version,
        post_hooks=[],
    )
    config = Config.from_sources(settings, MetaType.NONE, source, "utf-8", overwrite=False, output_path=package)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        problems = run(config=config, custom_template_path=_templates(Path(folder)))
    for problem in problems:
        reason = " ".join(part for part in (problem.header, problem.detail) if part)
        raise SpecError(spec.document, "", f"openapi-python-client: {reason}")


def _templates(folder: Path) -> Path:
    """Put the generator's templates into a folder, with httpx2 in place of httpx, and our own over them."""
    from openapi_python_client import __file__ as generator  # lazy: as above

    shutil.copytree(Path(generator).parent / "templates", folder, dirs_exist_ok=True)
    for template in folder.rglob("*.jinja"):
        template.write_text(_HTTPX.sub("httpx2", template.read_text("utf-8")), "utf-8")
    shutil.copytree(TEMPLATES / "openapi", folder, dirs_exist_ok=True)
    return folder
