"""From a solver's routes to a proposal: checked against the rules, compared with today's plan, and told as a list of changes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import numpy as np

from domain.day_plan import DayProblem, PlanCost, PlanJob, Routes
from domain.service_area import ServiceArea
from domain.slots import Obstacle, Stop, TechnicianDay
from domain.slots_explain import obstacles
from domain.slots_insert import insertions, serve
from domain.slots_place import Placement, place
from domain.slots_prepare import prepare
from domain.travel import TravelTimes
from domain.work_clock import floor_second, instant_of


class BrokenPlanError(ValueError):
    """Routes that break a rule of the day plan; the message names the rule and the job or technician."""


class Change(NamedTuple):
    """An appointment that gets another technician or another planned time."""

    job_id: UUID
    technician_id: UUID
    start: datetime
    end: datetime


class Unplanned(NamedTuple):
    """An appointment that has no place in the plan, and every obstacle that was met with any technician."""

    job_id: UUID
    obstacles: tuple[Obstacle, ...]


class Proposal(NamedTuple):
    """What would change, and what that is worth. `after` is never worse than `before`; without changes they are equal.

    `version` is the problem's: when it has changed, the proposal is about another day than today's.
    """

    day: date
    version: str
    before: PlanCost
    after: PlanCost
    changes: tuple[Change, ...]
    unplanned: tuple[Unplanned, ...]


def propose(problem: DayProblem, routes: Routes, travel: TravelTimes) -> Proposal:
    """The better one of today's plan and a solver's routes, in both of which leftover jobs are put wherever they fit.

    Args:
        routes: of technicians whose day is open to change; the others stay as they are.

    Raises:
        BrokenPlanError: the routes break a rule.
    """
    check_routes(problem, routes, travel)
    before = problem.cost(problem.current, travel)
    planned = _filled(problem, {**problem.current, **routes}, travel)
    if any(problem.placed(job) for job in _missing(problem, planned)) or problem.cost(planned, travel) >= before:
        planned = _filled(problem, problem.current, travel)
    after = problem.cost(planned, travel)
    starts = _starts(problem, planned, travel)
    return Proposal(
        day=problem.day,
        version=problem.version,
        before=before,
        after=after,
        changes=tuple(
            Change(job_id, technician_id, instant_of(start), instant_of(start) + problem.job[job_id].job.duration)
            for technician_id, visits in starts.items()
            for job_id, start in visits.items()
            if _differs(problem.job[job_id], technician_id, start)
        ),
        unplanned=_unplanned(problem, starts, travel),
    )


def check_routes(problem: DayProblem, routes: Routes, travel: TravelTimes) -> None:
    """Make sure that routes keep the rules of `domain.day_plan`; jobs may be missing from them.

    Raises:
        BrokenPlanError: they do not.
    """
    open_days = {day.technician.id: day for day in problem.open_to_change(travel)}
    for technician_id, route in routes.items():
        if technician_id not in open_days:
            raise BrokenPlanError(f"the day of technician {technician_id} is not open to change")
        for job_id in route:
            if job_id not in problem.job or not problem.may_take(open_days[technician_id], problem.job[job_id]):
                raise BrokenPlanError(f"job {job_id} is not for technician {technician_id}")
        if problem.timed(technician_id, route, travel) is None:
            raise BrokenPlanError(f"the route of technician {technician_id} cannot be kept")
    merged = {**problem.current, **routes}
    visited = [job_id for route in merged.values() for job_id in route]
    if len(visited) != len(set(visited)):
        raise BrokenPlanError("a job is visited twice")


def _starts(problem: DayProblem, routes: Routes, travel: TravelTimes) -> dict[UUID, dict[UUID, int]]:
    """Planned starts of all visits; routes that cannot be kept stay as they are planned today."""
    starts: dict[UUID, dict[UUID, int]] = {}
    for technician_id, route in routes.items():
        timed = None if route == problem.current[technician_id] else problem.timed(technician_id, route, travel)
        if timed is None:
            visits = [problem.visit(problem.job[job_id]) for job_id in route]
            timed = [visit.first if visit.planned is None else visit.planned for visit in visits]
        starts[technician_id] = dict(zip(route, timed, strict=True))
    return starts


def _differs(job: PlanJob, technician_id: UUID, start: int) -> bool:
    return (
        job.technician_id != technician_id or job.start is None or instant_of(start) != job.start.replace(microsecond=0)
    )


def _filled(problem: DayProblem, routes: Routes, travel: TravelTimes) -> Routes:
    """The routes with every job that nobody visits yet put where it adds the least driving."""
    missing = [job for job in _missing(problem, routes) if job.job.point is not None]
    open_days = problem.open_to_change(travel)
    if not missing or not open_days:
        return routes
    starts = _starts(problem, {day.technician.id: routes[day.technician.id] for day in open_days}, travel)
    days = [_day_with(problem, day, starts[day.technician.id]) for day in open_days]
    for job in missing:
        best = _nearest(problem, days, job, travel)
        placed = None if best is None else _placed(problem, days[best], job, travel)
        if best is not None and placed is not None:
            visits = starts[days[best].technician.id]
            visits |= {move.stop_id: floor_second(move.start) for move in placed.moves}
            visits[job.id] = floor_second(placed.start)
            days[best] = _day_with(problem, days[best], visits)
    return {**routes, **{who: tuple(sorted(visits, key=visits.__getitem__)) for who, visits in starts.items()}}


def _nearest(problem: DayProblem, days: Sequence[TechnicianDay], job: PlanJob, travel: TravelTimes) -> int | None:
    """The index of the day to which the job adds the least driving; None when it fits nowhere."""
    visit = problem.visit(job)
    if visit.point is None or visit.first > visit.last:
        return None
    takers = np.array([problem.may_take(day, job) for day in days], dtype=np.bool_)
    found = insertions(prepare(days, travel, problem.now), job.job, visit.point, travel, takers)
    served = serve(found, [(instant_of(visit.first), instant_of(visit.last))]).insertion
    return int(found.day[served[np.argmin(found.added[served])]]) if len(served) else None


def _missing(problem: DayProblem, routes: Routes) -> list[PlanJob]:
    """Jobs that nobody visits, those first that are placed today."""
    visited = {job_id for route in routes.values() for job_id in route}
    return sorted((job for job in problem.jobs if job.id not in visited), key=problem.placed, reverse=True)


def _day_with(problem: DayProblem, day: TechnicianDay, visits: Mapping[UUID, int]) -> TechnicianDay:
    """The working day with its visits as stops that may slide as far as the plan allows."""
    stops = []
    for job_id, start in visits.items():
        visit, begins = problem.visit(problem.job[job_id]), instant_of(start)
        stops.append(
            Stop(
                id=job_id,
                point=visit.point,
                start=begins,
                end=begins + problem.job[job_id].job.duration,
                promised=(instant_of(visit.first), instant_of(visit.last)) if visit.first < visit.last else None,
            )
        )
    return replace(day, stops=tuple(stops))


def _placed(problem: DayProblem, day: TechnicianDay, job: PlanJob, travel: TravelTimes) -> Placement | None:
    visit = problem.visit(job)
    # Whoever may take the job by the rules of the plan may do so, even without the skill: it is theirs already.
    holder = replace(
        day, technician=replace(day.technician, skills=day.technician.skills | job.job.skills, area=ServiceArea())
    )
    placed = place(holder, job.job, (instant_of(visit.first), instant_of(visit.last)), travel, problem.now)
    return placed if isinstance(placed, Placement) else None


def _unplanned(
    problem: DayProblem, starts: Mapping[UUID, Mapping[UUID, int]], travel: TravelTimes
) -> tuple[Unplanned, ...]:
    routes = {technician_id: tuple(visits) for technician_id, visits in starts.items()}
    days = [_day_with(problem, day, starts[day.technician.id]) for day in problem.days]
    return tuple(Unplanned(job.id, _why(problem, days, job, travel)) for job in _missing(problem, routes))


def _why(problem: DayProblem, days: Sequence[TechnicianDay], job: PlanJob, travel: TravelTimes) -> tuple[Obstacle, ...]:
    visit = problem.visit(job)
    if job.job.point is None:
        return (Obstacle.NO_COORDINATES,)
    if visit.first > visit.last and problem.now is not None and days:
        return (Obstacle.NOTICE,)
    if not days:
        return (Obstacle.NO_TECHNICIANS,)
    window = (instant_of(visit.first), instant_of(visit.last))
    met = obstacles(days, job.job, [window], travel, problem.now)
    # Whoever could take it has a day that the plan leaves alone, because it cannot be kept as it stands.
    return tuple(sorted({obstacle for named in met for obstacle in named or (Obstacle.OVERLAP,)}))
