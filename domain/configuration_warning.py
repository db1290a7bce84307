"""Settings that would fail silently: each rule looks at what a business has entered and says what will not work."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from domain.address import Precision
from domain.geo_point import GeoPoint
from domain.ids import Prefix
from domain.local_time import OpeningHours
from domain.service_area import ServiceArea
from domain.slots_day import LunchRule


class WarningCode(StrEnum):
    """What is wrong; docs/warnings.md explains each code."""

    SKILL_NOBODY_HAS = "SKILL_NOBODY_HAS"
    SERVICE_LONGER_THAN_A_DAY = "SERVICE_LONGER_THAN_A_DAY"
    NOTHING_TO_BOOK = "NOTHING_TO_BOOK"
    LOCATION_WITHOUT_HOURS = "LOCATION_WITHOUT_HOURS"
    LOCATION_WITHOUT_PLACE = "LOCATION_WITHOUT_PLACE"
    LOCATION_IMPRECISE = "LOCATION_IMPRECISE"
    LOCATION_OUTSIDE_ITS_AREA = "LOCATION_OUTSIDE_ITS_AREA"
    LOCATION_WITHOUT_TECHNICIANS = "LOCATION_WITHOUT_TECHNICIANS"
    TIME_ZONE_MISMATCH = "TIME_ZONE_MISMATCH"
    WINDOW_LONGER_THAN_HOURS = "WINDOW_LONGER_THAN_HOURS"
    TECHNICIAN_WITHOUT_HOURS = "TECHNICIAN_WITHOUT_HOURS"
    HOURS_DO_NOT_MEET = "HOURS_DO_NOT_MEET"
    LUNCH_OUTSIDE_HOURS = "LUNCH_OUTSIDE_HOURS"
    SMS_WITHOUT_SENDER = "SMS_WITHOUT_SENDER"
    EMAIL_WITHOUT_SERVER = "EMAIL_WITHOUT_SERVER"
    TRAVEL_TIMES_ESTIMATED = "TRAVEL_TIMES_ESTIMATED"


class ConfigurationWarning(NamedTuple):
    """What will not work, and the object that it is about, if it is about one."""

    code: WarningCode
    message: str
    about: tuple[Prefix, UUID] | None = None


@dataclass(frozen=True, slots=True)
class LocationFacts:
    """A location as it is set up; `zone_fits` is None when its place is not known."""

    id: UUID
    name: str
    hours: tuple[OpeningHours, ...]
    window_minutes: int
    point: GeoPoint | None
    precision: Precision | None
    postal_code: str
    area: ServiceArea
    zone_fits: bool | None
    sms: bool
    email: bool


@dataclass(frozen=True, slots=True)
class TechnicianFacts:
    """An active technician."""

    id: UUID
    name: str
    location_id: UUID
    skills: frozenset[str]
    hours: tuple[OpeningHours, ...]
    lunch: LunchRule | None


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """A service that is offered."""

    id: UUID
    name: str
    skills: frozenset[str]
    minutes: int
    bookable_online: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at; `travel_trouble` tells why travel times are estimated although an engine is set up."""

    locations: Sequence[LocationFacts]
    technicians: Sequence[TechnicianFacts]
    services: Sequence[ServiceFacts]
    sms_sender: bool
    mail_server: bool
    travel_trouble: str | None = None


def warnings_of(facts: Facts) -> list[ConfigurationWarning]:
    """Everything that would fail silently: locations first, then technicians, then services."""
    found = [warning for location in facts.locations for warning in _location(location, facts)]
    found += [warning for technician in facts.technicians for warning in _technician(technician, facts)]
    found += list(_services(facts))
    if facts.travel_trouble is not None:
        found.append(
            ConfigurationWarning(
                WarningCode.TRAVEL_TIMES_ESTIMATED,
                f"The engine of travel times does not answer ({facts.travel_trouble}): times are estimated by distance.",
            )
        )
    return found


