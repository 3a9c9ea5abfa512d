"""The HTTP application: sessions, service library, workflow executions and tasks, behind one guard."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import parse_qsl
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from provider_py.sandbox.openapi import Contract
from provider_py.sandbox.vcd import access, versions
from provider_py.sandbox.vcd.access import Access, Session
from provider_py.sandbox.vcd.behaviors import BEHAVIORS, SYSTEM
from provider_py.sandbox.vcd.errors import ApiError, bad_request, forbidden, not_found
from provider_py.sandbox.vcd.executions import Execution, Executions
from provider_py.sandbox.vcd.library import WORKFLOWS, Workflow, find, presentation, service_item
from provider_py.sandbox.vcd.query import page_of
from provider_py.sandbox.wire import JsonObject
from provider_py.sandbox.world import World

CREDENTIALS: Final[dict[str, str]] = {"VCD_ORG": access.ORG, "VCD_API_TOKEN": access.API_TOKEN}

TASK_LOCATION: Final = "X-VMWARE-VCLOUD-TASK-LOCATION"
_REQUEST_ID: Final = "X-VMWARE-VCLOUD-REQUEST-ID"
_SESSION: Final = web.RequestKey("session", Session)
_VERSION: Final = web.RequestKey("version", str)


def application(world: World) -> web.Application:
    """The site as an application, with its own sessions and executions."""
    world.behaviors.declare(SYSTEM, BEHAVIORS)
    sessions = Access(world)
    site = _Site(world, sessions)
    executions = "/cloudapi/workflows/{workflow}/executions"
    app = web.Application(middlewares=[_guard(world, sessions)], client_max_size=16 * 1024**2)
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


def _guard(world: World, sessions: Access) -> Middleware:
    """Check the version first, then the session, then the request against the document, and at last the response."""
    contract = Contract.read(SYSTEM, "openapi.yaml")

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        client_id = request.headers.get("X-VMWARE-VCLOUD-CLIENT-REQUEST-ID")
        request_id = f"{client_id}-{uuid4()}" if client_id else str(uuid4())
        body = await request.read()
        try:
            _admit(request, sessions)
            problem = contract.request_error(request, body)
            if problem is not None:
                raise bad_request(problem)
            response = await handler(request)
        except ApiError as error:
            response = _error(error, request_id, world.behaviors.text(SYSTEM, "unauthorized_body") == "empty")
        except web.HTTPException as failure:
            code = failure.reason.upper().replace(" ", "_")
            response = _error(ApiError(failure.status, code, failure.reason), request_id, empty_401=False)
        if isinstance(response, web.Response) and response.content_type != "application/xml":
            contract.check_response(request, body, response)
        response.headers[_REQUEST_ID] = request_id
        return response

    return guard


def _admit(request: web.Request, sessions: Access) -> None:
    request[_VERSION] = ""
    if request.path == "/api/versions" or request.path.startswith("/oauth/"):
        return
    request[_VERSION] = versions.negotiate(request.headers.get("Accept", ""))
    if not (request.method == "POST" and request.path.startswith("/cloudapi/1.0.0/sessions")):
        request[_SESSION] = sessions.in_tenant_context(request, sessions.session(request))


def _error(error: ApiError, request_id: str, empty_401: bool) -> web.Response:
    if error.status == 401 and empty_401:
        return web.Response(status=401)
    return web.Response(status=error.status, body=error.body(request_id), content_type="application/json")


def _respond(
    request: web.Request, body: object, status: int = 200, media_type: str = "application/json"
) -> web.Response:
    content_type = f"{media_type};version={request[_VERSION]}" if request[_VERSION] else media_type
    return web.Response(status=status, body=json.dumps(body).encode(), headers={"Content-Type": content_type})


def _host(request: web.Request) -> str:
    return str(request.url.origin())


class _Site:
    def __init__(self, world: World, sessions: Access) -> None:
        self._world = world
        self._sessions = sessions
        self._executions = Executions(world)

    def _switch(self, name: str) -> str:
        return self._world.behaviors.text(SYSTEM, name)

    def _missing(self, target: str) -> ApiError:
        message = f"There is no {target}, or no right to read it."
        return forbidden(message) if self._switch("missing") == "403" else not_found(message)

    def _workflow(self, request: web.Request) -> Workflow:
        workflow_id = request.match_info["workflow"]
        workflow = find(workflow_id, urn_only=self._switch("workflow_ids") == "urn")
        if workflow is None:
            raise self._missing(f"workflow {workflow_id}")
        return workflow

    def _execution(self, request: web.Request) -> Execution:
        execution = self._executions.find(self._workflow(request), request.match_info["execution"])
        if execution is None:
            raise self._missing(f"execution {request.match_info['execution']}")
        return execution

    async def versions(self, request: web.Request) -> web.Response:
        """GET the supported versions."""
        if "json" in request.headers.get("Accept", ""):
            return _respond(request, versions.as_json(_host(request)))
        return web.Response(text=versions.as_xml(_host(request)), content_type="application/xml")

    async def log_in(self, request: web.Request) -> web.Response:
        """POST user@org and password."""
        session = self._sessions.log_in(request, provider=request.path.endswith("/provider"))
        response = _respond(request, access.describe(session))
        response.headers["X-VMWARE-VCLOUD-ACCESS-TOKEN"] = session.token
        response.headers["X-VMWARE-VCLOUD-TOKEN-TYPE"] = "Bearer"
        return response

    async def session(self, request: web.Request) -> web.Response:
        """GET the session of the token."""
        return _respond(request, access.describe(request[_SESSION]))

    async def log_out(self, request: web.Request) -> web.Response:
        """DELETE the session of the token."""
        self._sessions.close(request[_SESSION])
        return web.Response(status=204)

    async def orgs(self, request: web.Request) -> web.Response:
        """GET a page of the organizations; a tenant sees its own."""
        names = (*access.TENANTS, access.PROVIDER_ORG)
        visible = names if request[_SESSION].org == access.PROVIDER_ORG else (request[_SESSION].org,)
        return _respond(request, page_of([access.describe_org(name) for name in visible], request.query).body)

    async def exchange(self, request: web.Request) -> web.Response:
        """POST an API or service account token."""
        org = request.match_info.get("org", access.PROVIDER_ORG)
        return self._sessions.exchange(dict(parse_qsl(await request.text())), org)

    async def service_items(self, request: web.Request) -> web.Response:
        """GET a page of the service library."""
        page = page_of([service_item(workflow) for workflow in WORKFLOWS], request.query)
        response = _respond(request, page.body)
        if page.next_query is not None:
            response.headers["Link"] = f'<{_host(request)}{request.path}?{page.next_query}>;rel="nextPage"'
        return response

    async def service_item(self, request: web.Request) -> web.Response:
        """GET one service item."""
        return _respond(request, service_item(self._workflow(request)))

    async def presentation(self, request: web.Request) -> web.Response:
        """GET a workflow's parameters."""
        workflow, behavior = self._workflow(request), self._switch("presentation")
        if behavior == "absent":
            raise self._missing(f"presentation of {workflow.name}")
        return _respond(request, presentation(workflow, typed=behavior == "full"))

    async def executions(self, request: web.Request) -> web.Response:
        """GET a workflow's executions."""
        listed = self._executions.listed(self._workflow(request))
        return _respond(request, {"total": len(listed), "start": 0, "executions": listed})

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
        behavior = self._switch("start_answer")
        if behavior == "task":
            return web.Response(status=202, headers=headers[behavior])
        response = _respond(request, self._executions.show(execution, self._list_url(request)), 201)
        response.headers.update(headers.get(behavior, {}))
        return response

    def _list_url(self, request: web.Request) -> str:
        return f"{_host(request)}/cloudapi/workflows/{request.match_info['workflow']}/executions"

    async def execution(self, request: web.Request) -> web.Response:
        """GET one execution."""
        return _respond(request, self._executions.show(self._execution(request), self._list_url(request)))

    async def forget(self, request: web.Request) -> web.Response:
        """DELETE the record of an execution."""
        self._executions.forget(self._execution(request))
        return web.Response(status=204)

    async def state(self, request: web.Request) -> web.Response:
        """GET the state of an execution."""
        state = self._executions.state(self._execution(request))
        shapes: JsonObject = {"string": state, "object": {"state": state}, "value": {"value": state}}
        return _respond(request, shapes[self._switch("state_shape")])

    async def cancel(self, request: web.Request) -> web.Response:
        """DELETE the state, which cancels the execution."""
        self._executions.cancel(self._execution(request))
        return web.Response(status=204)

    async def task(self, request: web.Request) -> web.Response:
        """GET a task; an unknown one is forbidden."""
        execution = self._executions.of_task(request.match_info["task"])
        if execution is None:
            raise forbidden(f"There is no task {request.match_info['task']}, or no right to read it.")
        task = self._executions.task(execution, _host(request))
        return _respond(request, task, media_type="application/vnd.vmware.vcloud.task+json")
