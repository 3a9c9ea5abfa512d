"""The engine's manners: validation, coercion, depth, scalars, versions of the schema."""

from __future__ import annotations

import json

import pytest
from graphql import build_client_schema, build_schema, get_introspection_query, parse, print_schema, validate

from provider_py.sandbox import spec_file
from tests.contract.sandbox.harness.requests import APPLICATION, START, Harness, start_input

PREFIX = "Validation error of type "


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ nope }", PREFIX + "FieldUndefined: Field 'nope' in type 'Query' is undefined @ 'nope'"),
        (
            '{ application(applicationId: "x") { services(limit: 1) { nodes { nme } } } }',
            PREFIX + "FieldUndefined: Field 'nme' in type 'Service' is undefined @ 'application/services/nodes/nme'",
        ),
        (
            "{ application { id } }",
            PREFIX + "MissingFieldArgument: Missing field argument applicationId @ 'application'",
        ),
        (
            "{ applications(limit: 1) }",
            PREFIX + "SubSelectionRequired: Sub selection required for type "
            "ApplicationConnection of field applications @ 'applications'",
        ),
        (
            'mutation { startExecution(input: {applicationId: "a", executionType: WORKFLOW}) { clientMutationId } }',
            PREFIX + "WrongType: argument 'input' with value '{applicationId: \"a\", executionType: WORKFLOW}' "
            "is missing required fields '[entityId]' @ 'startExecution'",
        ),
        ("query($x: Nope) { applications(limit: 1) { nodes { id } } }", PREFIX + "UnknownType: Unknown type Nope"),
        ("{ applications(limit: 1 ", "Invalid Syntax : offending token <EOF> at line 1 column 25"),
    ],
)
async def test_invalid_query_is_refused_without_data(harness: Harness, query: str, message: str) -> None:
    response = await harness.post(query)

    answer = response.json()
    assert response.status_code == 200
    assert "data" not in answer
    assert message in [error["message"] for error in answer["errors"]]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (None, "Variable 'input' has coerced Null value for NonNull type 'StartExecutionInput!'"),
        (
            {"input": {"applicationId": "a", "executionType": "WORKFLOW"}},
            "Field 'entityId' of variable 'input' has coerced Null value for NonNull type 'String!'",
        ),
        (
            start_input("x", color="red"),
            "The variables input contains a field name 'color' that is not defined for input object type "
            "'StartExecutionInput' ",
        ),
        (start_input("x", "JOB"), "Invalid input for Enum 'ExecutionType'. No value found for name 'JOB'"),
    ],
)
async def test_invalid_variables_are_refused_without_data(
    harness: Harness, variables: dict[str, object] | None, message: str
) -> None:
    answer = (await harness.post(START, variables)).json()

    assert "data" not in answer
    assert [error["message"] for error in answer["errors"]] == [message]


async def test_single_object_is_accepted_as_a_list(harness: Harness) -> None:
    query = "query($f: [WorkflowFilter]) { workflows(filters: $f, limit: 9) { nodes { name } } }"
    one = {"application": {"operator": "EQUALS", "values": APPLICATION}}

    in_variables = await harness.data(query, {"f": one})
    in_text = await harness.data(
        f'{{ workflows(filters: {{application: {{operator: EQUALS, values: "{APPLICATION}"}}}}, limit: 9)'
        " { nodes { name } } }"
    )

    assert in_variables == in_text
    assert len(in_text["workflows"]["nodes"]) == 6


async def test_query_deeper_than_ten_is_refused(harness: Harness) -> None:
    def nested(innermost: str) -> str:
        inner = f"environments(limit: 1) {{ nodes {{ application {{ {innermost} }} }} }}"
        middle = f"environments(limit: 1) {{ nodes {{ application {{ {inner} }} }} }}"
        return f"{{ applications(limit: 1) {{ nodes {{ {middle} }} }} }}"

    allowed = (await harness.post(nested("createdBy { id }"))).json()
    refused = (await harness.post(nested("gitSyncConfig { gitConnector { id } }"))).json()

    assert "errors" not in allowed
    assert refused == {"errors": [{"message": "maximum query depth exceeded 11 > 10"}]}


async def test_introspection_equals_the_published_file(harness: Harness) -> None:
    answer = (await harness.post(get_introspection_query())).json()

    published = json.loads(spec_file("harness", "introspection.json").read_text())
    assert answer == published


def test_introspection_file_agrees_with_the_sdl() -> None:
    built = build_schema(spec_file("harness", "schema.graphql").read_text())

    published = json.loads(spec_file("harness", "introspection.json").read_text())
    assert print_schema(build_client_schema(published["data"])) == print_schema(built)


def test_every_published_operation_is_valid() -> None:
    folder = spec_file("harness", "schema.graphql").parent / "operations"
    texts = [path.read_text() for path in sorted(folder.glob("*.graphql"))]
    built = build_schema(spec_file("harness", "schema.graphql").read_text())

    assert len(texts) >= 8
    assert validate(built, parse("\n".join(texts))) == []


async def test_older_server_lacks_newer_fields(harness: Harness) -> None:
    harness.world.behaviors.change({"harness": {"server_version": "2022-02"}})
    execution_id = await harness.start_simple()

    answer = (await harness.post(f'{{ execution(executionId: "{execution_id}") {{ executionUrl }} }}')).json()

    message = "Field 'executionUrl' in type 'Execution' is undefined @ 'execution/executionUrl'"
    assert answer["errors"][0]["message"] == f"{PREFIX}FieldUndefined: {message}"
