"""Why a job does not fit into a working day: the rules are added one after the other, and the first that leaves no place is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.geo_point import GeoPoint, Points
from domain.local_time import Interval
from domain.slots import Job, Obstacle, SlotSearch, TechnicianDay
from domain.slots_clock import Flags
from domain.slots_insert import insertions, serve
from domain.slots_prepare import Schedule, prepare
from domain.slots_search import offered_windows
from domain.slots_windows import CandidateWindows
from domain.travel import TravelTimes

_SOMEWHERE = GeoPoint(0.0, 0.0)


class _NoTravel:
    """Every place is here."""

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        return np.zeros((len(origins), len(destinations)), dtype=np.int64)

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        del destinations
        return np.zeros(len(origins), dtype=np.int64)

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        del origin, destination
        return 0


def search(
    days: Sequence[TechnicianDay],
    job: Job,
    candidates: CandidateWindows,
    travel: TravelTimes,
    now: datetime | None = None,
    schedule: Schedule | None = None,
) -> SlotSearch:
    """The windows that can be offered or, when there is none, every obstacle that was met.

    Args:
        schedule: `prepare(days, travel, now)`, where the caller has kept it.
    """
    schedule = schedule or prepare(days, travel, now)
    offered = offered_windows(schedule, job, candidates.windows, travel)
    if offered:
        return SlotSearch(offered)
    if candidates.obstacle is not None:
        return SlotSearch((), frozenset({candidates.obstacle}))
    if not days:
        return SlotSearch((), frozenset({Obstacle.NO_TECHNICIANS}))
    return SlotSearch((), frozenset().union(*obstacles(days, job, candidates.windows, travel, now)))


def obstacles(
    days: Sequence[TechnicianDay],
    job: Job,
    windows: Sequence[Interval],
    travel: TravelTimes,
    now: datetime | None = None,
) -> list[tuple[Obstacle, ...]]:
    """For each working day, why the job cannot start in any of the windows; empty where it can.

    All of skill, service area and unknown places are named that apply; of time, the first rule that leaves no place, unless that is
    the drive to a job outside the area.

    Args:
        windows: ascending in start and in end.
    """
    timing = _timing(days, job, windows, travel, now)
    named = []
    for day, obstacle in zip(days, timing, strict=True):
        lasting = _lasting(day, job)
        far = obstacle is Obstacle.TRAVEL and Obstacle.OUT_OF_SERVICE_AREA in lasting
        named.append((*lasting, *([] if obstacle is None or far else [obstacle])))
    return named


def _lasting(day: TechnicianDay, job: Job) -> list[Obstacle]:
    """What no choice of time mends."""
    technician = day.technician
    checks = {
        Obstacle.MISSING_SKILL: not job.skills <= technician.skills,
        Obstacle.OUT_OF_SERVICE_AREA: job.point is not None and not technician.area.covers(job.point, job.postal_code),
        Obstacle.NO_COORDINATES: job.point is None or technician.home is None,
    }
    return [obstacle for obstacle, met in checks.items() if met]


def _timing(
    days: Sequence[TechnicianDay], job: Job, windows: Sequence[Interval], travel: TravelTimes, now: datetime | None
) -> list[Obstacle | None]:
    known = job.point is not None
    place = job.point or _SOMEWHERE
    placed = [replace(day, technician=replace(day.technician, home=day.technician.home or place)) for day in days]
    bare = [replace(day, time_off=(), lunch=None, stops=()) for day in placed]
    off = [replace(day, lunch=None, stops=()) for day in placed]
    free = [replace(day, stops=()) for day in placed]
    nowhere, drives = _NoTravel(), travel if known else _NoTravel()
    ladder: list[tuple[Obstacle, Flags]] = [
        (Obstacle.NOT_WORKING, _fits(bare, job, place, windows, nowhere, now)),
        (Obstacle.TIME_OFF, _fits(off, job, place, windows, nowhere, now)),
        (Obstacle.LUNCH_OUTSIDE_SHIFT, prepare(free, nowhere, now).possible),
        (Obstacle.LUNCH, _fits(free, job, place, windows, nowhere, now)),
        (Obstacle.TRAVEL, _fits(free, job, place, windows, drives, now)),
        (Obstacle.OVERLAP, _fits(placed, job, place, windows, nowhere, now)),
        (Obstacle.TRAVEL, _fits(placed, job, place, windows, drives, now)),
    ]
    return [next((obstacle for obstacle, fits in ladder if not fits[row]), None) for row in range(len(days))]


def _fits(
    days: Sequence[TechnicianDay],
    job: Job,
    place: GeoPoint,
    windows: Sequence[Interval],
    travel: TravelTimes,
    now: datetime | None,
) -> Flags:
    """Days on which the job can start in a window, whoever's day it is."""
    found = insertions(prepare(days, travel, now), job, place, travel, np.ones(len(days), dtype=np.bool_))
    fits = np.zeros(len(days), dtype=np.bool_)
    fits[found.day[serve(found, windows).insertion]] = True
    return fits
