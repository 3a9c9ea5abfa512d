"""The HTTP application: token endpoint, Workflows API and NQL API, with the guard in front of the last two."""

from __future__ import annotations

from typing import Final, TypedDict

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provider_py.sandbox.nexthink.access import Access
from provider_py.sandbox.nexthink.behaviors import BEHAVIORS, SYSTEM
from provider_py.sandbox.nexthink.errors import ApiError, NqlError
from provider_py.sandbox.nexthink.executions import Executions
from provider_py.sandbox.nexthink.nql import FILES, Nql
from provider_py.sandbox.nexthink.tenant import WORKFLOWS, Device, User, Workflow, directory, workflow
from provider_py.sandbox.nexthink.views import details, matches
from provider_py.sandbox.openapi import Contract
from provider_py.sandbox.world import World

CREDENTIALS: Final[dict[str, str]] = {
    "NEXTHINK_CLIENT_ID": "sandbox-client",
    "NEXTHINK_CLIENT_SECRET": "sandbox-client-secret",
    "NEXTHINK_STATUS_QUERY": "#workflow_request_status",
}
TOKEN_PATH: Final = "/oauth2/default/v1/token"  # noqa: S105  a path


class _ExecuteBody(TypedDict, total=False):
    workflowId: str
    params: dict[str, str]


class _ExecuteV1(_ExecuteBody, total=False):
    devices: list[str]
    users: list[str]


class _ExecuteV2(_ExecuteBody, total=False):
    devices: list[dict[str, str]]
    users: list[dict[str, str]]


def application(world: World) -> web.Application:
    """The tenant as an application, with its own executions and tokens."""
    world.behaviors.declare(SYSTEM, BEHAVIORS)
    access = Access(world, CREDENTIALS["NEXTHINK_CLIENT_ID"], CREDENTIALS["NEXTHINK_CLIENT_SECRET"])
    executions = Executions(world)
    tenant = _Tenant(world, executions)
    nql = Nql(world, executions, CREDENTIALS["NEXTHINK_STATUS_QUERY"])
    app = web.Application(middlewares=[_guard(world, access)], client_max_size=16 * 1024**2)
    app.add_routes(
        [
            web.post(TOKEN_PATH, access.token),
            web.get("/api/v1/workflows", tenant.workflows),
            web.get("/api/v1/workflows/details", tenant.workflow),
            web.post("/api/v1/workflows/execute", tenant.execute_v1),
            web.post("/api/v2/workflows/execute", tenant.execute_v2),
            web.post("/api/v1/workflows/workflows/{workflow}/execution/{execution}/trigger", tenant.trigger),
            web.post("/api/v2/nql/execute", nql.execute),
            web.post("/api/v1/nql/export", nql.export),
            web.get("/api/v1/nql/status/{export}", nql.status),
            web.get(FILES + "/{export}.csv", nql.file),
        ]
    )
    return app


def _guard(world: World, access: Access) -> Middleware:
    """Check the token first, then the request against the documents, and at last the response as well."""
    contract = Contract.read(SYSTEM, "openapi.json", "overlay.yaml")
    published = Contract.read(SYSTEM, "openapi.json")

    def check(request: web.Request, body: bytes) -> None:
        is_nql = "/nql/" in request.path
        if not is_nql and not world.behaviors.flag(SYSTEM, "workflows_right"):
            raise ApiError(403, "FORBIDDEN", "no permission for this operation")
        error = contract.request_error(request, body)
        if error is None and world.behaviors.flag(SYSTEM, "strict_published"):
            error = published.request_error(request, body)
        if error is not None:
            raise NqlError(400, 200, error) if is_nql else ApiError(400, "INVALID_REQUEST", error)

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == TOKEN_PATH or request.path.startswith(FILES):
            return await handler(request)
        if not access.allows(request):
            return web.Response(status=401)
        body = await request.read()
        try:
            check(request, body)
            response = await handler(request)
        except ApiError as failure:
            response = failure.response
        if isinstance(response, web.Response):
            contract.check_response(request, body, response)
        return response

    return guard


