"""`codegen refresh`: compare a shipped specification with what the vendor serves now, and take it over if asked to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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

from codegen import graphql, graphql_changes, openapi, openapi_changes, overlay, sources
from codegen.changes import Change, report
from codegen.errors import CodegenError, SpecError
from codegen.sources import Spec

TIMEOUT_SECONDS: Final = 60
SAME, TOUCHED, FAILED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the newer specification comes from: files and addresses, or an endpoint that answers introspection."""

    documents: Sequence[str] = ()
    endpoint: str | None = None
    account_id: str | None = None
    api_key_env: str | None = None


def refresh(root: Path, name: str, origin: Origin, *, write: bool) -> int:
    """Print what changed; return SAME if nothing touches our operations, else TOUCHED."""
    spec = next((spec for spec in sources.load(root) if spec.name == name), None)
    if spec is None or spec.kind == "protobuf":
        message = f"{name} is not a specification that can be refreshed; see {sources.SOURCES}"
        raise CodegenError(message)
    found = _graphql(root, spec, origin) if spec.kind == "graphql" else _openapi(root, spec, origin)
    print("\n".join(report(spec.vendor, found.changes)))
    if write:
        for file, text in found.files.items():
            (root / file).write_text(text, "utf-8")
        print(f"wrote {', '.join(found.files)}; now run `python -m codegen pin` and `python -m codegen generate`")
    return TOUCHED if any(change.operations for change in found.changes) else SAME


@dataclass(frozen=True, slots=True)
class _Found:
    changes: Sequence[Change]
    files: dict[str, str]


def _graphql(root: Path, spec: Spec, origin: Origin) -> _Found:
    new = _served(origin) if origin.endpoint else _read_schema(_one(origin.documents))
    old = graphql.read_schema(root, spec.document)
    changes = graphql_changes.compare(old, new, concat_ast(graphql.read_operations(root, spec)))
    introspection = Path(spec.document).with_name("introspection.json").as_posix()
    files = {spec.document: f"{print_schema(new)}\n"}
    if introspection in spec.sha256:
        plain = introspection_from_schema(new, specified_by_url=False, directive_is_repeatable=False)
        answer = {"data": plain}
        files[introspection] = f"{json.dumps(answer, indent=2, ensure_ascii=False)}\n"
    return _Found(changes, files)


def _served(origin: Origin) -> GraphQLSchema:
    """Ask an endpoint, the way Harness wants to be asked."""
    key = os.environ.get(origin.api_key_env or "")
    if not key or not origin.account_id:
        message = "an endpoint needs --account-id, and --api-key-env with the name of a variable that holds the key"
        raise CodegenError(message)
    base = str(origin.endpoint).rstrip("/")
    address = base if base.endswith("/graphql") else f"{base}/api/graphql"
    body = _fetch(
        httpx2.Request(
            "POST",
            _url(address),
            params={"accountId": origin.account_id},
            headers={"x-api-key": key},
            json={"query": get_introspection_query(descriptions=True)},
        )
    )
    return _schema(body, address)


def _read_schema(source: str) -> GraphQLSchema:
    text = _text(source)
    try:
        return _schema(text, source) if text.lstrip().startswith("{") else build_schema(text)
    except (GraphQLError, TypeError) as error:
        raise SpecError(source, "", str(error)) from None


def _schema(text: str, source: str) -> GraphQLSchema:
    try:
        answer = json.loads(text)
        if answer.get("errors"):
            raise SpecError(source, "introspection", str(answer["errors"][0].get("message", "was refused")))
        return build_client_schema(answer.get("data", answer))
    except (ValueError, TypeError, AttributeError, LookupError, GraphQLError) as error:
        raise SpecError(source, "", f"is no answer to an introspection: {error}") from None


def _openapi(root: Path, spec: Spec, origin: Origin) -> _Found:
    if origin.endpoint or not origin.documents:
        message = f"{spec.vendor} answers no introspection: name its documents with --from FILE_OR_URL"
        raise CodegenError(message)
    documents = {source: _document(source) for source in origin.documents}
    new = openapi.merge(documents)
    changes = openapi_changes.compare(openapi.read(root, spec.document), new)
    if spec.overlay is not None:
        changes += _overtaken(new, openapi.read(root, spec.overlay), spec.overlay)
    return _Found(changes, _files(root, spec, new, documents))


def _overtaken(new: Any, corrections: Any, file: str) -> list[Change]:
    try:
        overlay.apply(new, corrections, file)
    except SpecError as error:
        return [Change(f"a correction does not fit any more: {error}", ("the overlay",))]
    return []


def _files(root: Path, spec: Spec, new: Any, documents: dict[str, Any]) -> dict[str, str]:
    """Return the files to write: the document, and each published part by its name."""
    files = {spec.document: _dump(new, spec.document)}
    for file in spec.sha256:
        for source, document in documents.items():
            if file != spec.document and Path(file).name == source.rsplit("/", 1)[-1] and (root / file).is_file():
                files[file] = _dump(document, file)
    return files


def _dump(document: Any, file: str) -> str:
    if file.endswith(".json"):
        return f"{json.dumps(document, indent=2, ensure_ascii=False)}\n"
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _document(source: str) -> Any:
    text = _text(source)
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise SpecError(source, "", f"is neither JSON nor YAML: {error}") from None
    if not isinstance(document, dict) or "openapi" not in document:
        raise SpecError(source, "", "is not an OpenAPI document")
    return document


def _one(documents: Sequence[str]) -> str:
    if len(documents) != 1:
        message = "name the newer schema: --endpoint URL, or --from with one file or address"
        raise CodegenError(message)
    return documents[0]


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
        raise SpecError(place, "", "cannot be asked: is there a line break in the key?") from None
    if response.status_code != 200:
        raise SpecError(place, "", f"answered {response.status_code}; check the address, the account and the key")
    return response.text
