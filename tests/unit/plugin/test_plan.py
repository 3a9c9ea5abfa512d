"""What the layer plans by itself, and how the resource's own part joins it."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from provider_py.plugin import Change, Key, Plan, computed, model, optional, required
from provider_py.plugin.plan import Planned, plan
from provider_py.plugin.values import UNKNOWN


@model
class Step:
    """A nested object with everything that can be nested."""

    name: Annotated[str, required("Name.")]
    image: Annotated[str | None, optional("Image.", replace=True)] = None
    retries: Annotated[int, optional("Retries.")] = 3
    token: Annotated[str | None, optional("Token.", write_only=True)] = None
    state: Annotated[str | None, computed("State.")] = None


@model
class Job:
    """A resource's model."""

    name: Annotated[str, required("Name.", replace=True)]
    wait: Annotated[bool, optional("Wait.")] = True
    note: Annotated[str | None, optional("Note.")] = None
    key: Annotated[str | None, optional("Key.", write_only=True, replace=True)] = None
    first: Annotated[Step | None, optional("First step.")] = None
    steps: Annotated[list[Step] | None, optional("Steps.")] = None
    named: Annotated[dict[str, Step] | None, optional("Steps by name.")] = None
    id: Annotated[str | None, computed("Id.")] = None
    ended_at: Annotated[str | None, computed("End.")] = None


class Jobs:
    """A resource that answers plans with what it is given and remembers what it was asked."""

    model = Job

    def __init__(self, answer: Plan) -> None:
        self._answer = answer
        self.asked: list[Change[Job]] = []

    async def plan(self, change: Change[Job]) -> Plan:
        """ApplyResult."""
        self.asked.append(change)
        return self._answer


def job(**values: Any) -> dict[str, Any]:
    """Return a block."""
    names = ("name", "wait", "note", "key", "first", "steps", "named", "id", "ended_at")
    return {**dict.fromkeys(names), "name": "n", **values}


def step(name: str = "s", **values: Any) -> dict[str, Any]:
    """Return a nested object."""
    return {"name": name, "image": None, "retries": None, "token": None, "state": None, **values}


PRIOR = job(wait=True, id="i")


async def planned(
    prior: Any, config: Any, *, proposed: Any = None, answer: Plan | None = None
) -> tuple[Planned, Change[Job]]:
    """Plan; without a proposal it is the configuration with the prior results."""
    resource: Any = Jobs(answer or Plan())
    if proposed is None:
        proposed = {**config, **({"id": prior["id"], "ended_at": prior["ended_at"]} if prior else {})}
    made = await plan(resource, prior, proposed, config, b"stored")
    return made, resource.asked[0]


async def test_creation() -> None:
    made, change = await planned(None, job(note="x", key="k3y"))
    assert made.state == job(wait=True, note="x", id=UNKNOWN, ended_at=UNKNOWN)
    assert made.replace == []
    assert made.private == b"stored"
    assert change.prior is None
    assert change.planned.model == Job(name="n", wait=True, note="x", key="k3y")
    assert change.planned.unknown == frozenset()
    assert change.changed == {"name", "wait", "note"}


async def test_no_change_is_the_prior_state() -> None:
    made, change = await planned(PRIOR, job())
    assert made.state == PRIOR
    assert change.changed == frozenset()
    assert change.prior == change.planned.model == Job(name="n", id="i")


async def test_no_change_but_the_resource_says_so() -> None:
    made, _ = await planned(PRIOR, job(), answer=Plan(unknown=frozenset({"ended_at"}), private=b"mine"))
    assert made.state == {**PRIOR, "ended_at": UNKNOWN}
    assert made.private == b"mine"


async def test_only_results_can_be_planned_as_unknown() -> None:
    with pytest.raises(ValueError, match="not note of Job"):
        await planned(PRIOR, job(), answer=Plan(unknown=frozenset({"note"})))


async def test_update_keeps_results() -> None:
    made, change = await planned(PRIOR, job(note="x"))
    assert made.state == {**PRIOR, "note": "x"}
    assert made.replace == []
    assert change.changed == {"note"}
    assert change.planned.model == Job(name="n", note="x", id="i")


async def test_replacement() -> None:
    made, _ = await planned(PRIOR, job(name="m"), answer=Plan(replace=[("note",), ("name",)]))
    assert made.replace == [("name",), ("note",)]
    waived, _ = await planned(PRIOR, job(name="m"), answer=Plan(in_place=True, replace=[("note",)]))
    assert waived.replace == [("note",)]


async def test_unknown_input_forces_replacement_and_is_named() -> None:
    made, change = await planned(PRIOR, job(name=UNKNOWN))
    assert made.replace == [("name",)]
    assert change.planned.model is None
    assert change.planned.unknown == {"name"}


async def test_write_only_values_never_differ() -> None:
    made, change = await planned(PRIOR, job(key="k3y", first=step(token="t0ken")))
    assert made.state["key"] is None
    assert made.state["first"]["token"] is None
    assert made.replace == []
    assert change.changed == {"first"}
    assert change.planned.model is not None
    assert change.planned.model.first is not None
    assert (change.planned.model.key, change.planned.model.first.token) == ("k3y", "t0ken")


async def test_nested_defaults_and_results() -> None:
    config = job(first=step(), steps=[step("a", retries=1)], named={"k": step("b")})
    made, change = await planned(None, config)
    assert made.state["first"] == step(retries=3, state=UNKNOWN)
    assert made.state["steps"] == [step("a", retries=1, state=UNKNOWN)]
    assert made.state["named"] == {"k": step("b", retries=3, state=UNKNOWN)}
    assert change.planned.unknown == frozenset()
    assert change.planned.model is not None
    assert change.planned.model.first == Step(name="s", retries=3)


async def test_nested_results_are_kept_unless_their_attribute_changes() -> None:
    stored = [step("a", retries=3, state="done"), step("b", retries=3)]
    prior = {**PRIOR, "steps": stored}
    config = job(steps=[step("a"), step("b")])
    same, _ = await planned(prior, config, proposed={**prior, "steps": stored})
    assert same.state == prior
    grown = [*stored, step("c")]
    more, _ = await planned(prior, job(steps=[*config["steps"], step("c")]), proposed={**prior, "steps": grown})
    assert [each["state"] for each in more.state["steps"]] == ["done", UNKNOWN, UNKNOWN]


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"first": None}, {"first": None}, []),
        ({"first": None}, {"first": step()}, []),
        ({"first": None}, {"first": step(image="x")}, [("first", "image")]),
        ({"first": step(image="x")}, {"first": None}, [("first", "image")]),
        ({"first": step(image="x")}, {"first": UNKNOWN}, [("first",)]),
        ({"first": step(image="x")}, {"first": step(image="y")}, [("first", "image")]),
        ({"first": step(image="x")}, {"first": step("other", image="x")}, []),
        ({"steps": [step(), step(image="x")]}, {"steps": [step(), step(image="y")]}, [("steps", 1, "image")]),
        ({"steps": [step()]}, {"steps": [step(), step()]}, [("steps",)]),
        ({"named": {"k": step(image="x")}}, {"named": {"k": step(image="y")}}, [("named", Key("k"), "image")]),
        ({"named": {"k": step()}}, {"named": {"l": step()}}, [("named",)]),
    ],
)
async def test_nested_replacement(before: dict[str, Any], after: dict[str, Any], paths: list[Any]) -> None:
    made, _ = await planned({**PRIOR, **before}, job(**after))
    assert made.replace == paths
