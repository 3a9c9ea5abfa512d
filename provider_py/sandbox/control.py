"""The control API: what tests and demonstrations use to prepare, watch and change the simulated systems."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from provider_py.sandbox.behaviours import UnknownBehaviourError
from provider_py.sandbox.faults import Fault, FaultKind, Match
from provider_py.sandbox.runs import Run, Script
from provider_py.sandbox.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Times = Annotated[int, Field(ge=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _RunChange(_Body):
    seconds: Seconds | None = None
    ending: str | None = None
    reason: str | None = None
    hold: str | None = None
    outputs: dict[str, object] | None = None
    finish: bool = False


class _ScriptBody(_Body):
    system: str
    target: str | None = None
    seconds: Seconds | None = None
    ending: str | None = None
    reason: str | None = None
    hold: str | None = None
    outputs: dict[str, object] | None = None
    queue_seconds: Seconds | None = None
    times: Times | None = 1


class _MatchBody(_Body):
    method: str | None = None
    path: str | None = None
    body: str | None = None


class _FaultBody(_Body):
    system: str
    kind: FaultKind = Field(strict=False)
    match: _MatchBody = _MatchBody()
    status: Annotated[int, Field(ge=100, le=599)] | None = None
    headers: dict[str, str] = {}
    body: object = None
    seconds: Seconds | None = None
    times: Times | None = 1
    after: bool = False


class _ClockBody(_Body):
    advance: Seconds = 0.0
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class _Switches(RootModel[dict[str, dict[str, object]]]):
    pass


class _BadInputError(ValueError):
    pass


BodyT = TypeVar("BodyT", bound=_Body)


async def _read(request: web.Request, model: type[BodyT]) -> BodyT:
    try:
        return model.model_validate_json(await request.read() or b"{}")
    except ValidationError as failure:
        details = "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'body'}: {error['msg']}" for error in failure.errors()
        )
        raise _BadInputError(details) from None


def application(world: World, systems: tuple[str, ...]) -> web.Application:
    """The control API of a world with these systems."""
    control = _Control(world, systems)
    app = web.Application(middlewares=[_explain])
    app.add_routes(
        [
            web.get("/requests", control.requests),
            web.delete("/requests", control.clear_requests),
            web.get("/runs", control.runs),
            web.patch("/runs/{id}", control.change_run),
            web.delete("/runs/{id}", control.forget_run),
            web.post("/scripts", control.add_script),
            web.post("/faults", control.add_fault),
            web.delete("/faults", control.clear_faults),
            web.get("/behaviours", control.behaviours),
            web.post("/behaviours", control.change_behaviours),
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

    def _system(self, name: str) -> str:
        if name not in self._systems:
            raise _BadInputError(f"system: {name!r} is none of {', '.join(self._systems)}")
        return name

    def _asked_system(self, request: web.Request) -> str | None:
        name = request.query.get("system")
        return None if name is None else self._system(name)

    def _run(self, request: web.Request) -> Run:
        run = self._world.runs.get(request.match_info["id"])
        if run is None:
            raise web.HTTPNotFound(reason=f"there is no run {request.match_info['id']}")
        return run

    def _show(self, run: Run) -> dict[str, object]:
        now = self._world.clock()
        return dataclasses.asdict(run) | {"phase": run.phase(now), "ended_at": run.ended_at(now)}

    async def requests(self, request: web.Request) -> web.Response:
        """GET /requests[?system=]."""
        system = self._asked_system(request)
        shown = [dataclasses.asdict(entry) for entry in self._world.requests if system in {None, entry.system}]
        return web.json_response(shown)

    async def clear_requests(self, _: web.Request) -> web.Response:
        """DELETE /requests."""
        self._world.requests.clear()
        return _done()

    async def runs(self, request: web.Request) -> web.Response:
        """GET /runs[?system=]."""
        return web.json_response([self._show(run) for run in self._world.runs.of(self._asked_system(request))])

    async def change_run(self, request: web.Request) -> web.Response:
        """PATCH /runs/{id}: only what is named is changed; "hold": null lets it go on."""
        run = self._run(request)
        change = await _read(request, _RunChange)
        given = change.model_fields_set
        if change.seconds is not None:
            run.seconds = change.seconds
        if change.ending is not None:
            run.ending = change.ending
        if change.reason is not None:
            run.reason = change.reason
        if "outputs" in given:
            run.outputs = change.outputs
        if change.hold is not None:
            run.hold, run.hold_at = change.hold, self._world.clock()
        elif "hold" in given:
            run.release(self._world.clock())
        if change.finish:
            run.finish(self._world.clock())
        return web.json_response(self._show(run))

    async def forget_run(self, request: web.Request) -> web.Response:
        """DELETE /runs/{id}: the vendor purges the record."""
        self._world.runs.forget(self._run(request).id)
        return _done()

    async def add_script(self, request: web.Request) -> web.Response:
        """POST /scripts: what shall become of coming runs."""
        body = await _read(request, _ScriptBody)
        self._system(body.system)
        self._world.runs.scripts.append(Script(**body.model_dump()))
        return _done()

    async def add_fault(self, request: web.Request) -> web.Response:
        """POST /faults: what shall hit coming requests."""
        body = await _read(request, _FaultBody)
        self._system(body.system)
        fields = body.model_dump(exclude={"match"})
        self._world.faults.add(Fault(match=Match(**body.match.model_dump()), **fields))
        return _done()

    async def clear_faults(self, _: web.Request) -> web.Response:
        """DELETE /faults."""
        self._world.faults.clear()
        return _done()

    async def behaviours(self, _: web.Request) -> web.Response:
        """GET /behaviours: every switch and its present value."""
        return web.json_response(self._world.behaviours)

    async def change_behaviours(self, request: web.Request) -> web.Response:
        """POST /behaviours: {system: {switch: value}}."""
        body = await request.read()
        try:
            self._world.behaviours.change(_Switches.model_validate_json(body).root)
        except ValidationError:
            raise _BadInputError("body: an object {system: {switch: value}} is expected") from None
        except UnknownBehaviourError as failure:
            raise _BadInputError(str(failure)) from None
        return web.json_response(self._world.behaviours)

    async def clock(self, request: web.Request) -> web.Response:
        """POST /clock: move it on, or make it faster."""
        body = await _read(request, _ClockBody)
        self._world.advance(body.advance)
        if body.speed is not None:
            self._world.speed = body.speed
        return web.json_response({"now": self._world.clock(), "speed": self._world.speed})

    async def reset(self, _: web.Request) -> web.Response:
        """POST /reset: the first state again."""
        self._world.reset()
        return _done()


def _done() -> web.Response:
    return web.json_response({"ok": True})
