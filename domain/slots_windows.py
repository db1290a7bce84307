"""The arrival windows that a location could offer on given local days, before anybody's calendar is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from domain.local_time import END_OF_DAY, Interval, LocalTime, OpeningHours, at_local, local_day
from domain.slots import Obstacle


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How a location cuts its opening hours into arrival windows.

    Args:
        zone: IANA name.
        hours: weekly opening hours; every arrival window lies in them (the work itself may go on longer).
        length: minutes by the clock on the wall.
        step: minutes from one window's start to the next one's; as long as a window when None.
        notice: minutes between now and the start of the first window that can be offered.
        closures: local dates on which no window starts.

    Raises:
        ValueError: a length or step that is not positive, or a negative notice.
    """

    zone: str
    hours: tuple[OpeningHours, ...]
    length: int
    step: int | None = None
    notice: int = 0
    closures: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.length < 1 or (self.step is not None and self.step < 1) or self.notice < 0:
            raise ValueError("windows need a positive length and step, and a notice that is not negative")


class CandidateWindows(NamedTuple):
    """Windows ascending in start and in end; when there is none, why."""

    windows: tuple[Interval, ...]
    obstacle: Obstacle | None = None


def candidate_windows(rule: WindowRule, first: date, days: int, now: datetime) -> CandidateWindows:
    """Windows that start on `days` local dates from `first` on.

    They begin at the opening and follow each other by the clock on the wall: 08:00, 10:00, 12:00 on every day of the year, also
    where the clock changes. A remainder of the opening hours that is shorter than a window is not offered. A window that a clock
    change leaves without length is left out.

    Raises:
        ValueError: unknown zone.
    """
    earliest = now + timedelta(minutes=rule.notice)
    cut = [window for offset in range(days) for window in _windows_of_day(rule, first + timedelta(days=offset))]
    kept = _ascending([window for window in cut if window[0] >= earliest])
    if kept:
        return CandidateWindows(kept)
    return CandidateWindows((), Obstacle.NOTICE if cut else Obstacle.OUTSIDE_HOURS)


def whole_day(day: date, zone: str, now: datetime) -> CandidateWindows:
    """One window: what is left of a local date at `now`. Dispatchers may place a job at any time of it.

    Raises:
        ValueError: unknown zone.
    """
    start, end = local_day(day, zone)
    start, last = max(start, now), end - timedelta(seconds=1)
    return CandidateWindows(((start, last),)) if start <= last else CandidateWindows((), Obstacle.NOTICE)


def _windows_of_day(rule: WindowRule, day: date) -> list[Interval]:
    if day in rule.closures:
        return []
    step = rule.step or rule.length
    windows = [
        (_instant(day, minute, rule.zone), _instant(day, minute + rule.length, rule.zone))
        for opens, closes in _spans(rule.hours, day.weekday())
        for minute in range(opens, closes - rule.length + 1, step)
    ]
    return [(start, end) for start, end in windows if start < end]


def _spans(hours: Sequence[OpeningHours], weekday: int) -> list[tuple[LocalTime, int]]:
    """Opening and closing in minutes since the day's midnight, overnight ones beyond 1440; touching spans joined."""
    spans: list[tuple[int, int]] = []
    for span in sorted(hours):
        if span.weekday != weekday:
            continue
        closes = span.closes + END_OF_DAY if span.overnight else span.closes
        if spans and span.opens <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], closes))
        else:
            spans.append((span.opens, closes))
    return spans


def _instant(day: date, minute: int, zone: str) -> datetime:
    days, minute = divmod(minute, END_OF_DAY)
    return at_local(day + timedelta(days=days), minute, zone)


def _ascending(windows: list[Interval]) -> tuple[Interval, ...]:
    """In order, without those that another one contains: hours of one day may run into those of the next."""
    kept: list[Interval] = []
    for window in sorted(windows, key=lambda pair: (pair[0], -pair[1].timestamp())):
        if not kept or window[1] > kept[-1][1]:
            kept.append(window)
    return tuple(kept)
