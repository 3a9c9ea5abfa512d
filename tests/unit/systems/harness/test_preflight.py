from __future__ import annotations

from collections.abc import Mapping

import pytest

from provider_py.plugin import Key, Severity
from provider_py.systems.harness.lookup import Entity, Variable
from provider_py.systems.harness.preflight import check_variables

ENTITY = Entity(
    "workflow",
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
    "configured",
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
def test_values_that_harness_accepts_pass(configured: Mapping[str, Mapping[str, str]]) -> None:
    assert list(check_variables(ENTITY, configured)) == []


@pytest.mark.parametrize(
    ("configured", "path", "words"),
    [
        ({}, ("variables",), ["needs a value for: Environment", "Environment ="]),
        ({"variables": {"Environment": ""}}, ("variables",), ["needs a value for: Environment"]),
        ({"variables": GOOD | {"owner": "me"}}, ("variables", Key("owner")), ["is fixed", "'me'"]),
        ({"variables": GOOD | {"empty": "x"}}, ("variables", Key("empty")), ["is fixed"]),
        ({"variables": GOOD | {"size": "huge"}}, ("variables", Key("size")), ["'huge'", "small, medium, large"]),
        ({"variables": GOOD | {"size": "small,huge"}}, ("variables", Key("size")), ["small, medium, large"]),
        ({"variables": GOOD | {"size": ""}}, ("variables", Key("size")), ["small, medium, large"]),
        (
            {"variables": GOOD | {"regoin": "eu"}},
            ("variables", Key("regoin")),
            ["variable 'regoin'", "'region'?"],
        ),
        ({"variables": GOOD, "variable_ids": {"q": "1"}}, ("variable_ids", Key("q")), ["Declared variables: Env"]),
    ],
)
def test_values_that_harness_refuses_or_ignores_are_reported(
    configured: Mapping[str, Mapping[str, str]], path: tuple[str, ...], words: list[str]
) -> None:
    (diagnostic,) = check_variables(ENTITY, configured)
    assert diagnostic.severity is Severity.ERROR
    assert diagnostic.path == path
    assert [type(step) for step in diagnostic.path] == [type(step) for step in path]
    for word in words:
        assert word in f"{diagnostic.summary}\n{diagnostic.detail}"


def test_all_problems_are_reported_together() -> None:
    configured = {"variables": {"size": "huge", "owner": "me", "nonsense": "x"}}
    assert [diagnostic.path for diagnostic in check_variables(ENTITY, configured)] == [
        ("variables", "size"),
        ("variables", "owner"),
        ("variables", "nonsense"),
        ("variables",),
    ]


@pytest.mark.parametrize("name", ["size", "owner", "nonsense"])
def test_a_sensitive_value_is_not_echoed(name: str) -> None:
    configured = {"variables": GOOD, "sensitive_variables": {name: "hunter2-value"}}
    (diagnostic,) = check_variables(ENTITY, configured)
    assert diagnostic.path == ("sensitive_variables", name)
    assert "hunter2-value" not in f"{diagnostic.summary}{diagnostic.detail}"


def test_an_unknown_variable_of_an_entity_without_variables_is_reported() -> None:
    (diagnostic,) = check_variables(Entity("pipeline", "p-1", "nightly", ()), {"variables": {"a": "b"}})
    assert diagnostic.summary == "Unknown variable 'a'"
    assert "Pipeline 'nightly' does not declare it" in diagnostic.detail
    assert "none" in diagnostic.detail
