"""Quiet hours: local hours in which nothing but ON_THE_WAY is sent; what falls in them waits until they end."""

from datetime import datetime, timedelta

from domain.errors import invalid
from domain.local_time import at_local, local_date, parse_local_time
from domain.notification import NotificationEvent

# Somebody who waits at the door wants to know at any hour.
NEVER_QUIET = frozenset({NotificationEvent.ON_THE_WAY})


def after_quiet_hours(instant: datetime, start: str | None, end: str | None, zone: str) -> datetime:
    """The instant itself, or when it lies in quiet hours, their end (UTC).

    Args:
        instant: aware.
        start: HH:MM by the clock of the zone; an end at or before it is on the next day. Either None: no quiet hours.
        end: HH:MM.
        zone: the location's.
    """
    if start is None or end is None:
        return instant
    begins, ends = parse_local_time(start), parse_local_time(end)
    today = local_date(instant, zone)
    # Hours that began on the day before may still last.
    for day in (today - timedelta(days=1), today):
        until = at_local(day if ends > begins else day + timedelta(days=1), ends, zone)
        if at_local(day, begins, zone) <= instant < until:
            return until
    return instant


def send_time(event: NotificationEvent, due: datetime, start: str | None, end: str | None, zone: str) -> datetime:
    """When a message that is due may go out."""
    return due if event in NEVER_QUIET else after_quiet_hours(due, start, end, zone)


def checked_quiet_hours(start: str | None, end: str | None) -> None:
    """Both or none, and not equal.

    Raises:
        Refusal: INVALID_INPUT.
    """
    if (start is None) != (end is None):
        raise invalid(
            "Quiet hours need a start and an end, or neither.", "quietHoursStart" if start is None else "quietHoursEnd"
        )
    if start is not None and end is not None and parse_local_time(start) % 1440 == parse_local_time(end) % 1440:
        raise invalid("Quiet hours that start when they end would last for a day or for nothing.", "quietHoursEnd")
