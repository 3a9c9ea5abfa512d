"""The simulated Nexthink tenant: token endpoint, Workflows API and the NQL calls that report executions."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provider_py.sandbox.nexthink.access import Access
from provider_py.sandbox.nexthink.executions import SYSTEM, Executions
from provider_py.sandbox.nexthink.nql import FILES, Nql
from provider_py.sandbox.nexthink.refusals import nql_refusal, refusal
from provider_py.sandbox.nexthink.tenant import WORKFLOWS, Device, User, Workflow, directory, workflow
from provider_py.sandbox.nexthink.views import details, matches
from provider_py.sandbox.openapi import Contract
from provider_py.sandbox.world import World

CREDENTIALS: Final[dict[str, str]] = {
    "NEXTHINK_CLIENT_ID": "sandbox-client",
    "NEXTHINK_CLIENT_SECRET": "sandbox-client-secret",
    "NEXTHINK_STATUS_QUERY": "#workflow_request_status",
}

BEHAVIOURS: Final[dict[str, object]] = {
    "token_seconds": 900,  # how long a token is good
    "token_auth": "basic",  # "either": credentials are taken from the form body as well
    "strict_published": False,  # True: the published document counts to the letter, both target lists demanded
    "unknown_targets": "drop",  # "refuse": one unknown device or user refuses the whole request
    "params_check": True,  # False: params are not compared with those the workflow declares
    "details_shape": "object",  # "array": as published
    "trigger_shape": "array",  # "object": as clients in use read it
    "id_form": "hash",  # "bare": ids are answered without their number sign
    "row_lag_seconds": 0.3,  # how long after the execute call its rows appear
    "export_seconds": 0.5,  # how long the file of an export takes
    "export_limit": 0,  # how many rows the licence allows in a file, answered 206; 0: any number
    "export_error": "",  # a text: exports end with this error
    "workflows_right": True,  # False: the credentials have no right to workflows
    "nql_right": True,  # False: the credentials have no right to NQL
}
CHOICES: Final[dict[str, tuple[object, ...]]] = {
    "token_auth": ("basic", "either"),
    "unknown_targets": ("drop", "refuse"),
    "details_shape": ("object", "array"),
    "trigger_shape": ("array", "object"),
    "id_form": ("hash", "bare"),
}
TOKEN_PATH: Final = "/oauth2/default/v1/token"  # noqa: S105  a path


def application(world: World) -> web.Application:
    """The tenant as an application, with its own executions and tokens."""
    world.behaviours.declare(SYSTEM, BEHAVIOURS, CHOICES)
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
    """Token first, then the documents' rules, and the same rules for what is answered."""
    corrected = Contract.read(SYSTEM, "openapi.json", "overlay.yaml")
    published = Contract.read(SYSTEM, "openapi.json")

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == TOKEN_PATH or request.path.startswith(FILES):
            return await handler(request)
        if not access.knows(request):
            return web.Response(status=401)
        if not world.behaviours.flag(SYSTEM, "workflows_right") and "/nql/" not in request.path:
            return refusal(403, "FORBIDDEN", "no permission for this operation")
        body = await request.read()
        fault = corrected.request_fault(request, body)
        if fault is None and world.behaviours.flag(SYSTEM, "strict_published"):
            fault = published.request_fault(request, body)
        if fault is None:
            answer = await handler(request)
        else:
            answer = nql_refusal(400, 200, fault) if "/nql/" in request.path else refusal(400, "INVALID_REQUEST", fault)
        if isinstance(answer, web.Response):
            corrected.check_answer(request, body, answer)
        return answer

    return guard


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.answer = refusal(status, code, text)


