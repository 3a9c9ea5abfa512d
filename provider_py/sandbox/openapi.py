"""Validation of the REST systems' requests and responses against their OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Self, TypeAlias

import jsonpath
import yaml
from aiohttp import web
from openapi_core import Config, OpenAPI
from openapi_core.contrib.aiohttp import AIOHTTPOpenAPIWebRequest, AIOHTTPOpenAPIWebResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.request.exceptions import ParameterValidationError

from provider_py.sandbox.specs import spec_file

Document: TypeAlias = dict[str, Any]
"""An OpenAPI document or a part of one; nothing but its meta-schema gives its members types."""


class InvalidResponseError(Exception):
    """The sandbox was about to answer what its own document does not allow."""


class Contract:
    """One document, without its security: the systems check credentials themselves, before everything else."""

    def __init__(self, document: Document) -> None:
        """Take over the document, which is modified."""
        document["servers"] = [{"url": "/"}]
        document.pop("security", None)
        for path in document["paths"].values():
            for operation in path.values():
                if isinstance(operation, dict):
                    operation.pop("security", None)
        json_types: dict[str, Callable[[bytes], object]] = {"application/vnd.vmware.vcloud.task+json": json.loads}
        config = Config(spec_validator_cls=None, extra_media_type_deserializers=json_types)
        self._openapi = OpenAPI.from_dict(document, config=config)

    @classmethod
    @cache
    def read(cls, system: str, file: str, overlay: str | None = None) -> Self:
        """Read a document of specs/<system> once, with the corrections of the overlay beside it."""
        return cls(corrected(system, file, overlay))

    def request_error(self, request: web.Request, body: bytes) -> str | None:
        """Why a request is invalid; None if it is valid, or if the document does not contain its path."""
        try:
            self._openapi.validate_request(AIOHTTPOpenAPIWebRequest(request, body=body))
        except PathError:
            return None
        except OpenAPIError as error:
            return _explain(error)
        return None

    def check_response(self, request: web.Request, body: bytes, response: web.Response) -> None:
        """Raise InvalidResponseError if the document does not allow this response."""
        try:
            self._openapi.validate_response(
                AIOHTTPOpenAPIWebRequest(request, body=body), AIOHTTPOpenAPIWebResponse(response)
            )
        except PathError:
            return
        except OpenAPIError as error:
            message = f"{request.method} {request.path}: {response.status}: {_explain(error)}"
            raise InvalidResponseError(message) from None


def corrected(system: str, file: str, overlay: str | None = None) -> Document:
    """A document of specs/<system> with its overlay applied."""
    document = _read(system, file)
    for action in _read(system, overlay)["actions"] if overlay else ():
        _correct(document, action)
    return document


def _read(system: str, file: str) -> Document:
    text = spec_file(system, file).read_text("utf-8")
    document: Document = json.loads(text) if file.endswith(".json") else yaml.safe_load(text)
    return document


def _correct(document: Document, action: Document) -> None:
    """Apply one action of an OpenAPI Overlay 1.0."""
    for match in reversed(list(jsonpath.finditer(action["target"], document))):
        if action.get("remove") is True:
            parent: Any = match.parent.obj if match.parent else document  # an object or an array
            del parent[match.parts[-1]]
        elif isinstance(match.obj, dict):
            _merge(match.obj, action["update"])


def _merge(target: Document, update: Document) -> None:
    for key, value in update.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def _explain(error: OpenAPIError) -> str:
    """The error in one line: where a schema is violated, the place and the rule, but not the value."""
    where = f"{error.location} parameter {error.name}: " if isinstance(error, ParameterValidationError) else ""
    cause: BaseException | None = error
    while cause is not None:
        violations = list(getattr(cause, "schema_errors", ()))
        if violations:
            return where + "; ".join(f"{violation.json_path}: breaks {violation.validator}" for violation in violations)
        cause = cause.__cause__
    return f"{where}{error.__cause__}" if error.__cause__ else str(error)
