"""Does a proposed day plan keep the rules? Asked of the plan itself, without the solver's output and without the product's routes."""

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from domain.day_plan import DayProblem, PlanJob
from domain.day_plan_propose import Proposal
from domain.geo_point import GeoPoint
from domain.slots import TechnicianDay
from domain.travel import TravelTimes

Plan = dict[UUID, tuple[UUID, datetime]]
Span = tuple[datetime, datetime]
NOTHING = timedelta(0)


def plan_of(problem: DayProblem, proposal: Proposal | None = None) -> Plan:
    """Technician and start of every placed job, with a proposal's changes or without."""
    plan: Plan = {}
    for job in problem.jobs:
        if job.technician_id in {day.technician.id for day in problem.days} and job.start is not None:
            plan[job.id] = (job.technician_id, job.start)
    for change in proposal.changes if proposal else ():
        plan[change.job_id] = (change.technician_id, change.start)
    return plan


def cost(problem: DayProblem, plan: Plan, travel: TravelTimes) -> tuple[int, int]:
    """Jobs without a place, and seconds of driving."""
    driven = 0
    for day in problem.days:
        places = [problem.job[job_id].job.point for job_id, _, _ in visits(problem, plan, day)]
        stations = [day.technician.home, *places, day.technician.home] if places else []
        driven += sum(leg(a, b, travel) for a, b in pairwise(stations))
    return len(problem.jobs) - len(plan), driven


def leg(origin: GeoPoint | None, destination: GeoPoint | None, travel: TravelTimes) -> int:
    return 0 if origin is None or destination is None else travel.leg(origin, destination)


def visits(problem: DayProblem, plan: Plan, day: TechnicianDay) -> list[tuple[UUID, datetime, datetime]]:
    """A technician's jobs in order, with start and end."""
    own = [(job_id, start) for job_id, (who, start) in plan.items() if who == day.technician.id]
    return [
        (job_id, start, start + problem.job[job_id].job.duration) for job_id, start in sorted(own, key=lambda v: v[1])
    ]


def violations(problem: DayProblem, proposal: Proposal, travel: TravelTimes) -> list[str]:
    """Every rule that the proposal breaks."""
    before, after = plan_of(problem), plan_of(problem, proposal)
    told = [f"{job_id} lost its place" for job_id in before if job_id not in after]
    told += [
        f"{name} is told wrongly"
        for name, plan, cost_told in (("before", before, proposal.before), ("after", after, proposal.after))
        if cost(problem, plan, travel) != cost_told
    ]
    told += ["worse than before"] if proposal.after > proposal.before else []
    told += (
        ["not all unplanned jobs are told"]
        if {u.job_id for u in proposal.unplanned} != {j.id for j in problem.jobs} - set(after)
        else []
    )
    told += [f"{u.job_id} is unplanned without a reason" for u in proposal.unplanned if not u.obstacles]
    changed: dict[UUID, list[UUID]] = defaultdict(list)
    for change in proposal.changes:
        job = problem.job[change.job_id]
        told += _change(problem, job, change.technician_id, change.start)
        changed[change.technician_id].append(change.job_id)
        if change.end - change.start != job.job.duration:
            told.append(f"{job.id} changes its length")
    for day in problem.days:
        gone = [job_id for job_id, (who, _) in before.items() if who == day.technician.id and after[job_id][0] != who]
        if changed[day.technician.id] or gone:
            told += _route(problem, after, day, travel)
    return told


def _change(problem: DayProblem, job: PlanJob, technician_id: UUID, start: datetime) -> list[str]:
    told = []
    technician = next(day.technician for day in problem.days if day.technician.id == technician_id)
    if technician_id != job.technician_id and not job.job.skills <= technician.skills:
        told.append(f"{job.id}: skill missing")
    if problem.now is not None:
        if (
            job.technician_id is not None
            and job.start is not None
            and (job.locked or job.start < problem.now + timedelta(hours=2))
        ):
            told.append(f"{job.id}: locked")
        if start < problem.now + timedelta(hours=2):
            told.append(f"{job.id}: starts too soon")
    if job.promised is not None and not job.promised[0] <= start <= job.promised[1]:
        told.append(f"{job.id}: promise broken")
    if job.promised is None and job.start is not None and start != job.start:
        told.append(f"{job.id}: moved although planned without a promise")
    return told


def _route(problem: DayProblem, plan: Plan, day: TechnicianDay, travel: TravelTimes) -> list[str]:
    told, work = [], _work(day)
    route, home = visits(problem, plan, day), day.technician.home
    for job_id, start, end in route:
        if not any(a <= start and end <= b for a, b in work):
            told.append(f"{job_id}: outside working time")
    first, last = min(a for a, _ in work), max(b for _, b in work)
    ends = [(home, first), *((problem.job[job_id].job.point, end) for job_id, _, end in route)]
    starts = [*((problem.job[job_id].job.point, start) for job_id, start, _ in route), (home, last)]
    lunch_fits = day.lunch is None or _eats_in_pause(day, work)
    for (origin, leave), (destination, arrive) in zip(ends, starts, strict=True):
        free = [(max(a, leave), min(b, arrive)) for a, b in work if max(a, leave) < min(b, arrive)]
        spare = sum((b - a for a, b in free), NOTHING) - timedelta(seconds=leg(origin, destination, travel))
        if arrive < leave or spare < NOTHING:
            told.append(f"{day.technician.id}: late by {-spare} at {arrive}")
        if day.lunch is not None and spare >= day.lunch.duration and _room(day, free):
            lunch_fits = True
    return told if lunch_fits else [*told, f"{day.technician.id}: no lunch"]


def _room(day: TechnicianDay, spans: list[Span]) -> bool:
    lunch = day.lunch
    return lunch is not None and any(
        min(end, lunch.latest) - max(start, lunch.earliest) >= lunch.duration for start, end in spans
    )


def _eats_in_pause(day: TechnicianDay, work: list[Span]) -> bool:
    begin, finish = min(a for a, _ in day.shifts), max(b for _, b in day.shifts)
    edges = [begin, *(edge for span in sorted(work) for edge in span), finish]
    return _room(day, list(zip(edges[::2], edges[1::2], strict=True)))


def _work(day: TechnicianDay) -> list[Span]:
    """Shifts less time off, which in these problems do not touch each other."""
    work = list(day.shifts)
    for off_start, off_end in day.time_off:
        work = [
            part
            for start, end in work
            for part in ((start, min(end, off_start)), (max(start, off_end), end))
            if part[0] < part[1]
        ]
    return work
