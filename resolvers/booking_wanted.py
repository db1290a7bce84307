"""What somebody wants done: services of the catalog with their options, and the job that they make together."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from domain.address import Address
from domain.booking import FARTHEST, MOST_DAYS, MOST_SERVICES, Wanted
from domain.errors import invalid, not_found
from domain.local_time import local_date
from domain.slots import Job
from models.booking_portal import Catalog
from resolvers.appointment_line import LONGEST_VISIT
from resolvers.availability import job_at


def wanted_of(
    service_ids: Sequence[UUID | None], option_ids: Sequence[UUID | None], catalog: Catalog
) -> tuple[Wanted, ...]:
    """The services, each with the option that was chosen of it; a service that is named twice is done twice.

    Raises:
        Refusal: INVALID_INPUT, NOT_FOUND.
    """
    if not 1 <= len(service_ids) <= MOST_SERVICES:
        raise invalid(f"Choose 1 to {MOST_SERVICES} services.", "serviceIds")
    known = {service.id: {option.id for option in options} for service, options in catalog}
    for index, service_id in enumerate(service_ids):
        if service_id not in known:
            raise not_found("service to be booked", "serviceIds", str(index))
    counted = Counter(service_id for service_id in service_ids if service_id is not None)
    chosen: dict[UUID, UUID] = {}
    for index, option_id in enumerate(option_ids):
        owner = next((service_id for service_id in counted if option_id in known[service_id]), None)
        if owner is None or option_id is None:
            raise not_found("option of these services", "optionIds", str(index))
        if owner in chosen:
            raise invalid("Choose one option of a service.", "optionIds", str(index))
        chosen[owner] = option_id
    return tuple(Wanted(service_id, chosen.get(service_id), times) for service_id, times in counted.items())


def wanted_job(wanted: Iterable[Wanted], catalog: Catalog, address: Address) -> Job:
    """The job that they make at an address.

    Raises:
        Refusal: NOT_FOUND for a service or option that the catalog does not have any more; INVALID_INPUT when it takes too long.
    """
    services = {service.id: service for service, _ in catalog}
    options = {option.id: option for _, several in catalog for option in several}
    minutes, skills = 0, set[str]()
    for index, (service_id, option_id, quantity) in enumerate(wanted):
        if service_id not in services:
            raise not_found("service to be booked", "serviceIds", str(index))
        if option_id is not None and option_id not in options:
            raise not_found("option of these services", "optionIds")
        extra = options[option_id].duration_minutes if option_id else 0
        minutes += quantity * (services[service_id].duration_minutes + extra)
        skills |= set(services[service_id].required_skills)
    if minutes > LONGEST_VISIT:
        raise invalid("A visit takes at most 24 hours.", "serviceIds")
    return job_at(address, minutes, sorted(skills))


def checked_dates(first: date | None, days: int, zone: str, now: datetime) -> date:
    """The first date: today on the location's calendar where none is named, or where it is past.

    Raises:
        Refusal: INVALID_INPUT for too many days, or for days in a far future.
    """
    if not 1 <= days <= MOST_DAYS:
        raise invalid(f"Ask for 1 to {MOST_DAYS} days.", "days")
    today = local_date(now, zone)
    if first is not None and first > today + FARTHEST:
        raise invalid("That is more than a year ahead.", "from")
    return today if first is None else max(first, today)
