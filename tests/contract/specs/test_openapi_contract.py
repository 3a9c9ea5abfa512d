"""Validation of requests and responses against a document."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from provider_py.sandbox import Contract, InvalidResponseError

COUNT = {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "minimum": 1}}}


@pytest.fixture
def contract() -> Contract:
    content = {"application/json": {"schema": COUNT}}
    operation: dict[str, Any] = {
        "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer", "maximum": 5}}],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "", "content": content}},
        "security": [{"key": []}],
    }
    key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "", "version": "1"},
        "servers": [{"url": "https://elsewhere.example.com/base"}],
        "paths": {"/things/{id}": {"post": operation}},
        "components": {"securitySchemes": {"key": key}},
        "security": [{"key": []}],
    }
    return Contract(document)


def request(target: str = "/things/a%3Ab", method: str = "POST", content_type: str = "application/json") -> web.Request:
    return make_mocked_request(method, target, headers={"Host": "127.0.0.1:4711", "Content-Type": content_type})


def test_valid_request_has_no_error(contract: Contract) -> None:
    assert contract.request_error(request("/things/a%3Ab?page=5"), b'{"count": 1}') is None


@pytest.mark.parametrize(
    ("target", "body", "part"),
    [
        ("/things/1", b'{"count": 0}', "$.count: breaks minimum"),
        ("/things/1", b"{}", "$: breaks required"),
        ("/things/1?page=6", b'{"count": 1}', "query parameter page: $: breaks maximum"),
        ("/things/1?page=x", b'{"count": 1}', "query parameter page: Failed to cast"),
        ("/things/1", b"", "body"),
        ("/things/1", b"{", "deserialize"),
    ],
)
def test_request_error_names_place_and_rule(contract: Contract, target: str, body: bytes, part: str) -> None:
    assert part in (contract.request_error(request(target), body) or "")


def test_request_error_does_not_repeat_values(contract: Contract) -> None:
    assert "s3cret" not in (contract.request_error(request(), b'{"count": "s3cret"}') or "s3cret")


def test_other_content_type_is_invalid(contract: Contract) -> None:
    assert contract.request_error(request(content_type="text/plain"), b'{"count": 1}') is not None


@pytest.mark.parametrize(("target", "method"), [("/other", "POST"), ("/things/1", "DELETE")])
def test_paths_outside_the_document_are_not_validated(contract: Contract, target: str, method: str) -> None:
    assert contract.request_error(request(target, method), b"") is None
    contract.check_response(request(target, method), b"", web.Response(status=500))


def test_responses_are_validated(contract: Contract) -> None:
    contract.check_response(request(), b"", web.json_response({"count": 1}))
    with pytest.raises(InvalidResponseError, match=r"POST /things/a:b: 200: \$\.count: breaks type"):
        contract.check_response(request(), b"", web.json_response({"count": "1"}))
    with pytest.raises(InvalidResponseError, match="500"):
        contract.check_response(request(), b"", web.Response(status=500))
