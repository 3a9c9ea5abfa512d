"""GraphQL schema and operations -> typed async client.

An operation after the comment `# @batch(25)` gets a sibling of 25 aliases; see `codegen.batches`.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoUnusedFragmentsRule,
    OperationDefinitionNode,
    build_schema,
    concat_ast,
    parse,
    print_ast,
    specified_rules,
    validate,
)
from graphql import Source as Text

from codegen import batches
from codegen.ariadne_plugin import SENT, Adjustments
from codegen.errors import SpecError
from codegen.lazy import make_lazy
from codegen.nameable import nameable
from codegen.output import finish_package, format_python
from codegen.sources import Spec, read_text
from codegen.templating import render

_SCHEMA: Final = "schema.graphql"
_OPERATIONS: Final = "operations.graphql"
_BASE_CLIENT: Final = "async_base_client.py"
_RULES: Final = [rule for rule in specified_rules if rule is not NoUnusedFragmentsRule]


def generate(spec: Spec, root: Path, package: Path) -> None:
    """Generate the client package."""
    schema = read_schema(root, spec.document)
    document = concat_ast(read_operations(root, spec))
    _judge(schema, document)
    found = batches.find(document)
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent) as inputs:
        (Path(inputs) / _SCHEMA).write_text(_nameable_schema(root, spec.document), "utf-8")
        (Path(inputs) / _OPERATIONS).write_text(print_ast(document), "utf-8")
        (Path(inputs) / _BASE_CLIENT).write_text(render(f"graphql/{_BASE_CLIENT}.j2"), "utf-8")
        sent = _run_generator(spec, Path(inputs), package)
    if found:
        module = package / "batches.py"
        module.write_text(batches.module(found, sent), "utf-8")
        format_python(module)
    make_lazy(package)
    finish_package(package, f"{spec.document} and {spec.operations}")


def read_schema(root: Path, file: str) -> GraphQLSchema:
    """Read a schema in the definition language."""
    try:
        return build_schema(Text(read_text(root, file), file))
    except GraphQLError as error:
        raise _spec_error(error, file) from None
    except TypeError as error:
        raise SpecError(file, "", str(error)) from None


def read_operations(root: Path, spec: Spec) -> list[DocumentNode]:
    """Read every .graphql file of the operations folder."""
    folder = spec.operations or spec.document
    found = sorted((root / folder).glob("*.graphql"))
    if not found:
        raise SpecError(folder, "", "holds no .graphql file")
    return [_parse(root, path.relative_to(root).as_posix()) for path in found]


def _nameable_schema(root: Path, file: str) -> str:
    try:
        return print_ast(nameable(_parse(root, file)))
    except TypeError as error:
        raise SpecError(file, "", str(error)) from None


def _parse(root: Path, file: str) -> DocumentNode:
    try:
        return parse(Text(read_text(root, file), file))
    except GraphQLError as error:
        raise _spec_error(error, file) from None


def _judge(schema: GraphQLSchema, document: DocumentNode) -> None:
    for error in validate(schema, document, _RULES):
        raise _spec_error(error, "")
    for definition in _anonymous(document):
        source = definition.loc.source.name if definition.loc else ""
        raise SpecError(source, "", "an operation has no name")


def _anonymous(document: DocumentNode) -> Iterable[OperationDefinitionNode]:
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return (operation for operation in operations if operation.name is None)


def _spec_error(error: GraphQLError, file: str) -> SpecError:
    node = error.nodes[0] if error.nodes else None
    source = error.source or (node.loc.source if node and node.loc else None)
    place = error.locations[0] if error.locations else None
    location = f"line {place.line}, column {place.column}" if place else ""
    return SpecError(source.name if source else file, location, error.message)


def _run_generator(spec: Spec, inputs: Path, package: Path) -> dict[str, str]:
    # Imported here: slow, and only the process that generates a GraphQL client needs it.
    from ariadne_codegen.client_generators import dependencies
    from ariadne_codegen.main import client as run

    # A base client of ours (typed, without subscriptions and uploads) comes without the module of its errors.
    errors = Path(str(dependencies.__file__)).parent / "exceptions.py"
    sent: dict[str, str] = {}
    settings = {
        "schema_path": str(inputs / _SCHEMA),
        "queries_path": str(inputs / _OPERATIONS),
        "target_package_name": package.name,
        "target_package_path": str(package.parent),
        "client_name": "Client",
        "base_client_name": "AsyncBaseClient",
        "base_client_file_path": str(inputs / _BASE_CLIENT),
        "files_to_include": [str(errors)],
        "include_comments": "none",
        "include_all_inputs": False,
        "include_all_enums": False,
        "lazy_imports": True,
        "defer_model_build": True,
        "plugins": [f"{Adjustments.__module__}.{Adjustments.__qualname__}"],
        "scalars": {name: {"type": kind} for name, kind in spec.scalars.items()},
    }
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            run({"tool": {"ariadne-codegen": settings}, SENT: sent})  # type: ignore[no-untyped-call]  # it has no types
    except Exception as error:  # whatever the generator raises, the user reads one line
        raise SpecError(spec.document, "", f"ariadne-codegen: {error}") from error
    return sent
