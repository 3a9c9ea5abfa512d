"""The control API, through which tests and demonstrations prepare, inspect and change the simulated systems."""

from __future__ import annotations

import dataclasses
from typing import Annotated, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from provider_py.sandbox.behaviors import UnknownBehaviorError
from provider_py.sandbox.faults import Fault
from provider_py.sandbox.runs import Run, RunsOfOthers, Script, Seconds
from provider_py.sandbox.wire import JsonObject
from provider_py.sandbox.world import World


class _RunChange(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    seconds: Seconds | None = None
    ending: str | None = None
    reason: str | None = None
    hold: str | None = None
    outputs: dict[str, object] | None = None
    finish: bool = False


class _ClockChange(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    advance: Seconds = 0.0
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class _BadInputError(ValueError):
    pass


BodyT = TypeVar("BodyT")
_RUN_CHANGE = TypeAdapter(_RunChange)
_CLOCK_CHANGE = TypeAdapter(_ClockChange)
_OTHERS = TypeAdapter(RunsOfOthers)
_SCRIPT = TypeAdapter(Script)
_FAULT = TypeAdapter(Fault)
_SWITCHES = TypeAdapter(dict[str, dict[str, object]])


async def _read(request: web.Request, body: TypeAdapter[BodyT]) -> BodyT:
    try:
        return body.validate_json(await request.read() or b"{}")
    except ValidationError as failure:
        problems = (f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in failure.errors())
        raise _BadInputError("; ".join(problems)) from None


def application(world: World, systems: tuple[str, ...]) -> web.Application:
    """The control API for the state of these systems."""
    control = _Control(world, systems)
    app = web.Application(middlewares=[_explain])
    app.add_routes(
        [
            web.get("/requests", control.requests),
            web.delete("/requests", control.clear_requests),
            web.get("/runs", control.runs),
            web.post("/runs", control.add_runs),
            web.patch("/runs/{id}", control.change_run),
            web.delete("/runs/{id}", control.forget_run),
            web.post("/scripts", control.add_script),
            web.post("/faults", control.add_fault),
            web.delete("/faults", control.clear_faults),
            web.get("/behaviours", control.behaviors),
            web.post("/behaviours", control.change_behaviors),
            web.post("/clock", control.clock),
            web.post("/reset", control.reset),
        ]
    )
    return app


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except _BadInputError as failure:
        return web.json_response({"error": str(failure)}, status=400)
    except web.HTTPException as refusal:
        message = f"{request.method} {request.path}: {refusal.reason}"
        return web.json_response({"error": message}, status=refusal.status)


class _Control:
    def __init__(self, world: World, systems: tuple[str, ...]) -> None:
        self._world = world
        self._systems = systems

    def _check_system(self, name: str | None) -> None:
        if name is not None and name not in self._systems:
            raise _BadInputError(f"system: must be one of {', '.join(self._systems)}; got {name!r}")

    def _system_filter(self, request: web.Request) -> str | None:
        system = request.query.get("system")
        self._check_system(system)
        return system

    def _run(self, request: web.Request) -> Run:
        run = self._world.runs.get(request.match_info["id"])
        if run is None:
            raise web.HTTPNotFound(reason=f"there is no run {request.match_info['id']}")
        return run

    def _describe(self, run: Run) -> JsonObject:
        now = self._world.clock()
        return dataclasses.asdict(run) | {"phase": run.phase(now), "ended_at": run.ended_at(now)}

    async def requests(self, request: web.Request) -> web.Response:
        """GET /requests[?system=]."""
        system = self._system_filter(request)
        recorded = [dataclasses.asdict(entry) for entry in self._world.requests if system in {None, entry.system}]
        return web.json_response(recorded)

    async def clear_requests(self, _: web.Request) -> web.Response:
        """DELETE /requests."""
        self._world.requests.clear()
        return _done()

    async def runs(self, request: web.Request) -> web.Response:
        """GET /runs[?system=]."""
        runs = self._world.runs.of(self._system_filter(request))
        return web.json_response([self._describe(run) for run in runs])

    async def add_runs(self, request: web.Request) -> web.Response:
        """POST /runs: runs that others have started."""
        others = await _read(request, _OTHERS)
        add = self._world.add_others.get(others.system)
        if add is None:
            raise _BadInputError(f"system: must be one of {', '.join(self._world.add_others)}; got {others.system!r}")
        try:
            add(others)
        except LookupError as failure:
            raise _BadInputError(f"target: {failure.args[0]}") from None
        return _done()

    async def change_run(self, request: web.Request) -> web.Response:
        """PATCH /runs/{id}: only what the body names is changed; "hold": null releases the run."""
        run = self._run(request)
        change = await _read(request, _RUN_CHANGE)
        if change.seconds is not None:
            run.seconds = change.seconds
        if change.ending is not None:
            run.ending = change.ending
        if change.reason is not None:
            run.reason = change.reason
        if "outputs" in change.model_fields_set:
            run.outputs = change.outputs
        if change.hold is not None:
            run.hold, run.hold_at = change.hold, self._world.clock()
        elif "hold" in change.model_fields_set:
            run.release(self._world.clock())
        if change.finish:
            run.finish(self._world.clock())
        return web.json_response(self._describe(run))

    async def forget_run(self, request: web.Request) -> web.Response:
        """DELETE /runs/{id}: purge its record, as vendors do."""
        self._world.runs.forget(self._run(request).id)
        return _done()

    async def add_script(self, request: web.Request) -> web.Response:
        """POST /scripts: how coming runs proceed."""
        script = await _read(request, _SCRIPT)
        self._check_system(script.system)
        self._world.runs.scripts.append(script)
        return _done()

    async def add_fault(self, request: web.Request) -> web.Response:
        """POST /faults: what strikes coming requests."""
        fault = await _read(request, _FAULT)
        self._check_system(fault.system)
        self._world.faults.add(fault)
        return _done()

    async def clear_faults(self, _: web.Request) -> web.Response:
        """DELETE /faults."""
        self._world.faults.clear()
        return _done()

    async def behaviors(self, _: web.Request) -> web.Response:
        """GET /behaviours: every switch and its current value."""
        return web.json_response(self._world.behaviors)

    async def change_behaviors(self, request: web.Request) -> web.Response:
        """POST /behaviours: {system: {switch: value}}."""
        body = await request.read()
        try:
            self._world.behaviors.change(_SWITCHES.validate_json(body, strict=True))
        except ValidationError:
            raise _BadInputError("body: must be an object {system: {switch: value}}") from None
        except UnknownBehaviorError as failure:
            raise _BadInputError(str(failure)) from None
        return web.json_response(self._world.behaviors)

    async def clock(self, request: web.Request) -> web.Response:
        """POST /clock: move it forward, or change its speed."""
        change = await _read(request, _CLOCK_CHANGE)
        self._world.advance(change.advance)
        if change.speed is not None:
            self._world.speed = change.speed
        return web.json_response({"now": self._world.clock(), "speed": self._world.speed})

    async def reset(self, _: web.Request) -> web.Response:
        """POST /reset: back to the initial state."""
        self._world.reset()
        return _done()


def _done() -> web.Response:
    return web.json_response({"ok": True})
