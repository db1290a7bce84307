"""When somebody can be there, for the office: the same search as the booking page's, without notice, and with the candidates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from domain.address import Address, checked_address
from domain.booking import nothing_offered
from domain.errors import invalid, not_found
from domain.slots import Job, OfferedWindow
from domain.slots_windows import candidate_windows
from models.booking_portal import active_services
from models.location import Location
from models.query import by_ids
from resolvers.appointment_job import read_job
from resolvers.availability import fetch_around, read_ready, ready_days, searched
from resolvers.booking_portal import outside_area
from resolvers.booking_wanted import checked_dates, wanted_job, wanted_of
from resolvers.calendar import place_of, utc_now
from resolvers.caller import Caller
from resolvers.geocoding import located, not_on_the_map
from resolvers.planning import Planning


@dataclass(frozen=True, slots=True)
class NewVisit:
    """A visit that is not an appointment yet."""

    location_id: UUID
    service_ids: Sequence[UUID | None]
    option_ids: Sequence[UUID | None]
    address: Address


async def appointment_windows(
    caller: Caller, planning: Planning, what: UUID | NewVisit, first: date | None, days: int
) -> Sequence[OfferedWindow]:
    """The windows that somebody can make.

    Args:
        what: an appointment that is to be moved, or a visit that is to be made.

    Raises:
        Refusal: INVALID_INPUT, NOT_FOUND; ADDRESS_NOT_FOUND, OUT_OF_SERVICE_AREA, OUTSIDE_HOURS, MISSING_SKILL or
            TECHNICIAN_UNAVAILABLE when there is no window.
    """
    location, job = await _job(caller, planning, what)
    place, now = place_of(location), utc_now()
    first = checked_dates(first, days, place.zone, now)
    if job.point is None:
        raise not_on_the_map()
    if not place.area.covers(job.point, job.postal_code):
        raise outside_area()
    windows = candidate_windows(replace(place.rule, notice=0), first, days, now)
    if isinstance(what, UUID):
        async with caller.reading() as session:
            ready = await read_ready(planning.travel.times, session, location, first, days, without=what)
    else:
        ready = await ready_days(planning, caller.database, caller.tenant_id, location, first, days)
    await fetch_around(planning.travel, ready, job)
    found = await searched(planning.travel.times, ready, job, windows)
    if not found.search.windows:
        raise nothing_offered(found.search.obstacles, anybody_skilled=found.anybody_skilled)
    return found.search.windows


async def _job(caller: Caller, planning: Planning, what: UUID | NewVisit) -> tuple[Location, Job]:
    async with caller.reading() as session:
        if isinstance(what, UUID):
            found = await read_job(session, what, "input", "appointmentId")
            return found.location, found.job
        location = (await by_ids(session, Location, [what.location_id])).get(what.location_id)
        if location is None:
            raise not_found("location", "locationId")
        catalog = await active_services(session, [each for each in what.service_ids if each is not None])
    wanted = wanted_of(what.service_ids, what.option_ids, catalog)
    secret = caller.settings.secret_key.get_secret_value()
    address = await located(planning, caller.database, secret, checked_address(what.address, "address"))
    return location, wanted_job(wanted, catalog, address)


def what_is_asked(
    appointment_id: UUID | None,
    location_id: UUID | None,
    service_ids: Sequence[UUID | None] | None,
    option_ids: Sequence[UUID | None] | None,
    address: Address | None,
) -> UUID | NewVisit:
    """Either an appointment, or a location with services and an address.

    Raises:
        Refusal: INVALID_INPUT when it is neither, or both.
    """
    if appointment_id is not None:
        if location_id is not None or service_ids is not None or option_ids is not None or address is not None:
            raise invalid("Name an appointment, or what is to be done and where, but not both.", "appointmentId")
        return appointment_id
    if location_id is None or service_ids is None or address is None:
        raise invalid("Name an appointment, or a location, services and an address.", "appointmentId")
    return NewVisit(location_id, service_ids, option_ids or (), address)
