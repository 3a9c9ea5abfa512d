"""The simulated system as an HTTP application: POST /api/graphql and REST, each with and without /gateway."""

from __future__ import annotations

import json

from aiohttp import web

from provider_py.sandbox.harness import engine
from provider_py.sandbox.harness.account import ACCOUNT_ID, SYSTEM, Account, Call
from provider_py.sandbox.harness.gateway import API_KEY, RequestLimit, refuse_key
from provider_py.sandbox.harness.rest import ExecutionsApi
from provider_py.sandbox.harness.schema import VERSIONS, schema
from provider_py.sandbox.world import World

CREDENTIALS = {"HARNESS_ACCOUNT_ID": ACCOUNT_ID, "HARNESS_API_KEY": API_KEY}

BEHAVIOURS: dict[str, object] = {
    # GraphQL requests in any minute, 0 without limit; 5 on small plans.
    "requests_per_minute": 30,
    # Who refuses a request too many: the server ("graphql") or the network before it ("cloudflare", blocks a minute).
    "rate_limit_style": "graphql",
    # Whether such a refusal says when to come back: "none", "seconds" or "date".
    "retry_after": "none",
    # Shape of a 401: the REST envelope ("rest") or GraphQL's errors ("graphql").
    "unauthorized_style": "rest",
    # Deployments in any day, 0 without limit; 40 % of them in any hour.
    "deployments_per_day": 100,
    # The first status of an execution, and for how long: RUNNING at once, or QUEUED, or PREPARING (shown as null).
    "starting_status": "RUNNING",
    "starting_seconds": 1.0,
    # How long an aborted execution still shows RUNNING.
    "aborting_seconds": 0.5,
    # True: an execution is started and the answer is {"startExecution": null} without errors.
    "null_payload": False,
    # True: the key may read but not execute.
    "execute_denied": False,
    # The name of a freeze window that forbids every deployment.
    "freeze_window": "",
    # True: executions() without a filter on the application is refused.
    "application_filter_required": False,
    # The release whose schema is served; older ones lack some fields.
    "server_version": VERSIONS[0],
}
CHOICES: dict[str, tuple[object, ...]] = {
    "rate_limit_style": ("graphql", "cloudflare"),
    "retry_after": ("none", "seconds", "date"),
    "unauthorized_style": ("rest", "graphql"),
    "starting_status": ("RUNNING", "QUEUED", "PREPARING"),
    "server_version": VERSIONS,
}
_PREFIXES = ("", "/gateway")


def application(world: World) -> web.Application:
    """The system, with its first state."""
    world.behaviours.declare(SYSTEM, BEHAVIOURS, CHOICES)
    account, limit = Account(world), RequestLimit(world)
    world.on_reset(account.reset)
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
        refusal = refuse_key(self._account.world, request) or self._limit.refuse()
        if refusal is not None:
            return refusal
        try:
            wanted = await _read(request)
        except _BadBodyError as failure:
            return web.json_response({"code": 400, "message": str(failure)}, status=400)
        version = self._account.world.behaviours.text(SYSTEM, "server_version")
        call = Call(self._account, f"{request.url.origin()}/#/account/{ACCOUNT_ID}", wanted.upload)
        try:
            return web.json_response(engine.execute(schema(version), call, wanted))
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
