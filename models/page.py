"""Keyset pages: where a page ends is a position among the sorted values, so that later pages cost what the first does."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Select, String, func, select, type_coerce
from sqlalchemy import cast as sql_cast
from sqlalchemy.exc import DataError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.errors import ErrorCode, Refusal
from models.base import TenantRow
from models.query import after, rows

M = TypeVar("M", bound=TenantRow)
DEFAULT_PAGE = 50
LARGEST_PAGE = 100


@dataclass(frozen=True)
class Order(Generic[M]):
    """A total order of a model's rows: a column (ties broken by id), and how to read its value off a row.

    `name` is part of each cursor, so that a cursor of another order is refused. The value is text that PostgreSQL reads
    back as the column's type; `reads` names the columns that it is made of, where rows may be of these alone.
    """

    name: str
    column: ColumnElement[Any]
    value: Callable[[M], str]
    descending: bool = False
    reads: Sequence[str] = ()


@dataclass(frozen=True)
class Page(Generic[M]):
    """Rows, and how to tell the cursor of each; `everything` makes the statement of all rows, for their count, if somebody asks."""

    rows: Sequence[M]
    cursor_of: Callable[[M], str]
    has_next: bool
    has_previous: bool
    everything: Callable[[], Select[Any]]


def page_size(first: int | None) -> int:
    """How many rows a page holds.

    Raises:
        Refusal: INVALID_INPUT outside 1..100.
    """
    if first is None:
        return DEFAULT_PAGE
    if not 1 <= first <= LARGEST_PAGE:
        raise Refusal(ErrorCode.INVALID_INPUT, f"A page holds 1 to {LARGEST_PAGE}.", ("first",))
    return first


async def fetch_page(
    session: AsyncSession,
    model: type[M],
    statement: Select[Any],
    order: Order[M],
    first: int | None,
    cursor: str | None,
) -> Page[M]:
    """The page of `statement` (a `select_rows`, with its filters) behind a cursor.

    Raises:
        Refusal: INVALID_INPUT for a size outside 1..100 or a cursor that is none of this order.
    """

    async def read(value: str | None, row_id: UUID | None, most: int) -> Sequence[M]:
        return await rows(session, model, keyset(model, statement, order, value, row_id, most))

    return await read_page(read, order, first, cursor, lambda: statement)


def keyset(model: type[M], statement: Select[Any], order: Order[M], value: Any, row_id: Any, most: Any) -> Select[Any]:
    """The rows of `statement` in an order, behind a position (None: from the first one on)."""
    identity = cast("ColumnElement[Any]", model.__table__.c.id)
    if value is not None:
        # The parameter is text and the cast the database's: one codec for every type of column.
        position = sql_cast(type_coerce(value, String), order.column.type)
        statement = after(statement, [order.column, identity], [position, row_id], descending=order.descending)
    directions = [order.column.desc(), identity.desc()] if order.descending else [order.column, identity]
    return statement.order_by(*directions).limit(most)


async def read_page(
    read: Callable[[str | None, UUID | None, int], Awaitable[Sequence[M]]],
    order: Order[M],
    first: int | None,
    cursor: str | None,
    everything: Callable[[], Select[Any]],
) -> Page[M]:
    """The page that `read` answers: so many rows at most behind a position, as `keyset` has it.

    Args:
        everything: makes the statement of all rows, for their count.

    Raises:
        Refusal: INVALID_INPUT for a size outside 1..100 or a cursor that is none of this order.
    """
    size = page_size(first)
    value, row_id = (None, None) if cursor is None else _decode(order.name, cursor)
    try:
        found = await read(value, row_id, size + 1)
    except DataError as error:
        # Only a forged cursor holds a value that is none of the column's type.
        if cursor is None:
            raise
        raise _foreign_cursor() from error
    kept = found[:size]
    return Page(
        rows=kept,
        cursor_of=lambda row: _encode(order.name, order.value(row), row.id),
        has_next=len(found) > size,
        has_previous=cursor is not None,
        everything=everything,
    )


async def count(session: AsyncSession, page: Page[Any]) -> int:
    """How many rows there are over all pages."""
    statement = select(func.count()).select_from(page.everything().order_by(None).subquery())
    return int((await session.execute(statement)).scalar_one())


def instant(value: datetime | None) -> str:
    """An instant as PostgreSQL reads it; none sorts last."""
    return value.isoformat() if value else "infinity"


def _encode(name: str, value: str, row_id: UUID) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([name, value, str(row_id)])).decode().rstrip("=")


def _decode(name: str, cursor: str) -> tuple[str, UUID]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if found[0] == name and isinstance(found[1], str) and len(found) == 3:
            return found[1], UUID(found[2])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, binascii.Error):
        pass
    raise _foreign_cursor()


def _foreign_cursor() -> Refusal:
    return Refusal(ErrorCode.INVALID_INPUT, "That is not a cursor of this list.", ("after",))
