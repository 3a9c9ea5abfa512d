"""The HTTP application: POST /api/graphql and REST, each with and without the prefix /gateway."""

from __future__ import annotations

import json
from functools import partial

from aiohttp import web

from provider_py.sandbox.harness import engine, others
from provider_py.sandbox.harness.account import ACCOUNT_ID, Account, Call
from provider_py.sandbox.harness.behaviors import BEHAVIORS, SYSTEM
from provider_py.sandbox.harness.gateway import API_KEY, RequestLimit, reject_key
from provider_py.sandbox.harness.rest import ExecutionsApi
from provider_py.sandbox.harness.schema import schema
from provider_py.sandbox.world import World

CREDENTIALS = {"HARNESS_ACCOUNT_ID": ACCOUNT_ID, "HARNESS_API_KEY": API_KEY}

_PREFIXES = ("", "/gateway")


def application(world: World) -> web.Application:
    """The system in its initial state."""
    world.behaviors.declare(SYSTEM, BEHAVIORS)
    account, limit = Account(world), RequestLimit(world)
    world.on_reset(account.reset)
    world.add_others[SYSTEM] = partial(others.add, account)
    world.on_reset(limit.reset)
    graphql, rest = _GraphQLApi(account, limit), ExecutionsApi(account)
    app = web.Application()
    for prefix in _PREFIXES:
        app.router.add_post(f"{prefix}/api/graphql", graphql.handle)
        app.router.add_put(f"{prefix}/api/executions/{{id}}", rest.interrupt)
        app.router.add_get(f"{prefix}/api/external/v1/executions/{{id}}/status", rest.status)
    return app


class _BadBodyError(ValueError):
    pass


class _GraphQLApi:
    def __init__(self, account: Account, limit: RequestLimit) -> None:
        self._account = account
        self._limit = limit

    async def handle(self, request: web.Request) -> web.Response:
        """POST /api/graphql?accountId=."""
        rejection = reject_key(self._account.world, request) or self._limit.reject()
        if rejection is not None:
            return rejection
        try:
            body = await _read(request)
        except _BadBodyError as failure:
            return web.json_response({"code": 400, "message": str(failure)}, status=400)
        version = self._account.world.behaviors.text(SYSTEM, "server_version")
        call = Call(self._account, f"{request.url.origin()}/#/account/{ACCOUNT_ID}", body.upload)
        try:
            return web.json_response(engine.execute(schema(version), call, body))
        except engine.NoOperationError as failure:
            text = f"Error while handling api request for Graphql api for accountId {ACCOUNT_ID} : {failure}"
            return web.Response(text=text, status=500)


async def _read(request: web.Request) -> engine.GraphQLRequest:
    if request.content_type == "multipart/form-data":
        return await _read_parts(request)
    text = await request.text()
    if request.content_type == "text/plain":
        return engine.GraphQLRequest(text, {})
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    return _request(text)


async def _read_parts(request: web.Request) -> engine.GraphQLRequest:
    """The form of an encrypted file: the request as JSON in `query`, the content in `file`."""
    form = await request.post()
    query, upload = form.get("query"), form.get("file")
    if not isinstance(query, str):
        raise _BadBodyError("Unable to process form: query is missing")
    content = upload.file.read() if isinstance(upload, web.FileField) else None
    return _request(query, content)


def _request(text: str, upload: bytes | None = None) -> engine.GraphQLRequest:
    try:
        body = json.loads(text)
    except ValueError:
        raise _BadBodyError("Unable to process JSON") from None
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise _BadBodyError("Unable to process JSON: query is missing")
    variables, name = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict) or not isinstance(name, str | None):
        raise _BadBodyError("Unable to process JSON: variables or operationName")
    return engine.GraphQLRequest(body["query"], variables, name, upload)
