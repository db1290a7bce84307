"""Hot statements: one is built once for each shape, and its rows come from the driver as plain named tuples.

SQLAlchemy builds, keys and looks a statement up at each use, which takes longer than PostgreSQL takes to answer it. Here it
writes the SQL once, its types convert what goes and comes, and psycopg is asked for the rest. Transactions, and which tenant
they belong to, remain the session's. What a session still has to write is not written first, as `Session.execute` would.
"""

import inspect
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import psycopg
from psycopg.pq import Format
from psycopg.rows import tuple_row
from sqlalchemy import BindParameter, ColumnElement, Select, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from models.reading import DRIVER, Kept, Reading
from models.scoping import scoped

M = TypeVar("M")
_DIALECT: Any = cast("Any", PGDialect_psycopg)()
_TENANT = "of_tenant"
# The session's tenant, for what a statement writes: what it reads is narrowed without it.
OF_TENANT = bindparam(_TENANT, type_=Uuid())


class Readable(Protocol):
    """A transaction that prepared reads may use: a session's, or one of `Database.reading`."""

    @property
    def info(self) -> dict[Any, Any]:
        """Whose it is, as `tenant_id`, and the driver's connection."""


class _Rows:
    """psycopg's row factory of one shape."""

    def __init__(self, name: str, columns: Sequence[Any]) -> None:
        self._row = namedtuple(name, [column.key for column in columns])  # type: ignore[misc]
        self._types = [column.type for column in columns]
        self._make: Callable[[Sequence[Any]], Any] | None = None

    def __call__(self, cursor: Any) -> Callable[[Sequence[Any]], Any]:
        """What makes a row of its values."""
        if self._make is None and cursor.description is not None:
            self._make = self._maker([column.type_code for column in cursor.description])
        return self._make or self._refuse

    def _maker(self, codes: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
        row, make = self._row, tuple.__new__
        converted = [
            (at, convert)
            for at, (type_, code) in enumerate(zip(self._types, codes, strict=True))
            if (convert := _converter(type_.dialect_impl(_DIALECT), code))
        ]

        def plain(values: Sequence[Any]) -> Any:
            return make(row, values)

        def converting(values: Sequence[Any]) -> Any:
            found = list(values)
            for at, convert in converted:
                found[at] = convert(found[at])
            return make(row, found)

        return converting if converted else plain

    def _refuse(self, _values: Sequence[Any]) -> Any:
        raise AssertionError("unreachable: psycopg asks again when it has rows")


def _converter(type_: Any, code: int) -> Callable[[Any], Any] | None:
    """What a value of a type passes; nothing, for lists of what passes nothing, which SQLAlchemy would copy one by one."""
    if isinstance(type_, ARRAY) and type_.item_type.dialect_impl(_DIALECT).result_processor(_DIALECT, code) is None:
        return None
    return cast("Callable[[Any], Any] | None", type_.result_processor(_DIALECT, code))


@dataclass(frozen=True, slots=True)
class _Made:
    """One shape: its SQL and the names of its $1, $2, …, what they pass through, those that never change, how a row is made, and
    the same statement as one that PostgreSQL keeps, if it is of few columns."""

    sql: str
    names: Sequence[str]
    converted: Mapping[str, Callable[[Any], Any]]
    constants: Mapping[str, Any]
    rows: _Rows
    kept: Kept | None


class Prepared(Generic[M]):
    """A read of a model's rows, as a function of a session and of the arguments by which `build` narrows it.

    It may lock what it reads, and write by way of its CTEs.

    Args:
        build: the SELECT. It is called with a bound parameter in the place of each argument, and with None for each that is
            None: so many shapes may come of it.
        arguments: their names, where the signature of `build` does not tell.
        light: of so few columns that it does not matter that they come as text; see `models.reading`.
    """

    def __init__(
        self,
        model: type[M],
        build: Callable[..., Select[Any]],
        arguments: Sequence[str] = (),
        *,
        light: bool = False,
    ) -> None:
        self._light = light
        self._build, self._model = build, model
        self._arguments = tuple(arguments) or tuple(inspect.signature(build).parameters)
        self._made: dict[tuple[bool, ...], _Made] = {}

    async def __call__(self, session: Readable, *arguments: Any) -> Sequence[M]:
        """The rows of the session's tenant.

        Raises:
            sqlalchemy.exc.DBAPIError: as from the session itself.
        """
        shape = tuple(value is None for value in arguments)
        made = self._made.get(shape) or self._made.setdefault(shape, self._make(shape))
        parameters = dict(zip(self._arguments, arguments, strict=True))
        for name, convert in made.converted.items():
            parameters[name] = convert(parameters[name])
        parameters |= made.constants
        parameters[_TENANT] = session.info["tenant_id"]
        if isinstance(session, Reading):
            try:
                if made.kept and (found := await session.execute(made.kept, parameters, made.rows)) is not None:
                    return found
                await session.begin()
            except psycopg.Error as error:
                raise as_sqlalchemy(made.sql, error) from error
        values = [parameters[name] for name in made.names]
        return cast("Sequence[M]", await ask(session, made.sql, values, made.rows))

    def answering(self, *columns: ColumnElement[Any]) -> "Prepared[Any]":
        """The same rows, with these columns of them."""
        made: Prepared[Any] = Prepared(
            self._model, lambda **given: self._build(**given).with_only_columns(*columns), self._arguments, light=True
        )
        return made

    def _make(self, shape: tuple[bool, ...]) -> _Made:
        given: dict[str, Any] = {
            name: None if missing else bindparam(name, required=True)
            for name, missing in zip(self._arguments, shape, strict=True)
        }
        statement = self._build(**given)
        columns = list(statement.selected_columns)
        compiled: Any = scoped(statement, cast("Any", OF_TENANT))
        compiled = compiled.compile(dialect=_DIALECT)
        sql = str(compiled)
        if "POSTCOMPILE" in sql:
            raise NotImplementedError("IN makes SQL of its values: use an array")
        binds: dict[str, BindParameter[Any]] = compiled.binds
        converted, constants = {}, {}
        for name, bind in binds.items():
            convert = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            if name not in given and name != _TENANT:
                constants[name] = convert(bind.value) if convert else bind.value
            elif convert:
                converted[name] = convert
        numbered, names = _numbered(sql)
        kept = Kept(numbered, names) if self._light else None
        return _Made(numbered, names, converted, constants, _Rows(self._model.__name__, columns), kept)


def _numbered(sql: str) -> tuple[str, Sequence[str]]:
    """The SQL with PostgreSQL's own placeholders, and their names: psycopg would look for its own each time where it is long."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"%%|%\((\w+)\)s", number, sql), names


def prepared(model: type[M], *, light: bool = False) -> Callable[[Callable[..., Select[Any]]], Prepared[M]]:
    """Make a `Prepared` of the function that builds its statement."""
    return lambda build: Prepared(model, build, light=light)


async def ask(
    session: Readable, sql: str, parameters: Mapping[str, Any] | Sequence[Any], rows: Any = tuple_row
) -> list[Any]:
    """The rows that a statement of ours answers in the session's transaction.

    Numbers and texts go without a type: where the statement does not tell which one is meant, it has to cast them.

    Args:
        parameters: by name, for psycopg's placeholders, or in the order of PostgreSQL's.
        rows: psycopg's row factory.

    Raises:
        sqlalchemy.exc.DBAPIError: as from the session itself.
    """
    driver = await driver_of(session)
    try:
        kind = psycopg.AsyncCursor if isinstance(parameters, Mapping) else psycopg.AsyncRawCursor
        cursor: psycopg.AsyncCursor[Any] = kind(driver, row_factory=rows)
        # Since times, ids and numbers are read in half the time.
        cursor.format = Format.BINARY
        await cursor.execute(cast("Any", sql), parameters)
        return await cursor.fetchall()
    except psycopg.Error as error:
        if driver.closed and isinstance(session, AsyncSession):
            # So that SQLAlchemy meets the loss itself, and drops what its pool holds of the same server.
            await session.execute(text("SELECT 1"))
        raise as_sqlalchemy(sql, error) from error


def as_sqlalchemy(sql: str, error: psycopg.Error) -> BaseException:
    """The driver's error as a session would have raised it. Parameters are left out: they may tell of customers."""
    return DBAPIError.instance(sql, None, error, psycopg.Error, hide_parameters=True, dialect=_DIALECT)


async def driver_of(session: Readable) -> psycopg.AsyncConnection[Any]:
    """The driver's connection of the transaction, which begins if it has not."""
    if DRIVER not in session.info and isinstance(session, AsyncSession):
        await session.connection()
    return cast("psycopg.AsyncConnection[Any]", session.info[DRIVER])
