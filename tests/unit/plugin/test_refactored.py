"""A configuration that is written in another way with the same value plans no change and replaces nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest

from provider_py.plugin import Change, Dynamic, Plan, computed, model, optional, required
from provider_py.plugin.plan import Planned, plan
from provider_py.plugin.values import UNKNOWN, Tree, Typed


@model
class Part:
    """A nested object with a dynamic value."""

    value: Annotated[Dynamic, optional("Value.", replace=True)] = None
    note: Annotated[str | None, optional("Note.")] = None


@model
class Job:
    """A resource whose inputs replace it."""

    name: Annotated[str, required("Name.", replace=True)]
    inputs: Annotated[Dynamic, optional("Inputs.", replace=True)] = None
    parts: Annotated[list[Part] | None, optional("Parts.")] = None
    by_name: Annotated[dict[str, Part] | None, optional("Parts by name.")] = None
    one: Annotated[Part | None, optional("Part.")] = None
    id: Annotated[str | None, computed("Id.")] = None


class Jobs:
    """A resource that remembers what changed."""

    model = Job
    changed: frozenset[str] = frozenset()

    async def plan(self, change: Change[Job]) -> Plan:
        """Remember."""
        self.changed = change.changed
        return Plan()


def typed(notation: str, value: Tree) -> Typed:
    """Return a dynamic value; the notation is written with single quotes."""
    return Typed(notation.replace("'", '"'), value)


def job(**values: Any) -> dict[str, Any]:
    """Return a block."""
    return {**dict.fromkeys(("inputs", "parts", "by_name", "one", "id")), "name": "n", **values}


async def planned(prior: dict[str, Any], config: dict[str, Any]) -> tuple[Planned, frozenset[str]]:
    """Plan an update."""
    resource: Any = Jobs()
    made = await plan(resource, prior, {**config, "id": prior["id"]}, config, b"")
    return made, resource.changed


TUPLE = typed("['tuple',['string','string']]", ["a", "b"])
LIST = typed("['list','string']", ["a", "b"])
SAME = [
    (TUPLE, LIST),
    (typed("['set','string']", ["a", "b"]), LIST),
    (typed("['object',{'k':'string'}]", {"k": "v"}), typed("['map','string']", {"k": "v"})),
    (
        typed("['object',{'l':['tuple',['number',['object',{'a':'bool'}]]]}]", {"l": [1, {"a": True}]}),
        typed("['object',{'l':['tuple',['number',['map','bool']]]}]", {"l": [1, {"a": True}]}),
    ),
    (typed("['tuple',[]]", []), typed("['list','string']", [])),
    (typed("['object',{}]", {}), typed("['map','string']", {})),
    (typed("'dynamic'", Typed('"string"', "x")), typed("'string'", "x")),
    (typed("['tuple',['string','dynamic']]", ["a", None]), typed("['list','string']", ["a", None])),
    (typed("['tuple',['number']]", [Decimal("0.5")]), typed("['list','number']", [Decimal("0.5")])),
]
DIFFERENT = [
    (typed("['tuple',['string','string']]", ["b", "a"]), LIST),
    (typed("['list','string']", ["a"]), LIST),
    (typed("'number'", 1), typed("'string'", "1")),
    (typed("'bool'", True), typed("'number'", 1)),
    (typed("['tuple',['bool']]", [False]), typed("['list','number']", [0])),
    (typed("['map','string']", {"k": "v"}), typed("['map','string']", {"k": "w"})),
    (typed("['object',{'k':'dynamic'}]", {"k": None}), typed("['object',{}]", {})),
    (typed("['tuple',[]]", []), typed("['object',{}]", {})),
    (typed("'string'", UNKNOWN), typed("'string'", "x")),
    (typed("['list','string']", ["a", UNKNOWN]), LIST),
    (typed("'string'", "x"), None),
    (None, typed("'string'", "x")),
]


@pytest.mark.parametrize(("after", "before"), SAME + [(before, after) for after, before in SAME])
async def test_equal_values_of_other_types_are_planned_as_the_state_has_them(after: Tree, before: Tree) -> None:
    def block(value: Tree) -> dict[str, Any]:
        part = {"value": value, "note": None}
        return job(id="i", inputs=value, parts=[part], by_name={"k": part}, one=part)

    prior = block(before)
    made, changed = await planned(prior, {**block(after), "id": None})
    assert made.state == prior
    assert made.replace == []
    assert changed == frozenset()


@pytest.mark.parametrize(("after", "before"), DIFFERENT)
async def test_other_values_are_planned_as_configured(after: Tree, before: Tree) -> None:
    made, changed = await planned(job(id="i", inputs=before), job(inputs=after))
    assert made.state["inputs"] == after
    assert type(made.state["inputs"]) is type(after)
    assert made.replace == [("inputs",)]
    assert changed == {"inputs"}


async def test_what_is_beside_a_change_keeps_its_type() -> None:
    """Terraform compares nested attributes one by one."""
    prior = job(id="i", one={"value": LIST, "note": "old"})
    made, changed = await planned(prior, job(one={"value": TUPLE, "note": "new"}))
    assert made.state["one"] == {"value": LIST, "note": "new"}
    assert made.replace == []
    assert changed == {"one"}


async def test_a_creation_is_planned_as_configured() -> None:
    resource: Any = Jobs()
    made = await plan(resource, None, job(inputs=TUPLE), job(inputs=TUPLE), b"")
    assert made.state["inputs"] == TUPLE


@pytest.mark.parametrize(
    ("after", "before"), [(typed("['list','string']", None), None), (None, typed("['list','string']", None))]
)
async def test_a_null_of_another_type_is_planned_as_configured_and_replaces_nothing(after: Tree, before: Tree) -> None:
    made, changed = await planned(job(id="i", inputs=before), job(inputs=after))
    assert made.state["inputs"] == after
    assert made.replace == []
    assert changed == frozenset()
