"""Random days of a whole crew for the day plan: a plan of today that can be kept but is far from good, and jobs left over."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from domain.day_plan import DayProblem, PlanJob
from domain.geo_point import GeoPoint
from domain.service_area import ServiceArea
from domain.slots import Job, Lunch, Stop, Technician, TechnicianDay
from domain.slots_place import Placement, place
from domain.travel import GreatCircleTravel

DAY = date(2026, 6, 1)
EIGHT = datetime(2026, 6, 1, 13, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CENTER = GeoPoint(30.2672, -97.7431)
SKILLS = ("gas", "electric", "refrigeration", "water")


def random_problem(rng: random.Random, technicians: int, jobs: int, placed: float = 0.9) -> DayProblem:
    """A day with that many technicians and jobs, of which about the share `placed` has a place today, if there is room."""
    area = ServiceArea(center=CENTER, radius_km=80)
    days = [_day(rng, number, area) for number in range(technicians)]
    now = None if rng.random() < 0.4 else EIGHT + rng.randint(-30, 240) * MINUTE
    made = []
    for number in range(jobs):
        job = _job(rng, number)
        if rng.random() < placed:
            job = _put(rng, days, job)
        made.append(replace(job, locked=job.start is not None and now is not None and job.start < now))
    return DayProblem(DAY, tuple(replace(day, stops=()) for day in days), tuple(made), now)


def _spot(rng: random.Random) -> GeoPoint:
    return GeoPoint(CENTER.latitude + rng.uniform(-0.15, 0.15), CENTER.longitude + rng.uniform(-0.15, 0.15))


def _day(rng: random.Random, number: int, area: ServiceArea) -> TechnicianDay:
    skills = frozenset(skill for skill in SKILLS if rng.random() < 0.75)
    start = EIGHT + rng.choice((-60, 0, 0, 30)) * MINUTE
    off = EIGHT + rng.randint(0, 8) * HOUR
    return TechnicianDay(
        Technician(UUID(int=number + 1), skills, _spot(rng), area),
        DAY,
        shifts=((start, start + 9 * HOUR),),
        time_off=((off, off + rng.choice((30, 60, 120)) * MINUTE),) if rng.random() < 0.2 else (),
        lunch=Lunch(30 * MINUTE, EIGHT + 3 * HOUR, EIGHT + 6 * HOUR) if rng.random() < 0.8 else None,
    )


def _job(rng: random.Random, number: int) -> PlanJob:
    promised = None
    if rng.random() < 0.7:
        begin = EIGHT + rng.randint(0, 6) * HOUR
        promised = (begin, begin + rng.choice((2, 2, 3, 4)) * HOUR)
    return PlanJob(
        id=UUID(int=1000 + number),
        version=1,
        job=Job(
            _spot(rng),
            rng.choice((30, 45, 60, 60, 90)) * MINUTE,
            frozenset(rng.sample(SKILLS, rng.choice((0, 1, 1, 2)))),
        ),
        promised=promised,
    )


def _put(rng: random.Random, days: list[TechnicianDay], job: PlanJob) -> PlanJob:
    """The job at some place where it fits, with whoever comes first in a random order."""
    window = job.promised or (EIGHT, EIGHT + 9 * HOUR)
    for index in rng.sample(range(len(days)), len(days)):
        day = days[index]
        fixed = replace(day, stops=tuple(replace(stop, fixed=True) for stop in day.stops))
        placed = place(fixed, job.job, window, GreatCircleTravel())
        if isinstance(placed, Placement):
            stop = Stop(job.id, job.job.point, placed.start, placed.end)
            days[index] = replace(day, stops=(*day.stops, stop))
            return replace(job, technician_id=day.technician.id, start=placed.start)
    return job
