from __future__ import annotations

from collections.abc import Mapping

import pytest

from provider_py.plugin import Key, Severity
from provider_py.systems.harness.variables import Entity, Variable, check

ENTITY = Entity(
    "WORKFLOW",
    "w-1",
    "deploy",
    (
        Variable("Environment", "Environment", required=True),
        Variable("size", "Text", allowed=("small", "medium", "large")),
        Variable("owner", "Text", required=True, fixed=True, default="platform"),
        Variable("region", "Text", default="eu"),
        Variable("empty", "Text", fixed=True),
    ),
)
GOOD = {"Environment": "Prod"}


@pytest.mark.parametrize(
    "given",
    [
        {"variables": GOOD},
        {"variable_ids": GOOD},
        {"sensitive_variables": GOOD},
        {"variables": GOOD | {"owner": "platform", "empty": ""}},
        {"variables": GOOD | {"size": "small"}},
        {"variables": GOOD | {"size": "small,large"}},
        {"variables": GOOD | {"size": "small, large"}},
        {"variables": GOOD | {"region": ""}},
        {"variables": GOOD, "sensitive_variables": {"size": "medium"}},
    ],
)
def test_what_harness_takes_is_taken(given: Mapping[str, Mapping[str, str]]) -> None:
    assert list(check(ENTITY, given)) == []


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({}, ("variables",), ["needs a value for: Environment", "Environment ="]),
        ({"variables": {"Environment": ""}}, ("variables",), ["needs a value for: Environment"]),
        ({"variables": GOOD | {"owner": "me"}}, ("variables", Key("owner")), ["is fixed", "'me'"]),
        ({"variables": GOOD | {"empty": "x"}}, ("variables", Key("empty")), ["is fixed"]),
        ({"variables": GOOD | {"size": "huge"}}, ("variables", Key("size")), ["'huge'", "small, medium, large"]),
        ({"variables": GOOD | {"size": "small,huge"}}, ("variables", Key("size")), ["small, medium, large"]),
        ({"variables": GOOD | {"size": ""}}, ("variables", Key("size")), ["small, medium, large"]),
        ({"variables": GOOD | {"regoin": "eu"}}, ("variables", Key("regoin")), ["no variable 'regoin'", "'region'?"]),
        ({"variables": GOOD, "variable_ids": {"q": "1"}}, ("variable_ids", Key("q")), ["Its variables are: Env"]),
    ],
)
def test_what_harness_refuses_or_ignores_is_told(
    given: Mapping[str, Mapping[str, str]], path: tuple[str, ...], words: list[str]
) -> None:
    (said,) = check(ENTITY, given)
    assert said.severity is Severity.ERROR
    assert said.path == path
    assert [type(step) for step in said.path] == [type(step) for step in path]
    for word in words:
        assert word in f"{said.summary}\n{said.detail}"


def test_every_finding_is_told_at_once() -> None:
    given = {"variables": {"size": "huge", "owner": "me", "nonsense": "x"}}
    assert [said.path for said in check(ENTITY, given)] == [
        ("variables", "size"),
        ("variables", "owner"),
        ("variables", "nonsense"),
        ("variables",),
    ]


@pytest.mark.parametrize("name", ["size", "owner", "nonsense"])
def test_a_sensitive_value_is_not_echoed(name: str) -> None:
    given = {"variables": GOOD, "sensitive_variables": {name: "hunter2-value"}}
    (said,) = check(ENTITY, given)
    assert said.path == ("sensitive_variables", name)
    assert "hunter2-value" not in f"{said.summary}{said.detail}"


def test_a_workflow_without_variables_says_so() -> None:
    (said,) = check(Entity("PIPELINE", "p-1", "nightly", ()), {"variables": {"a": "b"}})
    assert said.summary == "Pipeline 'nightly' has no variable 'a'"
    assert "none" in said.detail
