"""All places of all days into which a job fits, and the arrival windows that they serve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.geo_point import GeoPoint, points_array
from domain.local_time import Interval
from domain.slots import Job, Technician
from domain.slots_clock import NEVER, Flags, Seconds
from domain.slots_prepare import Schedule
from domain.travel import TravelTimes
from domain.work_clock import ceil_second, ceil_seconds, floor_second


@dataclass(frozen=True, slots=True)
class Insertions:
    """Feasible starts, as closed intervals of seconds since the epoch: one row for each day, gap, side of lunch and stretch of work.

    Args:
        day: row of the schedule.
        first: first start.
        last: last start.
        added: seconds of driving that the job adds there.
    """

    day: NDArray[np.intp]
    first: Seconds
    last: Seconds
    added: Seconds


@dataclass(frozen=True, slots=True)
class Served:
    """Pairs of an insertion (its index) and an arrival window (its index), with the first start that both allow."""

    insertion: NDArray[np.intp]
    window: NDArray[np.intp]
    start: Seconds


def able(technician: Technician, job: Job) -> bool:
    """Whether skills, service area and known places allow the job at all."""
    return (
        job.skills <= technician.skills
        and technician.home is not None
        and job.point is not None
        and technician.area.covers(job.point, job.postal_code)
    )


def served_windows(
    schedule: Schedule, job: Job, windows: Sequence[Interval], travel: TravelTimes
) -> tuple[Insertions, Served] | None:
    """Where technicians who may do the job can start it in the windows; None when nobody may, or nowhere.

    Args:
        windows: ascending in start and in end.
    """
    may = np.array([able(technician, job) for technician in schedule.technicians], dtype=np.bool_)
    if job.point is None or not may.any() or not windows:
        return None
    found = insertions(schedule, job, job.point, travel, may[schedule.owner])
    return found, serve(found, windows)


def insertions(schedule: Schedule, job: Job, place: GeoPoint, travel: TravelTimes, days: Flags) -> Insertions:
    """Where the job fits by the rules of `domain.slots`.

    Args:
        place: the job's.
        travel: asked for the drives from all nodes to the place and back.
        days: rows of the schedule that count.
    """
    length, clocks, lunches = ceil_seconds(job.duration), schedule.clocks, schedule.lunches
    to_job, from_job = _drives(schedule, place, travel)
    now, lunch_length = schedule.now[:, None], lunches.length[:, None]
    ready, due = np.maximum(schedule.ready, now), schedule.due
    lunch_end = lunches.start(clocks, schedule.ready) + lunch_length
    # Of a lunch that began before now, only what is left of it delays the drive.
    after_lunch = np.maximum(lunch_end, ready + to_job + np.clip(lunch_end - ready, 0, lunch_length))
    fed_first = np.minimum(np.maximum(schedule.ready_fed, now) + to_job, after_lunch)
    fed_last = due - from_job - length
    before_lunch = np.minimum(lunches.latest(clocks, due), due - from_job - lunch_length)
    unfed_first = ready + to_job
    unfed_last = np.maximum(schedule.due_fed - from_job, before_lunch) - length

    first, last = np.stack((fed_first, unfed_first)), np.stack((fed_last, unfed_last))
    gaps = np.arange(schedule.legs.shape[1])
    open_gaps = (gaps <= schedule.count[:, None]) & (days & schedule.possible)[:, None]
    side, day, gap = np.nonzero((first <= last) & open_gaps)
    first, last = first[side, day, gap], last[side, day, gap]
    added = (to_job + from_job - schedule.legs)[day, gap]
    parts = []
    for span in range(clocks.starts.shape[1]):
        earliest = np.maximum(first, clocks.starts[day, span])
        latest = np.minimum(last, clocks.ends[day, span] - length)
        fits = earliest <= latest
        offset = (clocks.second[day, span] - clocks.starts[day, span])[fits]
        parts.append((day[fits], earliest[fits] + offset, latest[fits] + offset, added[fits]))
    return Insertions(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _drives(schedule: Schedule, place: GeoPoint, travel: TravelTimes) -> tuple[Seconds, Seconds]:
    """Seconds from the node before each gap to the place and from there to the node behind the gap; NEVER from or to unknown places."""
    known = ~np.isnan(schedule.nodes[..., 0])
    nodes, target = schedule.nodes[known], points_array([place])
    there, back = (np.full(known.shape, NEVER, dtype=np.int64) for _ in range(2))
    there[known] = travel.matrix(nodes, target)[:, 0]
    back[known] = travel.matrix(target, nodes)[0]
    return there[:, :-1], back[:, 1:]


def serve(found: Insertions, windows: Sequence[Interval]) -> Served:
    """Which insertions can start in which arrival windows (both ends included).

    Args:
        windows: ascending in start and in end.
    """
    starts = np.array([ceil_second(start) for start, _ in windows], dtype=np.int64)
    ends = np.array([floor_second(end) for _, end in windows], dtype=np.int64)
    low = np.searchsorted(ends, found.first, side="left")
    high = np.searchsorted(starts, found.last, side="right")
    width = np.maximum(high - low, 0)
    insertion = np.repeat(np.arange(len(width)), width)
    window = np.repeat(low - (np.cumsum(width) - width), width) + np.arange(len(insertion))
    return Served(insertion, window, np.maximum(found.first[insertion], starts[window]))
