"""Reads: plain rows, typed as their model but never attached to a session; a third of the ORM's cost."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, Table, any_, literal, select, tuple_, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import Base, TenantRow
from models.prepared import Prepared, Readable
from models.ready import Ready

M = TypeVar("M", bound=Base)
R = TypeVar("R", bound=TenantRow)


def select_rows(model: type[M]) -> Select[Any]:
    """SELECT the columns of the model's table, as plain columns; those that follow from others stay in the database.

    They are there for its constraints alone, and an object made of each visit's time range nearly doubles the time of
    reading it.
    """
    return select(*(column for column in cast("Table", model.__table__).c if column.computed is None))


async def rows(session: AsyncSession, model: type[M], statement: Select[Any]) -> Sequence[M]:
    """The statement's rows, which carry the model's attributes."""
    return cast("Sequence[M]", (await session.execute(statement)).all())


def among(column: Any, ids: Collection[Any] | BindParameter[Any]) -> ColumnElement[bool]:
    """Whether a column is one of these ids.

    One array and not a parameter for each: a hundred of them would be named, converted and keyed one by one, and each
    number of them would be a statement of its own to PostgreSQL.
    """
    many = ARRAY(column.type)
    given = type_coerce(ids, many) if isinstance(ids, BindParameter) else literal(list(ids), many)
    found: ColumnElement[bool] = column == any_(given)
    return found


@cache
def _of_ids(model: type[R]) -> Prepared[R]:
    return Prepared(model, lambda ids: select_rows(model).where(among(model.id, ids)))


async def by_ids(session: Readable, model: type[R], ids: Sequence[UUID], ready: Ready | None = None) -> dict[UUID, R]:
    """The tenant's rows with these ids, by id; ids of nobody or of another tenant are missing.

    Args:
        ready: has the rows be of their ids and their answers.
    """
    read = _of_ids(model)
    if ready is not None:
        read = ready.of(read, model.__table__.c.id)
    return {row.id: row for row in await read(session, list(ids))}


async def all_of(session: AsyncSession, model: type[M], *order: Any) -> Sequence[M]:
    """All the tenant's rows of a model."""
    return await rows(session, model, select_rows(model).order_by(*order))


def after(
    statement: Select[Any], columns: Sequence[Any], values: Sequence[Any], *, descending: bool = False
) -> Select[Any]:
    """Rows behind a keyset position: a row comparison, so that the index finds the place at once."""
    position = tuple_(*columns)
    return statement.where(position < tuple_(*values) if descending else position > tuple_(*values))
