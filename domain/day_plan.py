"""The day plan: which technician visits which job in which order, what may change, and whether a proposal is better than today.

Working days follow the rules of `domain.slots`. Beyond them:

Locked jobs stay with their technician at their planned start: those on the way, in progress or done (the caller says so), and those
    that start within two hours. Nothing else is planned to start within these two hours.
Starts. A job with a promised arrival window starts in it. One that is planned outside its promise, or planned without one, keeps
    its planned start, whoever comes. One that has neither may start at any time of the day.
Technicians. A job goes to somebody with the skills and the service area for it, or stays with whom it is. A technician whose day
    cannot be kept as it stands (see `domain.slots`), or holds a job whose place is not known, is left alone.
Better. A proposal never gives up a job that is placed today, and is compared by (jobs not placed, driving), in this order.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from domain.geo_point import GeoPoint
from domain.local_time import Interval
from domain.route import Frame, Visit, drives, settle
from domain.slots import Job, TechnicianDay
from domain.slots_insert import able
from domain.travel import TravelTimes
from domain.work_clock import ceil_second, ceil_seconds, floor_second

LOCK_HORIZON = timedelta(hours=2)

Routes = Mapping[UUID, Sequence[UUID]]
"""Of each technician, the ids of the jobs in the order of the visits."""


@dataclass(frozen=True, slots=True)
class PlanJob:
    """An appointment of the day.

    Args:
        version: of the appointment, so that a plan made from an older state can be told.
        promised: the arrival window that the customer was told; its end belongs to it.
        technician_id, start: today's plan; a job is placed when it has both.
        locked: on the way, in progress or done.
    """

    id: UUID
    version: int
    job: Job
    promised: Interval | None = None
    technician_id: UUID | None = None
    start: datetime | None = None
    locked: bool = False


@dataclass(frozen=True)
class DayProblem:
    """A location's day as it stands.

    Args:
        days: the technicians' working days; their stops are not looked at.
        jobs: all appointments of the day, placed or not.
        now: the present moment; None when the whole day is in the future.
    """

    day: date
    days: tuple[TechnicianDay, ...]
    jobs: tuple[PlanJob, ...]
    now: datetime | None = None

    @cached_property
    def job(self) -> dict[UUID, PlanJob]:
        """Jobs by id."""
        return {job.id: job for job in self.jobs}

    @cached_property
    def frames(self) -> dict[UUID, Frame]:
        """Working time and lunch, by technician."""
        return {day.technician.id: Frame.of(day.shifts, day.time_off, day.lunch) for day in self.days}

    @cached_property
    def homes(self) -> dict[UUID, GeoPoint | None]:
        """Home bases by technician."""
        return {day.technician.id: day.technician.home for day in self.days}

    @cached_property
    def current(self) -> dict[UUID, tuple[UUID, ...]]:
        """Today's routes, for all technicians."""
        routes: dict[UUID, list[UUID]] = {day.technician.id: [] for day in self.days}
        for job in sorted((job for job in self.jobs if self.placed(job)), key=attrgetter("start")):
            if job.technician_id is not None:
                routes[job.technician_id].append(job.id)
        return {technician_id: tuple(route) for technician_id, route in routes.items()}

    def placed(self, job: PlanJob) -> bool:
        """Whether somebody of these technicians is planned to do it."""
        return job.start is not None and job.technician_id in self.frames

    def locked(self, job: PlanJob) -> bool:
        """Whether technician and start must stay."""
        soon = self.now is not None and job.start is not None and job.start < self.now + LOCK_HORIZON
        return self.placed(job) and (job.locked or soon)

    def visit(self, job: PlanJob) -> Visit:
        """The job with the starts that the rules allow it; there is none when the last is before the first."""
        length, planned = ceil_seconds(job.job.duration), None if job.start is None else floor_second(job.start)
        if planned is not None and not _in_promise(job):
            first, last = planned, planned
        elif job.promised is not None:
            first, last = ceil_second(job.promised[0]), floor_second(job.promised[1])
        else:
            first, last = self._bounds
        if planned is not None and self.locked(job):
            first, last = planned, planned
        elif self.now is not None:
            first = max(first, ceil_second(self.now + LOCK_HORIZON))
        return Visit(job.id, job.job.point, length, first, last, planned)

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        spans = [span for frame in self.frames.values() for span in frame.clock.spans]
        return min((start for start, _ in spans), default=0), max((end for _, end in spans), default=-1)

    def may_take(self, day: TechnicianDay, job: PlanJob) -> bool:
        """Whether a technician may have the job at all, time aside."""
        if self.locked(job) or job.technician_id == day.technician.id:
            return job.technician_id == day.technician.id
        return able(day.technician, job.job)

    def timed(
        self, technician_id: UUID, route: Sequence[UUID], travel: TravelTimes, frame: Frame | None = None
    ) -> list[int] | None:
        """Starts of a route's visits, in seconds since the epoch; None when the route cannot be kept.

        Args:
            frame: another one than the technician's.
        """
        visits = [self.visit(self.job[job_id]) for job_id in route]
        return settle(frame or self.frames[technician_id], visits, self.homes[technician_id], travel)

    def open_to_change(self, travel: TravelTimes) -> tuple[TechnicianDay, ...]:
        """The working days that may be planned anew."""
        return tuple(day for day in self.days if self._can_change(day, travel))

    def _can_change(self, day: TechnicianDay, travel: TravelTimes) -> bool:
        route = self.current[day.technician.id]
        return (
            day.technician.home is not None
            and self.frames[day.technician.id].usable
            and all(self.job[job_id].job.point is not None for job_id in route)
            and self.timed(day.technician.id, route, travel) is not None
        )

    def cost(self, routes: Routes, travel: TravelTimes) -> "PlanCost":
        """What a plan leaves undone and how much it drives; drives from and to unknown places count as none."""
        placed = sum(len(route) for route in routes.values())
        seconds = 0
        for technician_id, route in routes.items():
            if route:
                home = self.homes[technician_id]
                seconds += sum(drives([home, *(self.job[job_id].job.point for job_id in route), home], travel))
        return PlanCost(len(self.jobs) - placed, seconds)

    @cached_property
    def version(self) -> str:
        """A digest of all that a plan depends on: it changes when an appointment, a shift, a skill or time off does."""
        jobs = sorted(
            (str(job.id), job.version, str(job.technician_id), str(job.start), str(job.promised)) for job in self.jobs
        )
        days = sorted(
            (
                str(day.technician.id),
                str(day.technician.home),
                sorted(day.technician.skills),
                str(day.shifts),
                str(sorted(day.time_off)),
                str(day.lunch),
            )
            for day in self.days
        )
        return hashlib.sha256(json.dumps([str(self.day), jobs, days]).encode()).hexdigest()[:32]


class PlanCost(NamedTuple):
    """Plans are compared by jobs that are not placed, then by seconds of driving."""

    unplaced: int
    travel: int


def _in_promise(job: PlanJob) -> bool:
    """Whether the planned start, if any, leaves a choice."""
    return job.start is None or (job.promised is not None and job.promised[0] <= job.start <= job.promised[1])
