"""Working days as the rules of `domain.slots` want them, out of the tables: who works at a location, when, and what is planned."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from domain.appointment import AppointmentStatus
from domain.geo_point import GeoPoint
from domain.local_time import hours_from_json, local_day, parse_local_time
from domain.service_area import ServiceArea
from domain.slots import Stop, Technician, TechnicianDay
from domain.slots_day import LunchRule, Roster, working_days
from domain.slots_windows import WindowRule
from models.availability import PlannedVisit, crew, planned_visits
from models.database import Transaction
from models.location import Location
from models.technician import Technician as TechnicianRow
from models.technician import TimeOff, time_off_of
from resolvers.grouping import grouped

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
UNDER_WAY = frozenset({AppointmentStatus.ON_THE_WAY, AppointmentStatus.IN_PROGRESS})
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A location as the rules see it."""

    id: UUID
    zone: str
    point: GeoPoint | None
    area: ServiceArea
    rule: WindowRule
    closures: frozenset[date]


def place_of(location: Location) -> Place:
    """The rules of a location's row."""
    point = point_of(location.latitude, location.longitude)
    closures = frozenset(date.fromisoformat(closure["date"]) for closure in location.closures)
    return Place(
        id=location.id,
        zone=location.time_zone,
        point=point,
        area=ServiceArea(
            center=point,
            radius_km=location.service_radius_km,
            polygon=tuple(GeoPoint(*corner) for corner in location.service_polygon or ()),
            postal_codes=tuple(location.service_postal_codes),
        ),
        rule=WindowRule(
            zone=location.time_zone,
            hours=hours_from_json(location.opening_hours),
            length=location.arrival_window_minutes,
            notice=location.minimum_notice_minutes,
            closures=closures,
        ),
        closures=closures,
    )


async def read_days(
    session: Transaction,
    location: Location,
    first: date,
    days: int,
    now: datetime,
    *,
    only: UUID | None = None,
    without: UUID | None = None,
) -> tuple[TechnicianDay, ...]:
    """The working days of a location's active technicians whose shifts start on `days` local dates from `first` on.

    Args:
        only: this technician's alone.
        without: an appointment that is left out, since it is to be placed anew.
    """
    people = [person for person in await crew(session, location.id) if only in (None, person.id)]
    return await days_of(session, location, people, first, days, now, without=without)


async def days_of(
    session: Transaction,
    location: Location,
    people: Sequence[TechnicianRow],
    first: date,
    days: int,
    now: datetime,
    *,
    without: UUID | None = None,
) -> tuple[TechnicianDay, ...]:
    """The same of these technicians."""
    place, ids = place_of(location), [person.id for person in people]
    # A shift may end on the date after the one on which it starts.
    start, end = local_day(first, place.zone)[0], local_day(first + days * DAY, place.zone)[1]
    off = grouped(await time_off_of(session, ids, start, end), lambda row: row.technician_id)
    visits = grouped(await planned_visits(session, ids, start, end), lambda row: row.technician_id)
    # Thousands of stops are the work of a tenth of a second: not for the event loop.
    return await asyncio.to_thread(_working_days, place, people, off, visits, first, days, now, without)


def _working_days(
    place: Place,
    people: Sequence[TechnicianRow],
    off: Mapping[UUID, Sequence[TimeOff]],
    visits: Mapping[UUID | None, Sequence[PlannedVisit]],
    first: date,
    days: int,
    now: datetime,
    without: UUID | None,
) -> tuple[TechnicianDay, ...]:
    rosters = [
        Roster(
            technician=technician_of(person, place),
            zone=place.zone,
            hours=hours_from_json(person.working_hours),
            lunch=lunch_of(person),
            closures=place.closures,
            time_off=tuple((row.starts_at, row.ends_at) for row in off.get(person.id, [])),
            stops=_stops([visit for visit in visits.get(person.id, []) if visit.id != without], now),
        )
        for person in people
    ]
    return tuple(day for roster in rosters for day in working_days(roster, first, days))


def _stops(visits: Sequence[PlannedVisit], now: datetime) -> tuple[Stop, ...]:
    return tuple(stop for stop in (stop_of(visit, now) for visit in _ahead(visits)) if stop is not None)


def _ahead(visits: Sequence[PlannedVisit]) -> list[PlannedVisit]:
    """What is not done; and of what is done the last visit, if it is from there that the technician will drive on.

    How long earlier drives really took is no longer a question, and must not make a day look as if it could not be kept.
    """
    ahead = [visit for visit in visits if visit.status is not AppointmentStatus.COMPLETED]
    if any(visit.status in UNDER_WAY for visit in ahead):
        return ahead
    done = [visit for visit in visits if visit.completed_at is not None and visit not in ahead]
    return [*ahead, *sorted(done, key=lambda visit: visit.completed_at or visit.ends_at or EARLIEST)[-1:]]


def technician_of(person: TechnicianRow, place: Place) -> Technician:
    """A technician's row as the rules see it: without a home base the day starts and ends at the location."""
    home = point_of(person.home_latitude, person.home_longitude)
    return Technician(person.id, frozenset(person.skills), home or place.point, place.area)


def stop_of(visit: PlannedVisit, now: datetime) -> Stop | None:
    """The visit as a stop of somebody's day; None when it has no time.

    It covers at least the time that the table keeps free for it, so that nothing is offered that the table would refuse. What is
    under way ends when it is expected to; what is done is where the technician comes from.
    """
    starts_at, ends_at = visit.starts_at, visit.ends_at
    if starts_at is None or ends_at is None:
        return None
    length = timedelta(minutes=visit.duration_minutes)
    match visit.status:
        case AppointmentStatus.COMPLETED:
            starts_at = visit.started_at or starts_at
            ends_at = max(visit.completed_at or ends_at, starts_at + SECOND)
        case AppointmentStatus.IN_PROGRESS:
            starts_at = visit.started_at or starts_at
            ends_at = max(ends_at, starts_at + length, now, starts_at + SECOND)
        case AppointmentStatus.ON_THE_WAY if visit.eta is not None:
            starts_at = max(visit.eta, starts_at)
            ends_at = max(ends_at, starts_at + length)
        case _:
            pass
    promised = None
    if visit.arrival_starts_at is not None and visit.arrival_ends_at is not None:
        promised = (visit.arrival_starts_at, visit.arrival_ends_at)
    return Stop(
        id=visit.id,
        point=point_of(visit.latitude, visit.longitude),
        start=starts_at,
        end=ends_at,
        promised=promised,
        fixed=visit.status is not AppointmentStatus.SCHEDULED,
    )


def point_of(latitude: float | None, longitude: float | None) -> GeoPoint | None:
    """A place, if both of its coordinates are known."""
    return None if latitude is None or longitude is None else GeoPoint(latitude, longitude)


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def lunch_of(person: TechnicianRow) -> LunchRule | None:
    """A technician's lunch as the rules see it."""
    if person.lunch is None:
        return None
    return LunchRule(
        person.lunch["durationMinutes"],
        parse_local_time(person.lunch["earliest"]),
        parse_local_time(person.lunch["latest"]),
    )
