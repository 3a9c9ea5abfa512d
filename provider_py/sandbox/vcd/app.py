"""The simulated Cloud Director: sessions, service library, workflow executions and tasks."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provider_py.sandbox.openapi import Contract
from provider_py.sandbox.vcd import access, versions
from provider_py.sandbox.vcd.access import SYSTEM, Access, Session
from provider_py.sandbox.vcd.errors import ApiError, bad_request, forbidden, not_found
from provider_py.sandbox.vcd.executions import Execution, Executions
from provider_py.sandbox.vcd.library import WORKFLOWS, Workflow, find, presentation, service_item
from provider_py.sandbox.vcd.query import page_of
from provider_py.sandbox.world import World

CREDENTIALS: Final[dict[str, str]] = {"VCD_ORG": access.ORG, "VCD_API_TOKEN": access.API_TOKEN}

BEHAVIOURS: Final[dict[str, object]] = {
    "token_seconds": 3600,  # how long an access token is good
    "api_token_answer": "null",  # refresh_token in the answer to an API token; "repeat": the token itself
    "unauthorized_body": "empty",  # "error": a 401 has an error object
    "missing": "404",  # "403": what does not exist is forbidden
    "workflow_ids": "any",  # "urn": only the service item's URN names a workflow
    "input_types": "class",  # "any": inputType may also be spelled string, number, sdkObject …; "short": only so
    "unknown_parameters": "refuse",  # "ignore": inputs the workflow does not have are dropped
    "presentation": "full",  # "untyped": without the parameters' types; "absent": there is none
    "start_answer": "plain",  # what a start answers beside the execution; "task": 202 and nothing but a task
    "execution_state": "present",  # "absent": an execution is answered without its state
    "state_shape": "string",  # "object": {"state": …}; "value": {"value": …}
    "list_lag": 0.0,  # how many seconds the list of executions is behind
    "tenant_context": "uuid",  # "any": the context header may also be the organization's URN
    "date_form": "colon",  # "short": +0000 instead of +00:00
    "session_outputs": True,  # False: outputs come without the values of the session
}
CHOICES: Final[dict[str, tuple[object, ...]]] = {
    "api_token_answer": ("null", "repeat"),
    "unauthorized_body": ("empty", "error"),
    "missing": ("404", "403"),
    "workflow_ids": ("any", "urn"),
    "input_types": ("class", "any", "short"),
    "unknown_parameters": ("refuse", "ignore"),
    "presentation": ("full", "untyped", "absent"),
    "start_answer": ("plain", "location_task", "task_header", "location_execution", "task"),
    "execution_state": ("present", "absent"),
    "state_shape": ("string", "object", "value"),
    "tenant_context": ("uuid", "any"),
    "date_form": ("colon", "short"),
}
TASK_LOCATION: Final = "X-VMWARE-VCLOUD-TASK-LOCATION"
_REQUEST_ID: Final = "X-VMWARE-VCLOUD-REQUEST-ID"
_SESSION: Final = web.RequestKey("session", Session)
_VERSION: Final = web.RequestKey("version", str)


def application(world: World) -> web.Application:
    """The site as an application, with its own sessions and executions."""
    world.behaviours.declare(SYSTEM, BEHAVIOURS, CHOICES)
    doors = Access(world)
    site = _Site(world, doors)
    executions = "/cloudapi/workflows/{workflow}/executions"
    app = web.Application(middlewares=[_guard(world, doors)], client_max_size=16 * 1024**2)
    app.add_routes(
        [
            web.get("/api/versions", site.versions),
            web.post("/cloudapi/1.0.0/sessions", site.log_in),
            web.post("/cloudapi/1.0.0/sessions/provider", site.log_in),
            web.get("/cloudapi/1.0.0/sessions/current", site.session),
            web.delete("/cloudapi/1.0.0/sessions/current", site.log_out),
            web.get("/cloudapi/1.0.0/orgs", site.orgs),
            web.post("/oauth/tenant/{org}/token", site.exchange),
            web.post("/oauth/provider/token", site.exchange),
            web.get("/cloudapi/serviceItem", site.service_items),
            web.get("/cloudapi/serviceItem/{workflow}", site.service_item),
            web.get("/cloudapi/workflows/{workflow}/presentation", site.presentation),
            web.get(executions, site.executions),
            web.post(executions, site.start),
            web.get(f"{executions}/{{execution}}", site.execution),
            web.delete(f"{executions}/{{execution}}", site.forget),
            web.get(f"{executions}/{{execution}}/state", site.state),
            web.delete(f"{executions}/{{execution}}/state", site.cancel),
            web.get("/api/task/{task}", site.task),
        ]
    )
    return app


def _guard(world: World, doors: Access) -> Middleware:
    """Version first, then the session, then the document's rules, and the same rules for what is answered."""
    contract = Contract.read(SYSTEM, "openapi.yaml")

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked_id = request.headers.get("X-VMWARE-VCLOUD-CLIENT-REQUEST-ID")
        request_id = f"{asked_id}-{uuid4()}" if asked_id else str(uuid4())
        body = await request.read()
        try:
            _admit(request, doors)
            fault = contract.request_fault(request, body)
            if fault is not None:
                raise bad_request(fault)
            answer = await handler(request)
        except ApiError as error:
            answer = _error(error, request_id, world.behaviours.text(SYSTEM, "unauthorized_body") == "empty")
        except web.HTTPException as refusal:
            unknown = ApiError(refusal.status, refusal.reason.upper().replace(" ", "_"), refusal.reason)
            answer = _error(unknown, request_id, empty_401=False)
        if isinstance(answer, web.Response) and answer.content_type != "application/xml":
            contract.check_answer(request, body, answer)
        answer.headers[_REQUEST_ID] = request_id
        return answer

    return guard


