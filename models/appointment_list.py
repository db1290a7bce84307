"""Which appointments: pages with filters and orders, and the day board."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, literal_column, or_

from domain.appointment import AppointmentStatus
from domain.window import LONGEST
from models.appointment import Appointment
from models.page import Order, Page, instant, keyset, read_page
from models.prepared import Prepared, Readable, prepared
from models.query import among, select_rows
from models.ready import Ready

_C = Appointment.__table__.c
# What still has to be placed is shown on the board up to this number; the list has all.
MOST_UNPLACED = 500


class AppointmentSort(StrEnum):
    """What a list is sorted by."""

    SCHEDULED_START = "SCHEDULED_START"
    CREATED_AT = "CREATED_AT"
    UPDATED_AT = "UPDATED_AT"
    NUMBER = "NUMBER"


@dataclass(frozen=True, slots=True)
class AppointmentCriteria:
    """What a list holds; what is None does not narrow it. `scheduled_from` up to `scheduled_to` is when it starts."""

    statuses: Sequence[AppointmentStatus] | None = None
    technician_ids: Sequence[UUID] | None = None
    customer_id: UUID | None = None
    location_id: UUID | None = None
    scheduled_from: datetime | None = None
    scheduled_to: datetime | None = None
    updated_since: datetime | None = None
    unassigned: bool | None = None
    visited_by: UUID | None = None


@cache
def order_by(sort: AppointmentSort, *, descending: bool) -> Order[Appointment]:
    """The order of a list."""
    name = f"appointment-{sort.value}-{'desc' if descending else 'asc'}"
    match sort:
        case AppointmentSort.SCHEDULED_START:
            column = func.coalesce(_C.starts_at, literal_column("'infinity'::timestamptz"), type_=_C.starts_at.type)
            return Order(name, column, lambda row: instant(row.starts_at), descending, ("starts_at",))
        case AppointmentSort.CREATED_AT:
            return Order(name, _C.created_at, lambda row: instant(row.created_at), descending, ("created_at",))
        case AppointmentSort.UPDATED_AT:
            return Order(name, _C.updated_at, lambda row: instant(row.updated_at), descending, ("updated_at",))
        case AppointmentSort.NUMBER:
            return Order(name, _C.number, lambda row: str(row.number), descending, ("number",))


async def page_of_appointments(
    session: Readable,
    first: int | None,
    cursor: str | None,
    criteria: AppointmentCriteria,
    order: Order[Appointment],
    ready: Ready | None = None,
) -> Page[Appointment]:
    """A page of the appointments that fit; with `ready`, rows of what places them in the order, and of their answers."""
    given = {name: getattr(criteria, name, None) for name in _NARROWING}
    if criteria.unassigned is False:
        given |= {"unassigned": None, "assigned": True}

    async def read(value: str | None, row_id: UUID | None, most: int) -> Sequence[Appointment]:
        made = _page(order)
        if ready is not None:
            made = ready.of(made, _C.id, *(_C[name] for name in order.reads))
        return await made(session, value, row_id, most, *(given.get(name) for name in _NARROWING))

    return await read_page(read, order, first, cursor, lambda: _narrowed(given))


_NARROWING: dict[str, Callable[[Any], Any]] = {
    "statuses": lambda statuses: among(_C.status, statuses),
    "technician_ids": lambda ids: among(_C.technician_id, ids),
    "customer_id": lambda value: _C.customer_id == value,
    "location_id": lambda value: _C.location_id == value,
    "scheduled_from": lambda value: _C.starts_at >= value,
    "scheduled_to": lambda value: _C.starts_at < value,
    "updated_since": lambda value: _C.updated_at >= value,
    "unassigned": lambda _: _C.technician_id.is_(None),
    "assigned": lambda _: _C.technician_id.is_not(None),
    "visited_by": lambda value: _C.technician_id == value,
}


def _narrowed(given: Mapping[str, Any]) -> Select[Any]:
    conditions = (make(given[name]) for name, make in _NARROWING.items() if given.get(name) is not None)
    return select_rows(Appointment).where(*conditions)


@cache
def _page(order: Order[Appointment]) -> Prepared[Appointment]:
    def build(value: Any, row_id: Any, most: Any, **given: Any) -> Select[Any]:
        return keyset(Appointment, _narrowed(given), order, value, row_id, most)

    return Prepared(Appointment, build, ("value", "row_id", "most", *_NARROWING))


# What tells where on a board an appointment stands.
_PLACE = (_C.location_id, _C.technician_id, _C.starts_at, _C.ends_at)


@prepared(Appointment)
def _on_board(starts_at: Any, ends_at: Any, earliest: Any, location_id: Any, visited_by: Any) -> Select[Any]:
    statement = select_rows(Appointment).where(
        _C.starts_at < ends_at,
        _C.ends_at > starts_at,
        # A visit takes at most a day: with both ends bounded the index on the start finds it, with one it would not.
        _C.starts_at > earliest,
        _C.technician_id.is_not(None),
        _C.status != AppointmentStatus.CANCELLED,
    )
    if location_id is not None:
        statement = statement.where(_C.location_id == location_id)
    if visited_by is not None:
        statement = statement.where(_C.technician_id == visited_by)
    return statement.order_by(_C.starts_at, _C.id)


async def on_board(
    session: Readable,
    starts_at: datetime,
    ends_at: datetime,
    location_id: UUID | None,
    visited_by: UUID | None,
    ready: Ready | None = None,
) -> Sequence[Appointment]:
    """What is planned between two moments and assigned, cancelled ones left out, in order of time.

    Args:
        ready: has the rows be of what places them on the board, and of their answers.
    """
    read = _on_board if ready is None else ready.of(_on_board, *_PLACE)
    return await read(session, starts_at, ends_at, starts_at - LONGEST, location_id, visited_by)


@prepared(Appointment)
def _not_placed(starts_at: Any, ends_at: Any, location_id: Any) -> Select[Any]:
    statement = select_rows(Appointment).where(
        or_(_C.status == AppointmentStatus.REQUESTED, _C.status == AppointmentStatus.SCHEDULED),
        or_(
            and_(_C.technician_id.is_(None), _C.starts_at < ends_at, _C.ends_at > starts_at),
            _C.starts_at.is_(None),
        ),
    )
    if location_id is not None:
        statement = statement.where(_C.location_id == location_id)
    return statement.order_by(_C.starts_at, _C.id).limit(MOST_UNPLACED)


async def not_placed(
    session: Readable,
    starts_at: datetime,
    ends_at: datetime,
    location_id: UUID | None,
    ready: Ready | None = None,
) -> Sequence[Appointment]:
    """What waits for a technician between two moments, and every request without a time, oldest first; `ready` as above."""
    read = _not_placed if ready is None else ready.of(_not_placed, *_PLACE)
    return await read(session, starts_at, ends_at, location_id)
