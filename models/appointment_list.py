"""Which appointments: pages with filters and orders, and the day board."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import and_, func, literal_column, or_
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import AppointmentStatus
from domain.window import LONGEST
from models.appointment import Appointment
from models.page import Order, Page, fetch_page, instant
from models.query import rows, select_rows

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


def order_by(sort: AppointmentSort, *, descending: bool) -> Order[Appointment]:
    """The order of a list."""
    name = f"appointment-{sort.value}-{'desc' if descending else 'asc'}"
    match sort:
        case AppointmentSort.SCHEDULED_START:
            column = func.coalesce(_C.starts_at, literal_column("'infinity'::timestamptz"), type_=_C.starts_at.type)
            return Order(name, column, lambda row: instant(row.starts_at), descending)
        case AppointmentSort.CREATED_AT:
            return Order(name, _C.created_at, lambda row: instant(row.created_at), descending)
        case AppointmentSort.UPDATED_AT:
            return Order(name, _C.updated_at, lambda row: instant(row.updated_at), descending)
        case AppointmentSort.NUMBER:
            return Order(name, _C.number, lambda row: str(row.number), descending)


async def page_of_appointments(
    session: AsyncSession,
    first: int | None,
    cursor: str | None,
    criteria: AppointmentCriteria,
    order: Order[Appointment],
) -> Page[Appointment]:
    """A page of the appointments that fit."""
    statement = select_rows(Appointment)
    if criteria.statuses is not None:
        statement = statement.where(_C.status.in_(criteria.statuses))
    if criteria.technician_ids is not None:
        statement = statement.where(_C.technician_id.in_(criteria.technician_ids))
    if criteria.customer_id is not None:
        statement = statement.where(_C.customer_id == criteria.customer_id)
    if criteria.location_id is not None:
        statement = statement.where(_C.location_id == criteria.location_id)
    if criteria.scheduled_from is not None:
        statement = statement.where(_C.starts_at >= criteria.scheduled_from)
    if criteria.scheduled_to is not None:
        statement = statement.where(_C.starts_at < criteria.scheduled_to)
    if criteria.updated_since is not None:
        statement = statement.where(_C.updated_at >= criteria.updated_since)
    if criteria.unassigned is not None:
        unassigned = _C.technician_id.is_(None)
        statement = statement.where(unassigned if criteria.unassigned else ~unassigned)
    if criteria.visited_by is not None:
        statement = statement.where(_C.technician_id == criteria.visited_by)
    return await fetch_page(session, Appointment, statement, order, first, cursor)


async def on_board(
    session: AsyncSession, starts_at: datetime, ends_at: datetime, location_id: UUID | None, visited_by: UUID | None
) -> Sequence[Appointment]:
    """What is planned between two moments and assigned, cancelled ones left out, in order of time."""
    statement = select_rows(Appointment).where(
        _C.starts_at < ends_at,
        _C.ends_at > starts_at,
        # A visit takes at most a day: with both ends bounded the index on the start finds it, with one it would not.
        _C.starts_at > starts_at - LONGEST,
        _C.technician_id.is_not(None),
        _C.status != AppointmentStatus.CANCELLED,
    )
    if location_id is not None:
        statement = statement.where(_C.location_id == location_id)
    if visited_by is not None:
        statement = statement.where(_C.technician_id == visited_by)
    return await rows(session, Appointment, statement.order_by(_C.starts_at, _C.id))


async def not_placed(
    session: AsyncSession, starts_at: datetime, ends_at: datetime, location_id: UUID | None
) -> Sequence[Appointment]:
    """What waits for a technician between two moments, and every request without a time, oldest first."""
    statement = select_rows(Appointment).where(
        _C.status.in_([AppointmentStatus.REQUESTED, AppointmentStatus.SCHEDULED]),
        or_(
            and_(_C.technician_id.is_(None), _C.starts_at < ends_at, _C.ends_at > starts_at),
            _C.starts_at.is_(None),
        ),
    )
    if location_id is not None:
        statement = statement.where(_C.location_id == location_id)
    return await rows(session, Appointment, statement.order_by(_C.starts_at, _C.id).limit(MOST_UNPLACED))
