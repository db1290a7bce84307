"""Where a technician is: the latest position alone is kept, and the arrival at the next customer follows from it."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.address import PointInput, checked_point
from domain.appointment import AppointmentEventType, AppointmentStatus
from domain.appointment_change import is_late
from domain.errors import invalid, not_found
from integrations.travel_time import TravelEngine
from models.appointment import Appointment, lock_appointments, snapshot
from models.database import Transaction
from models.position import SeenPosition, on_the_way, store_position
from models.query import by_ids
from models.technician import Technician, TechnicianPosition, positions_of
from resolvers.appointment import Change, check_locked, finish
from resolvers.calendar import utc_now
from resolvers.caller import Caller
from resolvers.eta import estimated_arrival, fetch_way

# Positions closer together than this are let go, however often a device reports.
APART = timedelta(milliseconds=500)
# How far the clock of a device may be ahead of ours.
AHEAD = timedelta(minutes=2)
# An older position tells nothing of where the technician is.
OLDEST = timedelta(hours=1)
# A customer is told anew when the arrival moves by this much.
MOVED = timedelta(minutes=3)
FASTEST_KPH = 400.0


@dataclass(frozen=True, slots=True)
class PositionInput:
    """A position as a device reports it: heading in degrees from north, speed in km/h; `recorded_at` None: now."""

    point: PointInput
    heading: float | None
    speed_kph: float | None
    recorded_at: datetime | None


async def report_position(
    caller: Caller, travel: TravelEngine, technician_id: UUID | None, given: PositionInput
) -> TechnicianPosition:
    """Keep the position, and the arrival that follows from it; the position that is kept.

    Args:
        technician_id: the calling technician's own when None.

    Raises:
        Refusal: INVALID_INPUT; NOT_FOUND also for another technician than the calling one.
    """
    who = technician_id or caller.principal.technician_id
    if who is None:
        raise invalid("Name the technician.", "technicianId")
    seen = _checked(given, who)
    if not caller.sees_work_of(who):
        raise not_found("technician", "technicianId")

    async def keep(session: Transaction) -> tuple[TechnicianPosition, list[UUID]]:
        person = (await by_ids(session, Technician, [who])).get(who)
        if person is None or not person.active:
            raise not_found("technician", "technicianId")
        kept = await store_position(session, seen, caller.tenant_id, APART)
        visits = await on_the_way(session, who) if kept else []
        return (await positions_of(session, [who]))[0], list(visits)

    position, visits = await caller.transact(keep)
    for appointment_id in visits:
        await follow_arrival(caller, travel, appointment_id)
    return position


async def follow_arrival(caller: Caller, travel: TravelEngine, appointment_id: UUID) -> None:
    """Tell of the arrival anew when it has moved by three minutes or more, or has passed the promised window, or no longer does."""
    await fetch_way(caller, travel, appointment_id)

    async def look(session: Transaction) -> datetime | None:
        row = (await by_ids(session, Appointment, [appointment_id])).get(appointment_id)
        if row is None or row.status is not AppointmentStatus.ON_THE_WAY:
            return None
        eta = await estimated_arrival(session, appointment_id, travel.times)
        return eta if eta is not None and _news(row, eta) else None

    # Most reports change nothing: they look, and lock nothing.
    async with caller.reading() as session:
        if await look(session) is None:
            return

    async def work(session: Transaction) -> None:
        appointment = (await lock_appointments(session, [appointment_id])).get(appointment_id)
        if appointment is None:
            raise not_found("appointment", "appointmentId")
        check_locked(caller, appointment, None)
        eta = await look(session)
        if eta is not None:
            before = snapshot(appointment)
            appointment.eta = eta
            await finish(Change(session, caller, appointment, AppointmentEventType.ETA_CHANGED), before)

    await caller.transact(work)


def _news(row: Appointment, eta: datetime) -> bool:
    if row.eta is None or abs(eta - row.eta) >= MOVED:
        return True
    end = row.arrival_ends_at
    return is_late({"eta": row.eta, "arrival_ends_at": end}) != is_late({"eta": eta, "arrival_ends_at": end})


def _checked(given: PositionInput, technician_id: UUID) -> SeenPosition:
    point = checked_point(given.point, "point")
    if point is None:
        raise invalid("Name the place.", "point")
    for name, value, most in (("heading", given.heading, 360.0), ("speedKph", given.speed_kph, FASTEST_KPH)):
        if value is not None and not (math.isfinite(value) and 0 <= value <= most):
            raise invalid(f"This lies between 0 and {most:.0f}.", name)
    now = utc_now()
    recorded_at = given.recorded_at or now
    if not now - OLDEST <= recorded_at <= now + AHEAD:
        raise invalid("A position is of the last hour, and not of the future.", "recordedAt")
    return SeenPosition(
        technician_id=technician_id,
        latitude=point.latitude,
        longitude=point.longitude,
        heading=given.heading,
        speed_kph=given.speed_kph,
        recorded_at=recorded_at,
    )
