"""Requests and answers of the REST systems judged by their OpenAPI documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Self

import jsonpath
import yaml
from aiohttp import web
from openapi_core import Config, OpenAPI
from openapi_core.contrib.aiohttp import AIOHTTPOpenAPIWebRequest, AIOHTTPOpenAPIWebResponse
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.request.exceptions import ParameterValidationError

from provider_py.sandbox.specs import spec_file


class OwnAnswerError(Exception):
    """The sandbox was about to answer what its own document does not allow."""


class Contract:
    """One document, with its security left to the system: credentials come before everything else."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take the document over; it is changed."""
        document["servers"] = [{"url": "/"}]
        document.pop("security", None)
        for path in document["paths"].values():
            for operation in path.values():
                if isinstance(operation, dict):
                    operation.pop("security", None)
        json_types: dict[str, Callable[[bytes], Any]] = {"application/vnd.vmware.vcloud.task+json": json.loads}
        config = Config(spec_validator_cls=None, extra_media_type_deserializers=json_types)
        self._openapi = OpenAPI.from_dict(document, config=config)

    @classmethod
    @cache
    def read(cls, system: str, file: str, overlay: str | None = None) -> Self:
        """Read a document of specs/<system>, once; corrected by an overlay beside it if one is named."""
        return cls(corrected(system, file, overlay))

    def request_fault(self, request: web.Request, body: bytes) -> str | None:
        """What is wrong with a request; None if nothing is, or if the document does not have its path."""
        try:
            self._openapi.validate_request(AIOHTTPOpenAPIWebRequest(request, body=body))
        except PathError:
            return None
        except OpenAPIError as fault:
            return _explain(fault)
        return None

    def check_answer(self, request: web.Request, body: bytes, answer: web.Response) -> None:
        """Raise OwnAnswerError if the answer is not one of the document's."""
        asked, given = AIOHTTPOpenAPIWebRequest(request, body=body), AIOHTTPOpenAPIWebResponse(answer)
        try:
            self._openapi.validate_response(asked, given)
        except PathError:
            return
        except OpenAPIError as fault:
            raise OwnAnswerError(f"{request.method} {request.path}: {answer.status}: {_explain(fault)}") from None


def corrected(system: str, file: str, overlay: str | None = None) -> Any:
    """A document of specs/<system> with its overlay applied."""
    document = _read(system, file)
    for action in _read(system, overlay)["actions"] if overlay else ():
        _correct(document, action)
    return document


def _read(system: str, file: str) -> Any:
    text = spec_file(system, file).read_text("utf-8")
    return json.loads(text) if file.endswith(".json") else yaml.safe_load(text)


def _correct(document: Any, action: dict[str, Any]) -> None:
    """Apply one action of an OpenAPI Overlay 1.0."""
    for match in reversed(list(jsonpath.finditer(action["target"], document))):
        if action.get("remove") is True:
            holder: Any = match.parent.obj if match.parent else document
            del holder[match.parts[-1]]
        else:
            _merge(match.obj, action["update"])


def _merge(target: Any, update: dict[str, Any]) -> None:
    for key, value in update.items():
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = value


def _explain(fault: OpenAPIError) -> str:
    """The fault in one line; where a schema is hurt, the place and the rule, but not the value."""
    where = f"{fault.location} parameter {fault.name}: " if isinstance(fault, ParameterValidationError) else ""
    cause: BaseException | None = fault
    while cause is not None:
        errors = list(getattr(cause, "schema_errors", ()))
        if errors:
            return where + "; ".join(f"{error.json_path}: breaks {error.validator}" for error in errors)
        cause = cause.__cause__
    return f"{where}{fault.__cause__}" if fault.__cause__ else str(fault)
