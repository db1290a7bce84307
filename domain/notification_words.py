"""What the variables of templates stand for, in the words and the local time of the customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.local_time import check_zone

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of an appointment, as its messages tell it. Instants are aware; `zone` is the location's."""

    business_name: str
    business_phone: str | None
    location_name: str
    zone: str
    customer_name: str
    number: int
    starts_at: datetime | None
    ends_at: datetime | None
    address: str
    services: str
    technician_name: str | None
    eta: datetime | None


def words_of(visit: Visit, tracking_url: str) -> Mapping[str, str]:
    """The value of each variable of `domain.notification_template.VARIABLES`, each one line of text."""
    begins = visit.starts_at and _clock(visit.starts_at, visit.zone)
    ends = visit.ends_at and _clock(visit.ends_at, visit.zone)
    found = {
        "business_name": visit.business_name,
        "business_phone": visit.business_phone or "",
        "location_name": visit.location_name,
        "customer_name": visit.customer_name,
        "customer_first_name": first_name(visit.customer_name),
        "number": str(visit.number),
        "date": _day(visit.starts_at, visit.zone) if visit.starts_at else "",
        "time": begins or "",
        "window": f"{begins} to {ends}" if begins and ends else "",
        "address": visit.address,
        "services": visit.services,
        "technician_name": first_name(visit.technician_name) if visit.technician_name else "Your technician",
        "eta": f"at {_clock(visit.eta, visit.zone)}" if visit.eta else "soon",
        "tracking_url": tracking_url,
    }
    # A value with a line break could begin a new header, or say something in the name of the business.
    return {name: " ".join(value.split()) for name, value in found.items()}


def first_name(name: str) -> str:
    """The first word of a name."""
    return name.split(maxsplit=1)[0] if name.strip() else ""


def _day(instant: datetime, zone: str) -> str:
    local = instant.astimezone(check_zone(zone))
    return f"{_WEEKDAYS[local.weekday()]}, {_MONTHS[local.month - 1]} {local.day}"


def _clock(instant: datetime, zone: str) -> str:
    local = instant.astimezone(check_zone(zone))
    return f"{local.hour % 12 or 12}:{local.minute:02d} {'AM' if local.hour < 12 else 'PM'}"
