"""Relay connections over keyset pages."""

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from models.page import Page, count
from schema.context import Info
from schema.fields import AUTHENTICATED, relation

T = TypeVar("T")
First = Annotated[int | None, strawberry.argument(description="1 to 100; 50 when left out.")]


@strawberry.type
class PageInfo:
    """Where a page stands."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    """A row with the cursor behind which the next page begins."""

    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    """A page."""

    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    page: strawberry.Private[Page[Any]]

    @relation(AUTHENTICATED, "How many there are over all pages.")
    async def total_count(self, info: Info) -> int:
        """Counted only when asked for."""
        async with info.context.caller.reading() as session:
            return await count(session, self.page)


def connection_of(page: Page[Any], convert: Callable[[Any], T], *, edges: bool = True) -> Any:
    """The connection of a page.

    Args:
        edges: whether they are asked for; a cursor for each row takes longer than the row.
    """
    nodes = [convert(row) for row in page.rows]
    rows, cursor_of = page.rows, page.cursor_of
    return Connection(
        edges=[Edge(cursor=cursor_of(row), node=node) for row, node in zip(rows, nodes, strict=True)] if edges else [],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=cursor_of(rows[0]) if rows else None,
            end_cursor=cursor_of(rows[-1]) if rows else None,
        ),
        page=page,
    )
