"""Technicians' latest positions as others may see them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import AppointmentStatus
from domain.duty import on_duty
from domain.local_time import hours_from_json
from models.appointment import Appointment
from models.customer import CustomerAddress
from models.database import send_signal
from models.location import Location
from models.prepared import Readable, prepared
from models.query import among
from models.technician import Technician, TechnicianPosition, TimeOff

# "tenant:technician", when a position was written.
POSITION_CHANNEL = "sps_positions"

_VISITING = (AppointmentStatus.ON_THE_WAY, AppointmentStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class SeenPosition:
    """Where a technician who is on duty was last. Heading in degrees from north, speed in km/h."""

    technician_id: UUID
    latitude: float
    longitude: float
    heading: float | None
    speed_kph: float | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class KnownPlaces:
    """What is known of an appointment's technician and of the way there: the address, the latest position, the home base, and
    the location that the technician works from."""

    latitude: float | None
    longitude: float | None
    last_latitude: float | None
    last_longitude: float | None
    recorded_at: datetime | None
    home_latitude: float | None
    home_longitude: float | None
    base_latitude: float | None
    base_longitude: float | None


@prepared(KnownPlaces)
def _places(appointment_id: Any) -> Select[Any]:
    visit, goal, who, base, last = Appointment, CustomerAddress, Technician, Location, TechnicianPosition
    statement = (
        select(
            goal.__table__.c.latitude,
            goal.__table__.c.longitude,
            last.latitude.label("last_latitude"),
            last.longitude.label("last_longitude"),
            last.__table__.c.recorded_at,
            who.__table__.c.home_latitude,
            who.__table__.c.home_longitude,
            base.latitude.label("base_latitude"),
            base.longitude.label("base_longitude"),
        )
        .select_from(visit)
        .join(goal, goal.id == visit.address_id)
        .join(who, who.id == visit.technician_id)
        .join(base, base.id == who.location_id)
        .outerjoin(last, (last.tenant_id == who.tenant_id) & (last.technician_id == who.id))
    )
    return statement.where(visit.id == appointment_id)


async def places_of_way(session: AsyncSession, appointment_id: UUID) -> KnownPlaces | None:
    """The places of a technician's way to an appointment; None while nobody has it."""
    found = await _places(session, appointment_id)
    return found[0] if found else None


@prepared(TechnicianPosition)
def _positions(technician_ids: Any) -> Select[Any]:
    position, technician = TechnicianPosition, Technician
    statement = (
        select(
            *position.__table__.c,
            func.now().label("moment"),
            technician.active,
            technician.working_hours,
            Location.time_zone,
            exists()
            .where(
                TimeOff.technician_id == technician.id, TimeOff.starts_at <= func.now(), TimeOff.ends_at > func.now()
            )
            .label("time_off"),
            exists()
            .where(
                Appointment.technician_id == technician.id, or_(*(Appointment.status == status for status in _VISITING))
            )
            .label("visiting"),
        )
        .join(technician, technician.id == position.technician_id)
        .join(Location, Location.id == technician.location_id)
    )
    if technician_ids is not None:
        statement = statement.where(among(position.technician_id, technician_ids))
    return statement


async def visible_positions(session: Readable, technician_ids: Collection[UUID] | None) -> dict[UUID, SeenPosition]:
    """The latest positions of those of the technicians (None: of all) who are on duty now, by the database's clock."""
    found = await _positions(session, None if technician_ids is None else list(technician_ids))
    return {
        row.technician_id: SeenPosition(
            row.technician_id, row.latitude, row.longitude, row.heading, row.speed_kph, row.recorded_at
        )
        for row in cast("Sequence[Any]", found)
        if on_duty(
            row.moment,
            active=row.active,
            hours=hours_from_json(row.working_hours),
            zone=row.time_zone,
            time_off=row.time_off,
            visiting=row.visiting,
        )
    }


async def positions_on_duty(session: Readable, technician_ids: Sequence[UUID]) -> Sequence[SeenPosition]:
    """The same as a list."""
    return list((await visible_positions(session, technician_ids)).values())


async def store_position(session: AsyncSession, seen: SeenPosition, tenant_id: UUID, apart: timedelta) -> bool:
    """Keep a position in the place of the one before, and tell every process; whether it was kept.

    One that was recorded before the one that is kept, or less than `apart` after it, is let go: devices report late and often.
    """
    values = {
        "latitude": seen.latitude,
        "longitude": seen.longitude,
        "heading": seen.heading,
        "speed_kph": seen.speed_kph,
        "recorded_at": seen.recorded_at,
    }
    statement = (
        insert(TechnicianPosition)
        .values(tenant_id=tenant_id, technician_id=seen.technician_id, **values)
        .on_conflict_do_update(
            index_elements=["tenant_id", "technician_id"],
            set_=values,
            where=TechnicianPosition.recorded_at <= seen.recorded_at - apart,
        )
        .returning(TechnicianPosition.technician_id)
    )
    kept = (await session.execute(statement)).first() is not None
    if kept:
        await send_signal(session, POSITION_CHANNEL, f"{tenant_id}:{seen.technician_id}")
    return kept


async def on_the_way(session: AsyncSession, technician_id: UUID) -> Sequence[UUID]:
    """The appointments to which a technician is on the way."""
    statement = select(Appointment.id).where(
        Appointment.technician_id == technician_id, Appointment.status == AppointmentStatus.ON_THE_WAY
    )
    return (await session.execute(statement.order_by(Appointment.id))).scalars().all()
