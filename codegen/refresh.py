"""`codegen refresh`: compare a shipped specification with what its vendor serves now, and adopt it on request.

A textual diff does not answer the question that matters: vendors reorder and reword, and most of what they change is in
parts that we do not use. So both specifications are compared by meaning, and each change is listed with the operations
of ours that it touches. Nothing is written without `--write`, so that the comparison can run unattended.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import yaml
from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    concat_ast,
    get_introspection_query,
    introspection_from_schema,
    print_schema,
)

from codegen import documents, graphql, graphql_changes, openapi, openapi_changes, overlay, sources
from codegen.changes import NOT_TOUCHED, TOUCHED, Change, report
from codegen.documents import JsonObject, JsonValue
from codegen.errors import CodegenError, SpecError
from codegen.sources import Spec

TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the newer specification comes from: files and addresses, or an endpoint that answers introspection."""

    documents: Sequence[str] = ()
    endpoint: str | None = None
    account_id: str | None = None
    api_key_env: str | None = None


@dataclass(frozen=True, slots=True)
class _Comparison:
    changes: Sequence[Change]
    files: Mapping[str, str]
    """The new text of each file that `--write` replaces."""


def refresh(root: Path, name: str, origin: Origin, *, write: bool) -> int:
    """Print what changed; return NOT_TOUCHED or TOUCHED."""
    spec = next((spec for spec in sources.load(root) if spec.name == name), None)
    if spec is None or spec.kind == "protobuf":
        message = f"{name} is not a specification that can be refreshed; see {sources.SOURCES}"
        raise CodegenError(message)
    compare = _compare_graphql if spec.kind == "graphql" else _compare_openapi
    comparison = compare(root, spec, origin)
    print("\n".join(report(spec.vendor, comparison.changes)))
    if write:
        for file, text in comparison.files.items():
            (root / file).write_text(text, "utf-8")
        print(f"wrote {', '.join(comparison.files)}; now run `python -m codegen pin` and `python -m codegen generate`")
    return TOUCHED if any(change.operations for change in comparison.changes) else NOT_TOUCHED


def _compare_graphql(root: Path, spec: Spec, origin: Origin) -> _Comparison:
    new = _introspect(origin.endpoint, origin) if origin.endpoint else _read_schema(_single(origin.documents))
    old = graphql.read_schema(root, spec.document)
    changes = graphql_changes.compare(old, new, concat_ast(graphql.read_operations(root, spec)))
    introspection = Path(spec.document).with_name("introspection.json").as_posix()
    files = {spec.document: f"{print_schema(new)}\n"}
    if introspection in spec.sha256:
        data = introspection_from_schema(new, specified_by_url=False, directive_is_repeatable=False)
        files[introspection] = f"{json.dumps({'data': data}, indent=2, ensure_ascii=False)}\n"
    return _Comparison(changes, files)


def _introspect(endpoint: str, origin: Origin) -> GraphQLSchema:
    """Ask an endpoint for its schema, authenticated as Harness expects."""
    key = os.environ.get(origin.api_key_env or "")
    if not key or not origin.account_id:
        message = "an endpoint needs --account-id, and --api-key-env with the name of a variable that holds the key"
        raise CodegenError(message)
    base = endpoint.rstrip("/")
    address = base if base.endswith("/graphql") else f"{base}/api/graphql"
    request = httpx2.Request(
        "POST",
        _url(address),
        params={"accountId": origin.account_id},
        headers={"x-api-key": key},
        json={"query": get_introspection_query(descriptions=True)},
    )
    return _client_schema(_fetch(request), address)


def _read_schema(source: str) -> GraphQLSchema:
    text = _text(source)
    try:
        return _client_schema(text, source) if _is_json(text) else build_schema(text)
    except (GraphQLError, TypeError) as error:
        raise SpecError(source, "", str(error)) from None


def _client_schema(text: str, source: str) -> GraphQLSchema:
    try:
        response = json.loads(text)
        if response.get("errors"):
            raise SpecError(source, "introspection", str(response["errors"][0].get("message", "was refused")))
        return build_client_schema(response.get("data", response))
    except (ValueError, TypeError, AttributeError, LookupError, GraphQLError) as error:
        raise SpecError(source, "", f"is not the response to an introspection query: {error}") from None


def _compare_openapi(root: Path, spec: Spec, origin: Origin) -> _Comparison:
    if origin.endpoint or not origin.documents:
        message = f"{spec.vendor} answers no introspection query; name its documents with --from FILE_OR_URL"
        raise CodegenError(message)
    published = {source: _document(source) for source in origin.documents}
    new = openapi.merge(published)
    changes = openapi_changes.compare(documents.read(root, spec.document), new)
    if spec.overlay is not None:
        changes += _overtaken(new, documents.read(root, spec.overlay), spec.overlay)
    return _Comparison(changes, _files(root, spec, new, published))


def _overtaken(new: JsonValue, corrections: JsonValue, file: str) -> list[Change]:
    try:
        overlay.apply(new, corrections, file)
    except SpecError as error:
        return [Change(f"a correction no longer applies: {error}", ("the overlay",))]
    return []


def _files(root: Path, spec: Spec, new: JsonValue, published: Mapping[str, JsonObject]) -> dict[str, str]:
    """Return the files to write: the document, and each published part by its name."""
    files = {spec.document: _dump(new, spec.document)}
    for file in spec.sha256:
        for source, document in published.items():
            if file != spec.document and Path(file).name == source.rsplit("/", 1)[-1] and (root / file).is_file():
                files[file] = _dump(document, file)
    return files


def _dump(document: JsonValue, file: str) -> str:
    if file.endswith(".json"):
        return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _document(source: str) -> JsonObject:
    text = _text(source)
    document = documents.parse(text, source, is_json=_is_json(text))
    if not isinstance(document, dict) or "openapi" not in document:
        raise SpecError(source, "", "is not an OpenAPI document in JSON or YAML")
    return document


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _single(names: Sequence[str]) -> str:
    if len(names) != 1:
        message = "name the newer schema: --endpoint URL, or --from with one file or address"
        raise CodegenError(message)
    return names[0]


def _text(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return _fetch(httpx2.Request("GET", _url(source)))
    try:
        return Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(source, "", f"cannot be read: {error}") from None


def _url(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise SpecError(text, "", f"is not an address: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise SpecError(text, "", "is not an address; write one such as https://example.com")
    return url


def _fetch(request: httpx2.Request) -> str:
    place = f"{request.url.scheme}://{request.url.netloc.decode()}{request.url.path}"
    try:
        # A redirect must not carry the key of a POST to another host.
        with httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=request.method == "GET") as client:
            response = client.send(request)
    except httpx2.HTTPError as error:
        raise SpecError(place, "", f"did not answer: {error or type(error).__name__}") from None
    except (UnicodeError, ValueError):
        raise SpecError(place, "", "cannot be asked; check the key for a line break") from None
    if response.status_code != 200:
        raise SpecError(place, "", f"answered {response.status_code}; check the address, the account and the key")
    return response.text