class _Tenant:
    def __init__(self, world: World, executions: Executions) -> None:
        self._world = world
        self._executions = executions

    def _switch(self, name: str) -> str:
        return self._world.behaviors.text(SYSTEM, name)

    async def workflows(self, request: web.Request) -> web.Response:
        """GET the workflows that match the filters."""
        bare = self._switch("id_form") == "bare"
        return web.json_response([details(known, bare) for known in WORKFLOWS if matches(known, request.query)])

    async def workflow(self, request: web.Request) -> web.Response:
        """GET one workflow by its NQL id."""
        view = details(_find(request.query["nqlId"]), self._switch("id_form") == "bare")
        return web.json_response([view] if self._switch("details_shape") == "array" else view)

    async def execute_v1(self, request: web.Request) -> web.Response:
        """POST Collector UIDs and security identifiers."""
        body: _ExecuteV1 = await request.json()
        devices = [directory().device(None, None, uid) for uid in body.get("devices", ())]
        users = [directory().user(None, None, sid) for sid in body.get("users", ())]
        return self._execute(body, devices, users)

    async def execute_v2(self, request: web.Request) -> web.Response:
        """POST devices and users by any identifier."""
        body: _ExecuteV2 = await request.json()
        targets = [*body.get("devices", ()), *body.get("users", ())]
        if not all(target.keys() & {"name", "uid", "collectorUid", "upn", "sid"} for target in targets):
            raise ApiError(400, "INVALID_REQUEST", "every device and user needs an identifier")
        devices = [
            directory().device(target.get("name"), target.get("uid"), target.get("collectorUid"))
            for target in body.get("devices", ())
        ]
        users = [
            directory().user(target.get("upn"), target.get("uid"), target.get("sid"))
            for target in body.get("users", ())
        ]
        return self._execute(body, devices, users)

    def _execute(self, body: _ExecuteBody, devices: list[Device | None], users: list[User | None]) -> web.Response:
        started = _startable(body["workflowId"], bool(devices), bool(users))
        if self._world.behaviors.flag(SYSTEM, "params_check"):
            _check_params(started, body.get("params", {}))
        request = self._executions.start(started, self._known_targets([*devices, *users]))
        uuids = [execution.id for execution in request.executions]
        return web.json_response({"requestUuid": request.run.id, "executionsUuids": uuids})

    def _known_targets(self, targets: list[Device | User | None]) -> list[Device | User]:
        known = list(dict.fromkeys(target for target in targets if target is not None))
        if None in targets and self._switch("unknown_targets") == "refuse":
            raise ApiError(400, "UNKNOWN_TARGET", "a device or user is not known")
        if not known:
            raise ApiError(400, "NO_TARGET", "no device or user to execute the workflow on")
        return known

    async def trigger(self, request: web.Request) -> web.Response:
        """POST the event that a waiting execution waits for."""
        match = self._executions.of_execution(request.match_info["execution"].lower())
        if match is None or match[0].workflow.uuid != request.match_info["workflow"].lower():
            raise ApiError(400, "EXECUTION_NOT_FOUND", "the workflow has no such execution")
        started, execution = match
        parameters = (await request.json()).get("parameters", {})
        if not self._executions.trigger(started, execution, parameters):
            raise ApiError(400, "EXECUTION_NOT_WAITING", "the execution does not wait for an event")
        body = {"requestUuid": started.run.id}
        return web.json_response([body] if self._switch("trigger_shape") == "array" else body)


def _find(name: str) -> Workflow:
    known = workflow(name)
    if known is None:
        raise ApiError(400, "WORKFLOW_NOT_FOUND", f"there is no workflow {name}")
    return known


def _startable(name: str, on_devices: bool, on_users: bool) -> Workflow:
    known = _find(name)
    if not known.active:
        raise ApiError(400, "WORKFLOW_INACTIVE", f"{known.id} has no active version")
    if not known.api_enabled:
        raise ApiError(403, "API_TRIGGER_DISABLED", f"{known.id} may not be started through the API")
    if on_devices and not known.has_device:
        raise ApiError(400, "DEVICES_NOT_ALLOWED", f"{known.id} runs on users only")
    if on_users and not known.has_user:
        raise ApiError(400, "USERS_NOT_ALLOWED", f"{known.id} runs on devices only")
    return known


def _check_params(started: Workflow, params: dict[str, str]) -> None:
    declared = {parameter.id: parameter for parameter in started.parameters}
    for name, value in params.items():
        if name not in declared:
            raise ApiError(400, "UNKNOWN_PARAMETER", f"{started.id} has no parameter {name}")
        if not declared[name].takes(value):
            raise ApiError(400, "INVALID_PARAMETER", f"{name} must be one of its options")
    missing = [name for name in declared if name not in params]
    if missing:
        raise ApiError(400, "MISSING_PARAMETER", f"{started.id} needs {', '.join(missing)}")
