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


def connection_of(page: Page[Any], convert: Callable[[Any], T]) -> Any:
    """The connection of a page."""
    nodes = [convert(row) for row in page.rows]
    return Connection(
        edges=[Edge(cursor=cursor, node=node) for cursor, node in zip(page.cursors, nodes, strict=True)],
        nodes=nodes,
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
        page=page,
    )
