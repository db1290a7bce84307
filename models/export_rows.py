"""Reading a business's rows for its export: page by page in the order of keys, as JSON that PostgreSQL makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Subquery, Text, func, literal_column, select, text, tuple_, type_coerce
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from models.all import metadata
from models.export_tables import ExportedTable, shown, tenant_column

PAGE = 2_000


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows, each a line of JSON or a tuple of cells; `after` is the last one's key as text, None when there are no more."""

    rows: Sequence[Any]
    after: list[str] | None


async def begin_reading(session: AsyncSession) -> datetime:
    """Have times written in UTC, and tell the moment that all reads of this transaction see."""
    await session.execute(text("SET LOCAL timezone = 'UTC'"))
    moment: datetime = (await session.execute(text("SELECT now()"))).scalar_one()
    return moment


async def json_page(
    session: AsyncSession, tenant_id: UUID, table: ExportedTable, after: list[str] | None, size: int = PAGE
) -> RowPage:
    """The next rows as JSON."""
    page = _page(tenant_id, table, after, size)
    line = sql_cast(func.row_to_json(literal_column("page")), Text)
    statement = select(line, *_keys(page, table)).select_from(page).order_by(*_order(page, table))
    found = (await session.execute(statement)).all()
    return RowPage([row[0] for row in found], _after(found, table, size))


async def cell_page(
    session: AsyncSession, tenant_id: UUID, table: ExportedTable, after: list[str] | None, size: int = PAGE
) -> RowPage:
    """The next rows as cells of text."""
    page = _page(tenant_id, table, after, size)
    cells = [sql_cast(page.c[name], Text) for name in table.columns]
    statement = select(*_keys(page, table), *cells).select_from(page).order_by(*_order(page, table))
    found = (await session.execute(statement)).all()
    skipped = len(table.key)
    return RowPage([row[skipped:] for row in found], _after(found, table, size, first=0))


def _page(tenant_id: UUID, table: ExportedTable, after: list[str] | None, size: int) -> Subquery:
    source = metadata.tables[table.name]
    statement = select(*(shown(source.c[name]) for name in table.columns)).where(tenant_column(source) == tenant_id)
    if after is not None:
        key = tuple_(*(source.c[name] for name in table.key))
        values = zip(table.key, after, strict=True)
        # The parameters are text and the casts the database's: one form for every type of key.
        place = [sql_cast(type_coerce(value, String), source.c[name].type) for name, value in values]
        statement = statement.where(key > tuple_(*place))
    return statement.order_by(*(source.c[name] for name in table.key)).limit(size).subquery("page")


def _keys(page: Subquery, table: ExportedTable) -> list[ColumnElement[str]]:
    return [sql_cast(page.c[name], Text) for name in table.key]


def _order(page: Subquery, table: ExportedTable) -> list[ColumnElement[Any]]:
    return [page.c[name] for name in table.key]


def _after(found: Sequence[Any], table: ExportedTable, size: int, first: int = 1) -> list[str] | None:
    # A key of nothing but the tenant has one row.
    if len(found) < size or not table.key:
        return None
    return [str(value) for value in found[-1][first : first + len(table.key)]]
