"""Placing a job into one working day: the check that a booking repeats under the lock, and what slides to make room."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

import numpy as np

from domain.geo_point import GeoPoint
from domain.local_time import Interval
from domain.route import Frame, Visit, drives, fixed_visit, settle
from domain.slots import Job, Obstacle, Stop, TechnicianDay
from domain.slots_explain import obstacles
from domain.slots_insert import able, insertions, serve
from domain.slots_prepare import Schedule, prepare
from domain.travel import TravelTimes
from domain.work_clock import ceil_second, ceil_seconds, floor_second, instant_of

_JOB = UUID(int=0)


class Move(NamedTuple):
    """A stop that slides inside its promised window."""

    stop_id: UUID
    start: datetime
    end: datetime


class Placement(NamedTuple):
    """When the job is done, the driving in seconds that it adds, and the stops that slide for it."""

    start: datetime
    end: datetime
    added_travel: int
    moves: tuple[Move, ...]


def place(
    day: TechnicianDay, job: Job, window: Interval, travel: TravelTimes, now: datetime | None = None
) -> Placement | tuple[Obstacle, ...]:
    """The earliest start in the window that leaves all other stops where they are, else the earliest at all; or why there is none.

    Args:
        window: the arrival window; its end belongs to it.
    """
    if job.point is not None and able(day.technician, job):
        still = replace(day, stops=tuple(replace(stop, fixed=True) for stop in day.stops))
        kept = bool(prepare([day], travel, now).kept[0])
        for attempt in (still, day):
            schedule = prepare([attempt], travel, now)
            # Where stops have to slide to be kept at all, standing still would not show whether they still can.
            if bool(schedule.kept[0]) == kept:
                start = _first_start(schedule, job, job.point, window, travel)
                if start is not None:
                    return _settled(attempt, kept, job, start, travel, now)
    return obstacles([day], job, [window], travel, now)[0]


def _first_start(schedule: Schedule, job: Job, point: GeoPoint, window: Interval, travel: TravelTimes) -> int | None:
    found = insertions(schedule, job, point, travel, np.ones(1, dtype=np.bool_))
    starts = serve(found, [window]).start
    return int(starts.min()) if len(starts) else None


def _settled(
    day: TechnicianDay, kept: bool, job: Job, start: int, travel: TravelTimes, now: datetime | None
) -> Placement:
    """Of all gaps in which the job can start just then, the one for which the fewest stops slide, then the least driving is added."""
    stops = sorted(day.stops, key=attrgetter("start"))
    home, length = day.technician.home, ceil_seconds(job.duration)
    legs = drives([home, *(stop.point for stop in stops), home], travel)
    visit = Visit(_JOB, job.point, length, start, start, start, None if now is None else ceil_second(now))
    options: list[tuple[tuple[Move, ...], int]] = []
    for gap in range(len(stops) + 1) if kept else [sum(floor_second(s.start) < start + length for s in stops)]:
        before, after = (stops[gap - 1].point if gap else home), (stops[gap].point if gap < len(stops) else home)
        if before is None or after is None:
            continue
        to_job, from_job = drives([before, job.point, after], travel)
        moves = _moves(day, stops, legs, gap, visit, travel, now) if kept else ()
        if moves is not None:
            options.append((moves, to_job + from_job - legs[gap]))
    moves, added = min(options, key=lambda option: (len(option[0]), option[1]))
    return Placement(instant_of(start), instant_of(start + length), added, moves)


def _moves(
    day: TechnicianDay,
    stops: Sequence[Stop],
    legs: Sequence[int],
    gap: int,
    job: Visit,
    travel: TravelTimes,
    now: datetime | None,
) -> tuple[Move, ...] | None:
    """The stops that slide when the job is put into a gap; None when they cannot make room for it there."""
    frame = Frame.of(day.shifts, day.time_off, day.lunch)
    visits = [_sliding_visit(frame, stop, leg, now) for stop, leg in zip(stops, legs, strict=False)]
    starts = settle(frame, [*visits[:gap], job, *visits[gap:]], day.technician.home, travel)
    if starts is None:
        return None
    del starts[gap]
    return tuple(
        Move(stop.id, instant_of(begins), instant_of(begins) + (stop.end - stop.start))
        for stop, visit, begins in zip(stops, visits, starts, strict=True)
        if begins != visit.planned
    )


def _sliding_visit(frame: Frame, stop: Stop, leg: int, now: datetime | None) -> Visit:
    """The stop with the starts that `domain.slots` allows it."""
    visit = fixed_visit(stop)
    if stop.fixed or stop.promised is None or not stop.promised[0] <= stop.start <= stop.promised[1]:
        return visit
    clock, planned = frame.clock, visit.first
    soonest = min(clock.at(planned), (0 if now is None else clock.at(ceil_second(now))) + leg)
    first = clock.start_of(max(clock.at(ceil_second(stop.promised[0])), soonest))
    return replace(visit, first=first, last=floor_second(stop.promised[1]))
