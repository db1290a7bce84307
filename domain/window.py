"""A span of time, as callers give it: aware instants, the end after the start."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import invalid
from domain.local_time import check_zone, is_nonexistent

LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` up to `end`; both aware."""

    start: datetime
    end: datetime


def checked_window(window: Window, zone: str, *path: str) -> Window:
    """The window, when it is one that a visit can have at a place in `zone`.

    Raises:
        Refusal: INVALID_INPUT when it is empty, reversed or longer than 24 hours, or when a time is written with the
            zone's own offset but names a moment that its clocks skip in spring.
    """
    for name, value in (("start", window.start), ("end", window.end)):
        if _skipped(value, zone):
            raise invalid(f"The clocks of {zone} skip that time.", *path, name)
    if window.end <= window.start:
        raise invalid("The end must be after the start.", *path, "end")
    if window.end - window.start > LONGEST:
        raise invalid("A window is at most 24 hours long.", *path, "end")
    return window


def _skipped(value: datetime, zone: str) -> bool:
    """Whether somebody wrote down a local time that never comes: 02:30-06:00 in a night that goes from 02:00 to 03:00.

    The same instant in UTC or in another offset is no local time of this place, so nothing is wrong with it.
    """
    wall = value.replace(tzinfo=None)
    if not is_nonexistent(wall, zone):
        return False
    info = check_zone(zone)
    around = {(wall + timedelta(hours=hours)).replace(tzinfo=info).utcoffset() for hours in (-3, 3)}
    return value.utcoffset() in around
