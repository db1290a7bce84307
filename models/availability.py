"""What a search for free times reads: who works at a location, what is planned, and whether any of it has changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import OCCUPYING, AppointmentStatus
from domain.window import LONGEST
from models.appointment import Appointment
from models.customer import CustomerAddress
from models.query import rows, select_rows
from models.technician import Technician

_C = Appointment.__table__.c
_A = CustomerAddress.__table__.c
# Whatever a working day is made of shows in one of these: an event for each change of an appointment, a time of change for
# each technician and location; time off only ever comes and goes.
_STATE = text(
    """
    SELECT concat_ws(':',
      (SELECT value FROM tenant_counters WHERE tenant_id = :tenant AND name = 'event'),
      (SELECT updated_at FROM locations WHERE tenant_id = :tenant AND id = :location),
      (SELECT md5(string_agg(concat(id, active, updated_at), ',' ORDER BY id)) FROM technicians
       WHERE tenant_id = :tenant AND location_id = :location),
      (SELECT concat(count(*), max(o.id::text)) FROM time_off o
       JOIN technicians t ON t.tenant_id = o.tenant_id AND t.id = o.technician_id
       WHERE t.tenant_id = :tenant AND t.location_id = :location))
    """
)


class PlannedVisit(NamedTuple):
    """An appointment as it stands in somebody's day, with its place."""

    id: UUID
    location_id: UUID
    version: int
    status: AppointmentStatus
    technician_id: UUID | None
    starts_at: datetime | None
    ends_at: datetime | None
    arrival_starts_at: datetime | None
    arrival_ends_at: datetime | None
    duration_minutes: int
    eta: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    latitude: float | None
    longitude: float | None
    postal_code: str


_VISIT = select(
    _C.id,
    _C.location_id,
    _C.version,
    _C.status,
    _C.technician_id,
    _C.starts_at,
    _C.ends_at,
    _C.arrival_starts_at,
    _C.arrival_ends_at,
    _C.duration_minutes,
    _C.eta,
    _C.started_at,
    _C.completed_at,
    _A.latitude,
    _A.longitude,
    _A.postal_code,
).join(CustomerAddress, (_A.tenant_id == _C.tenant_id) & (_A.id == _C.address_id))


async def calendar_state(session: AsyncSession, tenant_id: UUID, location_id: UUID) -> str:
    """A text that changes whenever a technician, a shift, time off or an appointment of the location does."""
    found = await session.execute(_STATE, {"tenant": tenant_id, "location": location_id})
    return str(found.scalar_one())


async def crew(session: AsyncSession, location_id: UUID) -> Sequence[Technician]:
    """The active technicians of a location."""
    statement = select_rows(Technician).where(Technician.location_id == location_id, Technician.active)
    return await rows(session, Technician, statement.order_by(Technician.name, Technician.id))


async def planned_visits(
    session: AsyncSession, technician_ids: Sequence[UUID], starts_at: datetime, ends_at: datetime
) -> list[PlannedVisit]:
    """What takes these technicians' time between two moments, and what they have done in it: from where they come."""
    statement = _VISIT.where(
        _C.technician_id.in_(technician_ids),
        _C.status.in_([*OCCUPYING, AppointmentStatus.COMPLETED]),
        *_touching(starts_at, ends_at),
    )
    return [PlannedVisit(*row) for row in (await session.execute(statement)).all()]


async def waiting_visits(
    session: AsyncSession, location_id: UUID, starts_at: datetime, ends_at: datetime
) -> list[PlannedVisit]:
    """A location's visits between two moments that nobody is planned for: without a technician, or with one who has left."""
    at_work = exists().where(Technician.tenant_id == _C.tenant_id, Technician.id == _C.technician_id, Technician.active)
    statement = _VISIT.where(
        _C.location_id == location_id,
        _C.status.in_([AppointmentStatus.REQUESTED, AppointmentStatus.SCHEDULED]),
        ~at_work,
        or_(
            and_(*_touching(starts_at, ends_at)),
            and_(_C.starts_at.is_(None), _C.arrival_starts_at >= starts_at, _C.arrival_starts_at < ends_at),
        ),
    )
    return [PlannedVisit(*row) for row in (await session.execute(statement.order_by(_C.id))).all()]


def _touching(starts_at: datetime, ends_at: datetime) -> tuple[ColumnElement[bool], ...]:
    # A visit takes at most a day: with both ends bounded the index on the start finds it.
    return _C.starts_at < ends_at, _C.ends_at > starts_at, _C.starts_at > starts_at - LONGEST
