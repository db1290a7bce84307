"""Searching for windows that can be kept: the days of a location, the travel times that it takes, and the search itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from domain.address import Address
from domain.geo_point import GeoPoint, points_array
from domain.local_time import local_date
from domain.slots import Job, SlotSearch, TechnicianDay
from domain.slots_explain import search
from domain.slots_prepare import Schedule, prepare, required_legs
from domain.slots_windows import CandidateWindows
from domain.travel import TravelTimes
from integrations.travel_time import TravelEngine
from models.availability import calendar_state
from models.database import Database, Transaction
from models.location import Location
from resolvers.calendar import DAY, read_days, utc_now
from resolvers.planning import Planning, Prepared, coming_step

# What the booking page asks for when nobody chose otherwise: today and 13 more days. The date before, since its shifts may end today.
USUAL_DAYS = 14


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search; `anybody_skilled` tells whether any technician has the job's skills."""

    search: SlotSearch
    anybody_skilled: bool


def job_at(address: Address, minutes: int, skills: Sequence[str]) -> Job:
    """A job of so many minutes at an address whose place is known, or None."""
    point = address.point if isinstance(address.point, GeoPoint) else None
    return Job(point, timedelta(minutes=minutes), frozenset(skills), address.postal_code)


async def ready_days(
    planning: Planning, database: Database, tenant_id: UUID, location: Location, first: date, days: int
) -> Prepared:
    """The days of a location, prepared: those on which windows of `days` dates from `first` on can be served."""
    now = coming_step(utc_now())
    today = local_date(now, location.time_zone)
    if first >= today and first + days * DAY <= today + USUAL_DAYS * DAY:
        # Most who ask look at a part of the same two weeks.
        first, days = today, USUAL_DAYS
    async with database.tenant(tenant_id) as session:
        state = await calendar_state(session, tenant_id, location.id)

    async def make() -> Prepared:
        async with database.snapshot(tenant_id) as session:
            seen = await calendar_state(session, tenant_id, location.id)
            read = await read_days(session, location, first - DAY, days + 2, now)
        return Prepared(seen, now, read, await prepared(planning.travel, read, now))

    return await planning.schedules.get((tenant_id, location.id, first, days), state, now, make)


async def prepared(travel: TravelEngine, days: Sequence[TechnicianDay], now: datetime) -> Schedule:
    """Days made ready for searches, off the event loop."""
    await travel.fetch_legs(*required_legs(days))
    return await asyncio.to_thread(prepare, days, travel.times, now)


async def search_in(travel: TravelEngine, ready: Prepared, job: Job, windows: CandidateWindows) -> Found:
    """The windows that somebody can make, or why there is none. Never in a transaction: the travel engine may be asked."""
    await fetch_around(travel, ready, job)
    return await searched(travel.times, ready, job, windows)


async def fetch_around(travel: TravelEngine, ready: Prepared, job: Job) -> None:
    """Have the times between a job and all places of the days ready."""
    if job.point is not None:
        place, places = points_array([job.point]), ready.schedule.places()
        await travel.fetch_matrix(places, place)
        await travel.fetch_matrix(place, places)


async def fetch_between(travel: TravelEngine, days: Sequence[TechnicianDay], job: Job) -> None:
    """Have the times between a job and all places of the days ready."""
    known = {day.technician.home for day in days} | {stop.point for day in days for stop in day.stops}
    places = points_array(point for point in known if point is not None)
    if job.point is not None and len(places):
        await travel.fetch_matrix(places, points_array([job.point]))
        await travel.fetch_matrix(points_array([job.point]), places)


async def searched(times: TravelTimes, ready: Prepared, job: Job, windows: CandidateWindows) -> Found:
    """The search itself, off the event loop."""
    found = await asyncio.to_thread(search, ready.days, job, windows, times, ready.now, ready.schedule)
    return Found(found, any(job.skills <= technician.skills for technician in ready.schedule.technicians))


async def read_ready(
    times: TravelTimes,
    session: Transaction,
    location: Location,
    first: date,
    days: int,
    *,
    only: UUID | None = None,
    without: UUID | None = None,
) -> Prepared:
    """The same as `ready_days`, read in a transaction and not kept; see `read_days` for `only` and `without`."""
    now = utc_now()
    read = await read_days(session, location, first - DAY, days + 2, now, only=only, without=without)
    return Prepared("", now, read, await asyncio.to_thread(prepare, read, times, now))