class _Tenant:
    def __init__(self, world: World, executions: Executions) -> None:
        self._world = world
        self._executions = executions

    def _switch(self, name: str) -> str:
        return self._world.behaviours.text(SYSTEM, name)

    async def workflows(self, request: web.Request) -> web.Response:
        """GET the workflows the filters leave."""
        found = [each for each in WORKFLOWS if matches(each, request.query)]
        return web.json_response([details(each, self._switch("id_form") == "bare") for each in found])

    async def workflow(self, request: web.Request) -> web.Response:
        """GET one workflow by its NQL id."""
        found = workflow(request.query["nqlId"])
        if found is None:
            return refusal(400, "WORKFLOW_NOT_FOUND", f"there is no workflow {request.query['nqlId']}")
        shown = details(found, self._switch("id_form") == "bare")
        return web.json_response([shown] if self._switch("details_shape") == "array" else shown)

    async def execute_v1(self, request: web.Request) -> web.Response:
        """POST collector and security identifiers."""
        body = await request.json()
        devices = [directory().device(None, None, uid) for uid in body.get("devices", ())]
        users = [directory().user(None, None, sid) for sid in body.get("users", ())]
        return self._execute(body, devices, users)

    async def execute_v2(self, request: web.Request) -> web.Response:
        """POST devices and users by any identifier."""
        body = await request.json()
        given = [*body.get("devices", ()), *body.get("users", ())]
        if not all(target.keys() & {"name", "uid", "collectorUid", "upn", "sid"} for target in given):
            return refusal(400, "INVALID_REQUEST", "each device and user needs an identifier")
        devices = [
            directory().device(target.get("name"), target.get("uid"), target.get("collectorUid"))
            for target in body.get("devices", ())
        ]
        users = [
            directory().user(target.get("upn"), target.get("uid"), target.get("sid"))
            for target in body.get("users", ())
        ]
        return self._execute(body, devices, users)

    def _execute(self, body: Any, devices: list[Device | None], users: list[User | None]) -> web.Response:
        try:
            wanted = _startable(body["workflowId"], bool(devices), bool(users))
            if self._world.behaviours.flag(SYSTEM, "params_check"):
                _check_params(wanted, body.get("params", {}))
            targets = self._targets([*devices, *users])
        except _RefusedError as refused:
            return refused.answer
        started = self._executions.start(wanted, targets)
        uuids = [execution.id for execution in started.executions]
        return web.json_response({"requestUuid": started.run.id, "executionsUuids": uuids})

    def _targets(self, found: list[Device | User | None]) -> list[Device | User]:
        targets = list(dict.fromkeys(target for target in found if target is not None))
        if None in found and self._switch("unknown_targets") == "refuse":
            raise _RefusedError(400, "UNKNOWN_TARGET", "a device or user is not known")
        if not targets:
            raise _RefusedError(400, "NO_TARGET", "no device or user to execute the workflow on")
        return targets

    async def trigger(self, request: web.Request) -> web.Response:
        """POST the event a waiting execution waits for."""
        found = self._executions.of_execution(request.match_info["execution"].lower())
        if found is None or found[0].workflow.uuid != request.match_info["workflow"].lower():
            return refusal(400, "EXECUTION_NOT_FOUND", "the workflow has no such execution")
        started, execution = found
        parameters = (await request.json()).get("parameters", {})
        if not self._executions.trigger(started, execution, parameters):
            return refusal(400, "EXECUTION_NOT_WAITING", "the execution does not wait for an event")
        answer = {"requestUuid": started.run.id}
        return web.json_response([answer] if self._switch("trigger_shape") == "array" else answer)


def _startable(name: str, on_devices: bool, on_users: bool) -> Workflow:
    wanted = workflow(name)
    if wanted is None:
        raise _RefusedError(400, "WORKFLOW_NOT_FOUND", f"there is no workflow {name}")
    if not wanted.active:
        raise _RefusedError(400, "WORKFLOW_INACTIVE", f"{wanted.id} has no active version")
    if not wanted.api_enabled:
        raise _RefusedError(403, "API_TRIGGER_DISABLED", f"{wanted.id} may not be started through the API")
    if on_devices and not wanted.has_device:
        raise _RefusedError(400, "DEVICES_NOT_ALLOWED", f"{wanted.id} runs on users only")
    if on_users and not wanted.has_user:
        raise _RefusedError(400, "USERS_NOT_ALLOWED", f"{wanted.id} runs on devices only")
    return wanted


def _check_params(wanted: Workflow, params: dict[str, str]) -> None:
    declared = {parameter.id: parameter for parameter in wanted.parameters}
    for name, value in params.items():
        if name not in declared:
            raise _RefusedError(400, "UNKNOWN_PARAMETER", f"{wanted.id} has no parameter {name}")
        if not declared[name].takes(value):
            raise _RefusedError(400, "INVALID_PARAMETER", f"{name} must be one of its options")
    missing = [name for name in declared if name not in params]
    if missing:
        raise _RefusedError(400, "MISSING_PARAMETER", f"{wanted.id} needs {', '.join(missing)}")