def _admit(request: web.Request, doors: Access) -> None:
    request[_VERSION] = ""
    if request.path == "/api/versions" or request.path.startswith("/oauth/"):
        return
    request[_VERSION] = versions.negotiate(request.headers.get("Accept", ""))
    if not (request.method == "POST" and request.path.startswith("/cloudapi/1.0.0/sessions")):
        request[_SESSION] = doors.acting(request, doors.session(request))


def _error(error: ApiError, request_id: str, empty_401: bool) -> web.Response:
    if error.status == 401 and empty_401:
        return web.Response(status=401)
    return web.Response(status=error.status, body=error.body(request_id), content_type="application/json")


def _answer(request: web.Request, body: object, status: int = 200, kind: str = "application/json") -> web.Response:
    content_type = f"{kind};version={request[_VERSION]}" if request[_VERSION] else kind
    return web.Response(status=status, body=json.dumps(body).encode(), headers={"Content-Type": content_type})


def _host(request: web.Request) -> str:
    return str(request.url.origin())


class _Site:
    def __init__(self, world: World, doors: Access) -> None:
        self._world = world
        self._doors = doors
        self._executions = Executions(world)

    def _switch(self, name: str) -> str:
        return self._world.behaviours.text(SYSTEM, name)

    def _missing(self, what: str) -> ApiError:
        message = f"There is no {what}, or no right to read it."
        return forbidden(message) if self._switch("missing") == "403" else not_found(message)

    def _workflow(self, request: web.Request) -> Workflow:
        workflow_id = request.match_info["workflow"]
        found = find(workflow_id, urn_only=self._switch("workflow_ids") == "urn")
        if found is None:
            raise self._missing(f"workflow {workflow_id}")
        return found

    def _execution(self, request: web.Request) -> Execution:
        found = self._executions.find(self._workflow(request), request.match_info["execution"])
        if found is None:
            raise self._missing(f"execution {request.match_info['execution']}")
        return found

    async def versions(self, request: web.Request) -> web.Response:
        """GET the supported versions."""
        if "json" in request.headers.get("Accept", ""):
            return _answer(request, versions.as_json(_host(request)))
        return web.Response(text=versions.as_xml(_host(request)), content_type="application/xml")

    async def log_in(self, request: web.Request) -> web.Response:
        """POST user@org and password."""
        session = self._doors.log_in(request, provider=request.path.endswith("/provider"))
        answer = _answer(request, access.describe(session))
        answer.headers["X-VMWARE-VCLOUD-ACCESS-TOKEN"] = session.token
        answer.headers["X-VMWARE-VCLOUD-TOKEN-TYPE"] = "Bearer"
        return answer

    async def session(self, request: web.Request) -> web.Response:
        """GET the session of the token."""
        return _answer(request, access.describe(request[_SESSION]))

    async def log_out(self, request: web.Request) -> web.Response:
        """DELETE the session of the token."""
        self._doors.close(request[_SESSION])
        return web.Response(status=204)

    async def orgs(self, request: web.Request) -> web.Response:
        """GET a page of the organizations; a tenant sees its own."""
        names = (*access.TENANTS, access.PROVIDER_ORG)
        seen = names if request[_SESSION].org == access.PROVIDER_ORG else (request[_SESSION].org,)
        return _answer(request, page_of([access.describe_org(name) for name in seen], request.query).body)

    async def exchange(self, request: web.Request) -> web.Response:
        """POST an API or service account token."""
        org = request.match_info.get("org", access.PROVIDER_ORG)
        return self._doors.exchange(dict(parse_qsl(await request.text())), org)

    async def service_items(self, request: web.Request) -> web.Response:
        """GET a page of the service library."""
        page = page_of([service_item(workflow) for workflow in WORKFLOWS], request.query)
        answer = _answer(request, page.body)
        if page.following is not None:
            answer.headers["Link"] = f'<{_host(request)}{request.path}?{page.following}>;rel="nextPage"'
        return answer

    async def service_item(self, request: web.Request) -> web.Response:
        """GET one service item."""
        return _answer(request, service_item(self._workflow(request)))

    async def presentation(self, request: web.Request) -> web.Response:
        """GET a workflow's parameters."""
        workflow, kind = self._workflow(request), self._switch("presentation")
        if kind == "absent":
            raise self._missing(f"presentation of {workflow.name}")
        return _answer(request, presentation(workflow, typed=kind == "full"))

    async def executions(self, request: web.Request) -> web.Response:
        """GET a workflow's executions."""
        found = self._executions.listed(self._workflow(request))
        return _answer(request, {"total": len(found), "start": 0, "executions": found})

    async def start(self, request: web.Request) -> web.Response:
        """POST parameters, start a run."""
        workflow = self._workflow(request)
        if not workflow.can_execute:
            raise forbidden(f"No right to execute {workflow.name}.")
        parameters = (await request.json()).get("parameters", [])
        execution = self._executions.start(workflow, parameters, request[_SESSION])
        task = f"{_host(request)}/api/task/{execution.task_id}"
        headers = {
            "location_task": {"Location": task},
            "task_header": {TASK_LOCATION: task},
            "location_execution": {"Location": f"{self._list_url(request)}/{execution.run.id}"},
            "task": {"Location": task},
        }
        kind = self._switch("start_answer")
        if kind == "task":
            return web.Response(status=202, headers=headers[kind])
        answer = _answer(request, self._executions.show(execution, self._list_url(request)), 201)
        answer.headers.update(headers.get(kind, {}))
        return answer

    def _list_url(self, request: web.Request) -> str:
        return f"{_host(request)}/cloudapi/workflows/{request.match_info['workflow']}/executions"

    async def execution(self, request: web.Request) -> web.Response:
        """GET one execution."""
        return _answer(request, self._executions.show(self._execution(request), self._list_url(request)))

    async def forget(self, request: web.Request) -> web.Response:
        """DELETE the record of an execution."""
        self._executions.forget(self._execution(request))
        return web.Response(status=204)

    async def state(self, request: web.Request) -> web.Response:
        """GET the state of an execution."""
        word = self._executions.state(self._execution(request))
        shapes: dict[str, object] = {"string": word, "object": {"state": word}, "value": {"value": word}}
        return _answer(request, shapes[self._switch("state_shape")])

    async def cancel(self, request: web.Request) -> web.Response:
        """DELETE the state: cancel."""
        self._executions.cancel(self._execution(request))
        return web.Response(status=204)

    async def task(self, request: web.Request) -> web.Response:
        """GET a task; an unknown one is forbidden."""
        execution = self._executions.of_task(request.match_info["task"])
        if execution is None:
            raise forbidden(f"There is no task {request.match_info['task']}, or no right to read it.")
        shown = self._executions.task(execution, _host(request))
        return _answer(request, shown, kind="application/vnd.vmware.vcloud.task+json")
