"""Finding a job its place under the lock: the check that makes a promise of an offer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.local_time import Interval, local_date
from domain.slots import Job, TechnicianDay
from domain.slots_place import Placement, place
from domain.slots_windows import CandidateWindows
from domain.travel import TravelTimes
from models.appointment import Appointment, lock_appointments
from models.database import Transaction
from models.location import Location
from models.technician import hold_technicians
from resolvers.availability import read_ready, searched
from resolvers.calendar import DAY, read_days, utc_now

# How often a day may turn out to need other stops to slide than those that are locked, before it counts as taken.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Placed:
    """Whose day it is and when; `moved` are the appointments, locked, that slide inside their promises to make room."""

    technician_id: UUID
    placement: Placement
    moved: Sequence[tuple[Appointment, Interval]]


async def place_job(
    session: Transaction, times: TravelTimes, location: Location, job: Job, window: Interval
) -> Placed | None:
    """A place in the window; None when nobody can make it any more. The technician's row stays locked until the end.

    Args:
        times: what is known of travel times. No engine is asked here, where rows are locked.
    """
    first = local_date(window[0], location.time_zone)
    ready = await read_ready(times, session, location, first, 1)
    found = await searched(times, ready, job, CandidateWindows((window,)))
    for offered in found.search.windows:
        for candidate in offered.candidates:
            placed = await _with(session, times, location, job, window, candidate.technician_id)
            if placed is not None:
                return placed
    return None


async def _with(
    session: Transaction, times: TravelTimes, location: Location, job: Job, window: Interval, technician_id: UUID
) -> Placed | None:
    """The place in one technician's day, as it is once nobody else can change it.

    Rows are locked in the order of every other change, appointments before technicians, or two of them deadlock. Which
    appointments have to slide shows only under the lock, so those of the last try are locked first in the next one.
    """
    first, sliding = local_date(window[0], location.time_zone), set[UUID]()
    for _ in range(TRIES):
        # A savepoint that is rolled back lets go of the locks: whoever is not needed is not held up.
        savepoint = await session.begin_nested()
        locked = await lock_appointments(session, sliding)
        technician = (await hold_technicians(session, [technician_id])).get(technician_id)
        placement = None
        if technician is not None and technician.active:
            now = utc_now()
            days = await read_days(session, location, first - DAY, 3, now, only=technician_id)
            placement = await asyncio.to_thread(_earliest, days, job, window, times)
        moved = [(locked.get(move.stop_id), (move.start, move.end)) for move in placement.moves] if placement else []
        known = [(row, times_) for row, times_ in moved if row is not None]
        if placement is not None and len(known) == len(moved):
            await savepoint.commit()
            return Placed(technician_id, placement, known)
        await savepoint.rollback()
        if placement is None:
            return None
        sliding = {move.stop_id for move in placement.moves}
    return None


def _earliest(days: Sequence[TechnicianDay], job: Job, window: Interval, times: TravelTimes) -> Placement | None:
    now = utc_now()
    tried = [place(day, job, window, times, now) for day in days]
    return min((each for each in tried if isinstance(each, Placement)), default=None)
