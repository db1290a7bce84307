"""Working days out of weekly rules: local hours, lunch and closures of a date become instants, and stops find their day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.local_time import Interval, LocalTime, OpeningHours, at_local, check_zone, open_intervals
from domain.slots import Lunch, Stop, Technician, TechnicianDay


@dataclass(frozen=True, slots=True)
class LunchRule:
    """A break of so many minutes between two local times, once a working day."""

    minutes: int
    earliest: LocalTime
    latest: LocalTime


@dataclass(frozen=True, slots=True)
class Roster:
    """What is known of a technician beyond one day.

    Args:
        zone: IANA name of the location's zone.
        hours: weekly working hours.
        closures: local dates on which the location is closed and no shift starts.
        time_off: in any order.
        stops: appointments that take the technician's time, in any order.
    """

    technician: Technician
    zone: str
    hours: tuple[OpeningHours, ...]
    lunch: LunchRule | None = None
    closures: frozenset[date] = frozenset()
    time_off: tuple[Interval, ...] = ()
    stops: tuple[Stop, ...] = ()


def working_days(roster: Roster, first: date, days: int) -> list[TechnicianDay]:
    """The technician's working days whose shifts start on `days` local dates from `first` on.

    A stop belongs to every working day that it overlaps, from the first shift's start to the last one's end, and else to the local
    date on which it starts. Each date has a working day, if need be one without shifts.

    Raises:
        ValueError: unknown zone.
    """
    dates = [first + timedelta(days=offset) for offset in range(days)]
    frames = [_frame(roster, day) for day in dates]
    stops = _stops_by_day(roster, dates, frames)
    return [
        TechnicianDay(
            technician=roster.technician,
            day=day,
            shifts=tuple(shifts),
            time_off=tuple(off for off in roster.time_off if any(_overlap(off, shift) for shift in shifts)),
            lunch=None if roster.lunch is None or not shifts else lunch_on(roster.lunch, day, roster.zone, shifts),
            stops=tuple(day_stops),
        )
        for day, shifts, day_stops in zip(dates, frames, stops, strict=True)
    ]


def lunch_on(rule: LunchRule, day: date, zone: str, shifts: Sequence[Interval]) -> Lunch:
    """Lunch of the working day that starts on a local date: its times are that date's, or the next one's after an overnight turn.

    Of an overnight shift, a lunch that would begin before the shift belongs to the morning after (22:00 to 06:00, lunch at 02:00).
    """
    start, end = min(shift[0] for shift in shifts), max(shift[1] for shift in shifts)
    lunch = _lunch(rule, day, zone)
    return lunch if lunch.latest > start else _later(lunch, _lunch(rule, day + timedelta(days=1), zone), end)


def _later(lunch: Lunch, next_day: Lunch, end: datetime) -> Lunch:
    return next_day if next_day.earliest < end else lunch


def _lunch(rule: LunchRule, day: date, zone: str) -> Lunch:
    latest_day = day + timedelta(days=1) if rule.latest < rule.earliest else day
    return Lunch(
        timedelta(minutes=rule.minutes), at_local(day, rule.earliest, zone), at_local(latest_day, rule.latest, zone)
    )


def _frame(roster: Roster, day: date) -> list[Interval]:
    return [] if day in roster.closures else open_intervals(day, roster.zone, roster.hours)


def _overlap(one: Interval, other: Interval) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _stops_by_day(roster: Roster, dates: Sequence[date], frames: Sequence[Sequence[Interval]]) -> list[list[Stop]]:
    zone = check_zone(roster.zone)
    by_day: list[list[Stop]] = [[] for _ in dates]
    envelopes = [(frame[0][0], frame[-1][1]) if frame else None for frame in frames]
    for stop in roster.stops:
        at_home = (stop.start.astimezone(zone).date() - dates[0]).days if dates else -1
        # Shifts start on their date and end on the next one at the latest, so that no other day can overlap.
        near = [index for index in range(at_home - 1, at_home + 2) if 0 <= index < len(dates)]
        overlapped = [
            index
            for index in near
            if (envelope := envelopes[index]) is not None and _overlap((stop.start, stop.end), envelope)
        ]
        for index in overlapped or [index for index in near if index == at_home]:
            by_day[index].append(stop)
    return by_day
