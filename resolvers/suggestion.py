"""Who should take an appointment on a day: all technicians of the business, ranked, and why the others cannot."""

import asyncio
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from domain.local_time import local_date
from domain.slots import TechnicianDay
from domain.slots_prepare import required_legs
from domain.slots_windows import CandidateWindows, whole_day
from domain.suggestion import Suggestion, suggest
from integrations.travel_time import TravelEngine
from models.location import locations
from resolvers.appointment_job import ToPlace, read_job
from resolvers.availability import fetch_between
from resolvers.calendar import DAY, read_days, utc_now
from resolvers.caller import Caller


async def technician_suggestions(
    caller: Caller, travel: TravelEngine, appointment_id: UUID, day: date | None
) -> Sequence[Suggestion]:
    """Feasible technicians first, by added travel; then the others, each with the reasons.

    Args:
        day: a date on the location's calendar; the appointment's own, else today, when None. On its own date the appointment keeps
            the window that its customer was told.

    Raises:
        Refusal: NOT_FOUND.
    """
    now = utc_now()
    async with caller.reading() as session:
        found = await read_job(session, appointment_id, "appointmentId")
        zone = found.location.time_zone
        wanted = day or local_date(found.appointment.starts_at or now, zone)
        windows = _windows(found, wanted)
        days: list[TechnicianDay] = []
        for location in await locations(session):
            read = await read_days(session, location, wanted - DAY, 2, now, without=appointment_id)
            days += [each for each in read if each.day == wanted or _reaches(each, windows)]
    await travel.fetch_legs(*required_legs(days))
    await fetch_between(travel, days, found.job)
    return await asyncio.to_thread(suggest, days, found.job, windows.windows, travel.times, now)


def _windows(found: ToPlace, day: date) -> CandidateWindows:
    zone = found.location.time_zone
    if found.promised is not None and local_date(found.promised[0], zone) == day:
        return CandidateWindows((found.promised,))
    return whole_day(day, zone, utc_now())


def _reaches(day: TechnicianDay, windows: CandidateWindows) -> bool:
    """Whether a shift of the evening before runs into the windows."""
    return any(end > window[0] for _, end in day.shifts for window in windows.windows)