def _location(location: LocationFacts, facts: Facts) -> Iterator[ConfigurationWarning]:
    about, name = (Prefix.LOCATION, location.id), location.name
    longest = max((_length(span) for span in location.hours), default=0)
    checks: list[tuple[WarningCode, bool, str]] = [
        (WarningCode.LOCATION_WITHOUT_HOURS, not location.hours, f"{name} has no opening hours: no window is offered."),
        (
            WarningCode.WINDOW_LONGER_THAN_HOURS,
            bool(location.hours) and longest < location.window_minutes,
            f"{name} is never open for as long as an arrival window lasts: no window is offered.",
        ),
        (
            WarningCode.LOCATION_WITHOUT_PLACE,
            location.point is None,
            f"The address of {name} was not found on the map: technicians without a home base cannot be booked there.",
        ),
        (
            WarningCode.LOCATION_IMPRECISE,
            location.precision is Precision.POSTAL_CODE,
            f"Of {name} only the ZIP code's middle is known: travel times from there are rough. Give its coordinates.",
        ),
        (
            WarningCode.LOCATION_OUTSIDE_ITS_AREA,
            location.point is not None and not location.area.covers(location.point, location.postal_code),
            f"{name} lies outside of its own service area.",
        ),
        (
            WarningCode.TIME_ZONE_MISMATCH,
            location.zone_fits is False,
            f"The clocks of {name}'s time zone differ from those at its address.",
        ),
        (
            WarningCode.LOCATION_WITHOUT_TECHNICIANS,
            all(person.location_id != location.id for person in facts.technicians),
            f"{name} has no active technician: nothing can be booked there.",
        ),
        (
            WarningCode.SMS_WITHOUT_SENDER,
            location.sms and not facts.sms_sender,
            f"Texts are switched on for {name}, but no number is set up to send them from.",
        ),
        (
            WarningCode.EMAIL_WITHOUT_SERVER,
            location.email and not facts.mail_server,
            f"Emails are switched on for {name}, but no mail server is set up.",
        ),
    ]
    return (ConfigurationWarning(code, message, about) for code, wrong, message in checks if wrong)


def _technician(person: TechnicianFacts, facts: Facts) -> Iterator[ConfigurationWarning]:
    about, name = (Prefix.TECHNICIAN, person.id), person.name
    opening = next((each.hours for each in facts.locations if each.id == person.location_id), ())
    checks: list[tuple[WarningCode, bool, str]] = [
        (
            WarningCode.TECHNICIAN_WITHOUT_HOURS,
            not person.hours,
            f"{name} has no working hours: no window is offered with {name}.",
        ),
        (
            WarningCode.HOURS_DO_NOT_MEET,
            bool(person.hours and opening) and not any(_meet(one, other) for one in person.hours for other in opening),
            f"{name} never works while the location is open.",
        ),
        (
            WarningCode.LUNCH_OUTSIDE_HOURS,
            person.lunch is not None
            and bool(person.hours)
            and not all(_lunch_fits(person, day) for day in _days(person)),
            f"On some days {name}'s lunch does not fit into the working hours: nothing is offered on these days.",
        ),
    ]
    return (ConfigurationWarning(code, message, about) for code, wrong, message in checks if wrong)


def _services(facts: Facts) -> Iterator[ConfigurationWarning]:
    longest = max((_length(span) for person in facts.technicians for span in person.hours), default=0)
    for service in facts.services:
        about = (Prefix.SERVICE, service.id)
        if service.skills and not any(service.skills <= person.skills for person in facts.technicians):
            yield ConfigurationWarning(
                WarningCode.SKILL_NOBODY_HAS,
                f"No active technician has all skills that {service.name} needs: {', '.join(sorted(service.skills))}.",
                about,
            )
        if longest and service.minutes > longest:
            yield ConfigurationWarning(
                WarningCode.SERVICE_LONGER_THAN_A_DAY,
                f"{service.name} takes longer than anybody works in one stretch: it cannot be booked.",
                about,
            )
    if not any(service.bookable_online for service in facts.services):
        yield ConfigurationWarning(
            WarningCode.NOTHING_TO_BOOK, "No service can be booked online: the booking page is empty."
        )


def _length(span: OpeningHours) -> int:
    return span.closes - span.opens + (1440 if span.overnight else 0)


def _meet(one: OpeningHours, other: OpeningHours) -> bool:
    """Whether two spans of a week share a moment; a week is a circle."""
    start, end = _in_week(one)
    return any(
        start < other_end + turn and other_start + turn < end
        for other_start, other_end in [_in_week(other)]
        for turn in (-10_080, 0, 10_080)
    )


def _in_week(span: OpeningHours) -> tuple[int, int]:
    start = span.weekday * 1440 + span.opens
    return start, start + _length(span)


def _days(person: TechnicianFacts) -> set[int]:
    return {span.weekday for span in person.hours}


def _lunch_fits(person: TechnicianFacts, weekday: int) -> bool:
    """Whether lunch has room in one of a weekday's spans, or in a pause between them."""
    lunch = person.lunch
    if lunch is None:
        return True
    spans = sorted((span.opens, span.opens + _length(span)) for span in person.hours if span.weekday == weekday)
    first, last = spans[0][0], spans[-1][1]
    edges = sorted({first, last, *(edge for span in spans for edge in span)})
    for turn in (0, 1440):
        earliest, latest = lunch.earliest + turn, lunch.latest + turn
        for start, end in pairwise(edges):
            if min(end, latest) - max(start, earliest) >= lunch.minutes:
                return True
    return False
