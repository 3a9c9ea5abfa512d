"""The GraphQL client of a small schema, against a server that executes that schema on a real socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen import graphql
from codegen.errors import SpecError
from tests.unit.codegen import project

SERVED = """
import asyncio, json
from pathlib import Path
from aiohttp import web
from graphql import build_schema, graphql_sync
from library_client import Client
from library_client.batches import BOOK_STATE_LIMIT, book_state_batch
from library_client.exceptions import *

schema = build_schema(Path(SCHEMA).read_text())
requests, responses = [], []

def book(_root, _info, isbn):
    if isbn == "gone":
        raise Exception("no such book")
    typename = "Atlas" if isbn == "atlas" else "Novel"
    state = "EATEN" if isbn == "eaten" else "LENT"
    values = {"__typename": typename, "isbn": isbn, "state": state, "pages": "12", "maps": 3}
    return None if isbn == "hidden" else values

schema.query_type.fields["book"].resolve = lambda *args, **kwargs: book(*args, **kwargs)
schema.type_map["State"].serialize = lambda value: value
schema.type_map["Long"].serialize = str

async def respond(request):
    body = await request.json()
    requests.append(body)
    if responses:
        status, text = responses.pop(0)
        return web.Response(status=status, text=text)
    variables, name = body["variables"], body["operationName"]
    result = graphql_sync(schema, body["query"], variable_values=variables, operation_name=name)
    errors = {"errors": [error.formatted for error in result.errors]} if result.errors else {}
    return web.json_response({**errors, "data": result.data})

async def main():
    application = web.Application()
    application.router.add_post("/graphql", respond)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with Client(f"http://127.0.0.1:{port}/graphql") as client:
        await act(client)
    await runner.cleanup()

async def error_of(call):
    try:
        await call
    except Exception as error:
        return type(error).__name__, str(error)
    return "nothing was raised"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = project.make(tmp_path_factory.mktemp("library"))
    graphql.generate(project.spec(root, "library"), root, root / "out" / "library_client")
    return root


def served(root: Path, act: str) -> list[str]:
    body = "".join(f"    {line}\n" for line in act.strip().splitlines())
    code = f"SCHEMA = {str(root / 'specs/library/schema.graphql')!r}\n{SERVED}\nasync def act(client):\n{body}\n"
    return project.python(f"{code}\nasyncio.run(main())\n", root / "out").splitlines()


def test_a_result_has_the_class_of_its_typename(root: Path) -> None:
    act = """
book = (await client.book_state("atlas")).book
print(type(book).__name__, book.maps, book.pages, book.state.name)
"""
    assert served(root, act) == ["BookStateBookAtlas 3 12 LENT"]


def test_batch_results_keep_their_order_and_equal_single_results(root: Path) -> None:
    act = """
results = await book_state_batch(client, ["atlas", "novel"])
print([result.book.isbn for result in results], results[0] == await client.book_state("atlas"))
print(len(requests), requests[0]["variables"])
"""
    variables = {"has0": True, "isbn0": "atlas", "has1": True, "isbn1": "novel", "has2": False, "isbn2": ""}
    assert served(root, act) == ["['atlas', 'novel'] True", f"2 {variables}"]


def test_a_batch_returns_the_error_of_a_refused_object(root: Path) -> None:
    act = """
first, second, third = await book_state_batch(client, ["atlas", "gone", "hidden"])
print(first.book.isbn, type(second).__name__, second, third.book)
"""
    assert served(root, act) == ["atlas GraphQLClientGraphQLError no such book None"]


def test_a_batch_raises_errors_of_the_whole_request(root: Path) -> None:
    act = """
responses.append((200, '{"errors": [{"message": "rate limit"}]}'))
responses.append((200, '{"errors": [{}], "data": {}}'))
responses.append((502, "<html>"))
for _ in range(3):
    print(await error_of(book_state_batch(client, ["atlas"])))
"""
    assert served(root, act) == [
        "('GraphQLClientGraphQLMultiError', 'rate limit')",
        "('GraphQLClientGraphQLMultiError', 'an error without a message')",
        "('GraphQLClientHttpError', 'HTTP status code: 502')",
    ]


def test_a_batch_rejects_a_size_out_of_range(root: Path) -> None:
    act = """
calls = [book_state_batch(client, []), book_state_batch(client, ["a"] * 4)]
print(BOOK_STATE_LIMIT, *[await error_of(call) for call in calls])
print(len(requests))
"""
    none, many = (f"('ValueError', '1 to 3 isbns fit into a request, not {count}')" for count in (0, 4))
    assert served(root, act) == [f"3 {none} {many}", "0"]


def test_an_unknown_enum_value_is_read(root: Path) -> None:
    act = """
state = (await client.book_state("eaten")).book.state
print(state == "EATEN", type(state).__name__)
"""
    assert served(root, act) == ["True State"]


def test_an_unknown_enum_value_is_not_sent(root: Path) -> None:
    act = """
from library_client import Genre
try:
    Genre("COOKING")
except ValueError as error:
    print(error)
"""
    assert served(root, act) == ["'COOKING' is not a valid Genre"]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"data": null}', "<html>"])
def test_a_malformed_response_raises_a_client_error(root: Path, body: str) -> None:
    act = f"""
responses.append((200, {body!r}))
print(await error_of(client.book_state("atlas")))
"""
    assert served(root, act) == ["('GraphQLClientInvalidResponseError', 'Invalid response format.')"]


SCHEMA = "library/schema.graphql"
BOOKS = "library/operations/books.graphql"


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (SCHEMA, "type Query {", "type Query", f"specs/{SCHEMA}: line 2, column 3: Syntax Error"),
        (SCHEMA, "(isbn: String!): Book\n", "(isbn: String!): Tome\n", f"specs/{SCHEMA}: "),
        (BOOKS, "    maps", "    charts", f"{BOOKS}: line 6, column 5: Cannot query field 'charts'"),
        (BOOKS, "query search", "query", f"{BOOKS}: line 18, column 1: This anonymous operation"),
        (BOOKS, "...Details", "...Nothing", f"{BOOKS}: line 14, column 8: Unknown fragment"),
        (BOOKS, "query search", "# @batch(3)\nquery search", "line 19: a batched query has one variable"),
        (BOOKS, "@batch(3)", "@batch(1)", "only queries are batched, by two or more"),
        (BOOKS, "  book(isbn", "  one: book(isbn", "selects one field, without an alias"),
    ],
)
def test_a_fault_is_reported_with_its_place(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    root = project.make(tmp_path)
    project.change(root, file, old, new)
    with pytest.raises(SpecError) as raised:
        graphql.generate(project.spec(root, "library"), root, root / "out" / "library_client")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_without_operations_is_rejected(tmp_path: Path) -> None:
    root = project.make(tmp_path)
    library = project.spec(root, "library")
    (root / "specs/library/operations/books.graphql").unlink()
    with pytest.raises(SpecError, match=r"specs/library/operations: holds no \.graphql file"):
        graphql.generate(library, root, root / "out" / "library_client")
