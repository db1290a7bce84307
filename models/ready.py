"""Rows with their answer ready: PostgreSQL writes the JSON of what was asked of each row, and Python passes it on.

For what is plain enough, that is: columns, values made of columns, rows that are named, rows that belong to it. What the fields
of a row are is told once more by `models.ready_shapes`, in SQL; `tests/ready` holds the two to each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, FromClause, Select, Table, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from models.base import TenantRow
from models.prepared import Prepared
from models.ready_text import Part, Parts, either, joined, needed, or_empty, or_null


class NotReadyMade(Exception):
    """PostgreSQL cannot write what was asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A field that was asked for, by its name in Python; `type_name` is that of the object, and `fields` those of it by the
    names in the response."""

    name: str
    type_name: str = ""
    fields: Mapping[str, "Asked"] | None = None


TYPE_NAME = "__typename"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field without fields of its own."""

    write: Callable[[Any], Parts]


@dataclass(frozen=True, slots=True)
class Inside:
    """An object made of columns of the same row: null where `missing` says so."""

    shape: Mapping[str, "Field"]
    source: Callable[[Any], Any]
    missing: Callable[[Any], ColumnElement[bool]] | None = None


@dataclass(frozen=True, slots=True)
class One:
    """The row that a column names; where the column may be null, so may the field."""

    model: type[TenantRow]
    shape: Mapping[str, "Field"]
    column: str


@dataclass(frozen=True, slots=True)
class Many:
    """The rows whose column names this row, in an order."""

    model: type[TenantRow]
    shape: Mapping[str, "Field"]
    column: str
    order: str


Field = Leaf | Inside | One | Many
Shape = Mapping[str, Field]


class HasReady(Protocol):
    """A row with its answer."""

    @property
    def ready(self) -> str:
        """The JSON, with the gaps that `models.ready_text.filled` fills."""


class Ready:
    """What was asked of a model's rows, as one more column of the statements that find them.

    Raises:
        NotReadyMade: PostgreSQL cannot write it.
    """

    def __init__(self, model: type[TenantRow], shape: Shape, asked: Asked) -> None:
        table = cast("Table", model.__table__)
        self._column = joined(_written(asked, shape, table.c)).label("ready")
        self._made: dict[tuple[Any, ...], Prepared[Any]] = {}

    def of(self, read: Prepared[Any], *columns: ColumnElement[Any]) -> Prepared[Any]:
        """The same read: of these columns and of `ready`."""
        key = (read, *(column.key for column in columns))
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = read.answering(*columns, self._column)
        return made


def _written(asked: Asked, shape: Shape, source: Any) -> Parts:
    """An object's JSON; `source` is what its shape reads: a row's columns, mostly."""
    if asked.fields is None:
        raise NotReadyMade
    parts: list[Part] = ["{"]
    for at, (response_name, wanted) in enumerate(asked.fields.items()):
        parts.append(f'{"," if at else ""}"{response_name}":')
        if wanted.name == TYPE_NAME:
            parts.append(f'"{asked.type_name}"')
            continue
        found = shape.get(wanted.name)
        if found is None:
            raise NotReadyMade
        parts += _field(wanted, found, source)
    return [*parts, "}"]


def _field(asked: Asked, field: Field, source: Any) -> Parts:
    match field:
        case Leaf():
            if asked.fields is not None:
                raise NotReadyMade
            return field.write(source)
        case Inside():
            parts = _written(asked, field.shape, field.source(source))
            return parts if field.missing is None else [either(field.missing(source), parts)]
        case One():
            row, column = field.model.__table__.alias(), source[field.column]
            found = select(joined(_written(asked, field.shape, row.c))).where(row.c.id == column)
            return [(or_null if column.nullable else needed)(_below(found, row, column.table))]
        case Many():
            row = field.model.__table__.alias()
            in_order: Any = aggregate_order_by(literal_column("','"), row.c[field.order])
            each = func.string_agg(joined(_written(asked, field.shape, row.c)), in_order)
            found = select(each).where(row.c[field.column] == source.id)
            return ["[", or_empty(_below(found, row, source.id.table)), "]"]


def _below(statement: Select[Any], row: FromClause, parent: FromClause) -> ColumnElement[Any]:
    # Says whose rows it means itself, so that this wall holds here too.
    of_tenant = statement.where(row.c.tenant_id == parent.c.tenant_id)
    return of_tenant.correlate(parent).scalar_subquery()
