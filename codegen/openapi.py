"""OpenAPI -> typed REST client: read, correct by overlay, judge, generate.

The generator drops what it cannot understand, and of two operations with one operationId it keeps one, so documents
are validated first and its warnings are errors here.
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
from typing import Any, Final

import yaml

from codegen import overlay
from codegen.errors import SpecError
from codegen.lazy import make_lazy
from codegen.output import finish_package, format_python
from codegen.sources import Spec, read_text
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


def _constraints(document: Any) -> str:
    properties = [*_properties(document.get("components", {}).get("schemas", {})), *_parameters(document)]
    patterns = {place: repr(schema["pattern"]) for place, schema in properties if "pattern" in schema}
    max_items = {place: schema["maxItems"] for place, schema in properties if "maxItems" in schema}
    return render("openapi/constraints.py.j2", patterns=patterns, max_items=max_items)


def _properties(schemas: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, schema in schemas.items():
        for key, value in schema.get("properties", {}).items():
            yield f"{name}.{key}", value
            if isinstance(value.get("items"), dict):
                yield f"{name}.{key}[]", value["items"]


def _parameters(document: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path in document.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict) and "operationId" in operation:
                for parameter in operation.get("parameters", ()):
                    yield f"{operation['operationId']}.{parameter.get('name')}", parameter.get("schema", {})


def corrected(spec: Spec, root: Path) -> Any:
    """Return the document with the overlay applied."""
    document = read(root, spec.document)
    if spec.overlay is None:
        return document
    return overlay.apply(document, read(root, spec.overlay), spec.overlay)


def read(root: Path, file: str) -> Any:
    """Read JSON or YAML; numbers, strings and the rest stay what JSON would make of them."""
    text = read_text(root, file)
    try:
        return json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    except json.JSONDecodeError as error:
        raise SpecError(file, f"line {error.lineno}, column {error.colno}", f"is not JSON: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        location = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SpecError(file, location, f"is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SpecError(file, "", f"is not YAML: {error}") from None


def merge(documents: Mapping[str, Any]) -> dict[str, Any]:
    """Merge documents of one API, by file name; equal parts unite, different values are an error."""
    merged: dict[str, Any] = {}
    for file, document in documents.items():
        if not isinstance(document, dict):
            raise SpecError(file, "", "is not an OpenAPI document")
        _merge(merged, document, file, "$")
    return merged


def _merge(target: dict[str, Any], addition: Mapping[str, Any], file: str, location: str) -> None:
    for key, value in addition.items():
        place = f"{location}.{key}"
        if key not in target:
            target[key] = json.loads(json.dumps(value))
        elif isinstance(target[key], dict) and isinstance(value, dict):
            _merge(target[key], value, file, place)
        elif target[key] != value:
            raise SpecError(file, place, "differs from the documents merged before it")


def validate(document: Any, file: str) -> None:
    """Raise SpecError for the first fault: not OpenAPI 3, a reference to nothing, an operationId used twice."""
    # Imported here: slow, and only the process that generates a REST client needs it.
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith(("3.0", "3.1")):
        raise SpecError(file, "$.openapi", "is not an OpenAPI 3.0 or 3.1 document")
    for location, reference in _references(document, "$"):
        if not _resolves(document, reference):
            raise SpecError(file, location, f"{reference} refers to nothing")
    validator = OpenAPIV31SpecValidator if str(document["openapi"]).startswith("3.1") else OpenAPIV30SpecValidator
    for error in validator(document).iter_errors():
        raise SpecError(file, error.json_path, error.message)


def _references(node: Any, location: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield location, node["$ref"]
        for key, value in node.items():
            yield from _references(value, f"{location}.{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _references(value, f"{location}[{index}]")


def _resolves(document: Any, reference: str) -> bool:
    if not reference.startswith("#/"):
        return False
    node = document
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            return False
        node = node[key]
    return True


def _run_generator(spec: Spec, source: Path, package: Path) -> None:
    # Imported here: slow, and only the process that generates a REST client needs it.
    from openapi_python_client import generate as run
    from openapi_python_client.config import Config, ConfigFile, MetaType

    settings = ConfigFile(
        package_name_override=spec.package,
        project_name_override=spec.package,
        package_version_override=spec.api_version,
        post_hooks=[],
    )
    config = Config.from_sources(settings, MetaType.NONE, source, "utf-8", overwrite=False, output_path=package)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        faults = run(config=config, custom_template_path=_templates(Path(folder)))
    for fault in faults:
        reason = " ".join(part for part in (fault.header, fault.detail) if part)
        raise SpecError(spec.document, "", f"openapi-python-client: {reason}")


def _templates(folder: Path) -> Path:
    """Put the generator's templates into a folder, with httpx2 in place of httpx, and our own over them."""
    from openapi_python_client import __file__ as generator  # slow, as above

    shutil.copytree(Path(generator).parent / "templates", folder, dirs_exist_ok=True)
    for template in folder.rglob("*.jinja"):
        template.write_text(_HTTPX.sub("httpx2", template.read_text("utf-8")), "utf-8")
    shutil.copytree(TEMPLATES / "openapi", folder, dirs_exist_ok=True)
    return folder
