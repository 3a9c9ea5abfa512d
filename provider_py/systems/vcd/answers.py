"""What the generated client returns, as its callers need it: of the expected type, without nulls, page by page.

The client returns documented errors and None where content was expected, and marks what an answer leaves out with
`Unset`. A status of 400 or more never comes this far: the channel raises it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

import vcd_client

from provider_py.execution import Unanswered
from provider_py.systems.vcd.config import SYSTEM

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PAGE_SIZE: Final = 128
"""The largest page that Cloud Director serves."""


class Page(Protocol[T_co]):
    """One page of a list."""

    @property
    def result_total(self) -> int | vcd_client.types.Unset: ...
    @property
    def values(self) -> Sequence[T_co] | vcd_client.types.Unset: ...


def expect(answer: object, content: type[T], request: str) -> T:
    """Return an answer if it has the expected content; raises Unanswered. `request` completes "… was answered"."""
    if not isinstance(answer, content):
        raise Unanswered(SYSTEM, f"{request} was answered without content")
    return answer


def elements(answered: Sequence[T] | vcd_client.types.Unset | None) -> Sequence[T]:
    """Return a list of an answer, empty where it is null or left out."""
    return answered if isinstance(answered, list) else ()


async def paged(
    query: Callable[..., Awaitable[object]],
    content: type[Page[T]],
    client: vcd_client.Client,
    fiql: str | None,
    request: str,
) -> AsyncIterator[T]:
    """Yield what a list of cloudapi holds, as far as it matches a FIQL filter; asks for a page when it is needed.

    The total is taken from each answer, since the list may change meanwhile; a page without elements ends it.
    """
    page, received, total = 1, 0, 1
    filter_ = vcd_client.types.UNSET if fiql is None else fiql
    while (page - 1) * PAGE_SIZE < total:
        answer = expect(await query(client=client, filter_=filter_, page=page, page_size=PAGE_SIZE), content, request)
        values = elements(answer.values)
        if not values:
            break
        for value in values:
            yield value
        page, received = page + 1, received + len(values)
        total = answer.result_total or received
