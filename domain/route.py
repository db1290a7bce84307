"""One working day's route in a given order: whether it can be kept, and when each visit then starts.

The rules are those of `domain.slots`: visits within one stretch of working time, drives that pauses and lunch may interrupt, lunch
once. Where there is a choice, a visit keeps its planned start; else it moves as little as what comes after it allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

from domain.geo_point import GeoPoint, points_array
from domain.local_time import Interval
from domain.slots import Lunch, Stop
from domain.travel import TravelTimes
from domain.work_clock import Span, WorkClock, ceil_second, ceil_seconds, floor_second, pauses, working_spans


@dataclass(frozen=True, slots=True)
class Visit:
    """A stop of a route, in whole seconds.

    Args:
        length: seconds of work.
        first: earliest start, in seconds since the epoch.
        last: latest start; it belongs to the choice.
        planned: the start that it keeps if possible; None when any does as well, the earliest then.
        depart: when the drive to it can begin at the earliest, for what nobody knew of before; None when nothing holds it up.
    """

    id: UUID
    point: GeoPoint | None
    length: int
    first: int
    last: int
    planned: int | None = None
    depart: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What a working day allows: its clock and, when lunch needs working time, its length and first and last start (readings)."""

    clock: WorkClock
    lunch: tuple[int, int, int] | None

    @classmethod
    def of(cls, shifts: Sequence[Interval], time_off: Sequence[Interval], lunch: Lunch | None) -> "Frame":
        """The frame of shifts less time off."""
        spans = working_spans(shifts, time_off)
        clock = WorkClock.of(spans)
        return cls(clock, None if lunch is None else _lunch(lunch, clock, pauses(shifts, spans)))

    @property
    def lunches(self) -> list[Span]:
        """First and last start (readings) of lunch in each stretch of working time that has room for it."""
        if self.lunch is None:
            return []
        length, first, last = self.lunch
        bounds = pairwise(self.clock.readings)
        stretches = [(max(first, start), min(last, end - length)) for start, end in bounds]
        return [(start, end) for start, end in stretches if start <= end]

    @property
    def usable(self) -> bool:
        """Whether there is working time, and room for lunch if there has to be."""
        return self.clock.total > 0 and (self.lunch is None or bool(self.lunches))


def _lunch(lunch: Lunch, clock: WorkClock, idle: Sequence[Span]) -> tuple[int, int, int] | None:
    length = ceil_seconds(lunch.duration)
    earliest, latest = ceil_second(lunch.earliest), floor_second(lunch.latest)
    if any(min(end, latest) - max(start, earliest) >= length for start, end in idle):
        return None
    return length, clock.at(earliest), clock.last_start(latest - length)


def fixed_visit(stop: Stop) -> Visit:
    """The stop at its planned start and nowhere else."""
    start = floor_second(stop.start)
    return Visit(stop.id, stop.point, ceil_second(stop.end) - start, start, start, start)


class _Bounds(NamedTuple):
    """Latest starts (readings) of all visits with lunch in gap `lunch_gap`, and the latest start of lunch."""

    lunch_gap: int | None
    latest: list[int]
    lunch_latest: int


def settle(frame: Frame, visits: Sequence[Visit], home: GeoPoint | None, travel: TravelTimes) -> list[int] | None:
    """Starts, in seconds since the epoch, of visits in their given order, from home and back; None when that cannot be kept.

    Of all places for lunch, the one is taken that moves the fewest visits, then by the least. The drive from or to a place that is
    not known counts as none.
    """
    if not visits:
        return []
    legs = drives([home, *(visit.point for visit in visits), home], travel)
    choices = [None] if frame.lunch is None else range(len(visits) + 1)
    best: tuple[tuple[int, int], list[int]] | None = None
    for lunch_gap in choices:
        bounds = _latest(frame, visits, legs, lunch_gap)
        starts = None if bounds is None else _earliest(frame, visits, legs, bounds)
        if starts is not None:
            shifts = [
                abs(start - visit.planned)
                for start, visit in zip(starts, visits, strict=True)
                if visit.planned is not None
            ]
            cost = (sum(shift > 0 for shift in shifts), sum(shifts))
            best = min(best, (cost, starts)) if best else (cost, starts)
    return best[1] if best else None


def drives(nodes: Sequence[GeoPoint | None], travel: TravelTimes) -> list[int]:
    """Seconds from each place to the next; 0 where either is not known."""
    pairs = [(index, a, b) for index, (a, b) in enumerate(pairwise(nodes)) if a is not None and b is not None]
    legs = [0] * (len(nodes) - 1)
    if pairs:
        times = travel.legs(points_array(a for _, a, _ in pairs), points_array(b for _, _, b in pairs))
        for (index, _, _), seconds in zip(pairs, times.tolist(), strict=True):
            legs[index] = seconds
    return legs


def _latest(frame: Frame, visits: Sequence[Visit], legs: Sequence[int], lunch_gap: int | None) -> _Bounds | None:
    clock, due, lunch_latest = frame.clock, frame.clock.total, 0
    latest = [0] * len(visits)
    for index in reversed(range(len(visits) + 1)):
        leave = due - legs[index]
        if frame.lunch is not None and index == lunch_gap:
            length, first, last = frame.lunch
            cap = last
            if index < len(visits) and leave - length < _reading(clock, visits[index].depart):
                cap = min(last, leave - length)
            start = clock.last_fit(min(due - length, cap), length)
            if start is None or start < first:
                return None
            lunch_latest, leave = start, min(start, leave - length)
        if index == 0:
            return _Bounds(lunch_gap, latest, lunch_latest) if leave >= 0 else None
        visit = visits[index - 1]
        begin = clock.last_fit(min(clock.last_start(visit.last), leave - visit.length), visit.length)
        if begin is None or begin < clock.at(visit.first):
            return None
        latest[index - 1] = due = begin
    raise AssertionError("the loop ends at home")


def _reading(clock: WorkClock, second: int | None) -> int:
    return 0 if second is None else clock.at(second)


def _earliest(frame: Frame, visits: Sequence[Visit], legs: Sequence[int], bounds: _Bounds) -> list[int] | None:
    """Starts as near to the planned ones as the latest starts allow; the latest starts make sure that there always is one."""
    clock, ready, starts = frame.clock, 0, []
    for index, visit in enumerate(visits):
        depart = max(ready, _reading(clock, visit.depart))
        arrive = depart + legs[index]
        if frame.lunch is not None and index == bounds.lunch_gap:
            length, first, _ = frame.lunch
            eat = clock.first_fit(max(ready, first), length)
            if eat is None or eat > bounds.lunch_latest:
                return None
            # Of a lunch that began before the drive could, only what is left of it delays the drive.
            arrive = max(eat + length, arrive + min(max(eat + length - depart, 0), length))
        wanted = arrive if visit.planned is None else clock.at(visit.planned)
        begin = clock.first_fit(max(arrive, clock.at(visit.first), min(wanted, bounds.latest[index])), visit.length)
        if begin is None or begin > bounds.latest[index]:
            return None
        starts.append(clock.start_of(begin))
        ready = begin + visit.length
    return starts
