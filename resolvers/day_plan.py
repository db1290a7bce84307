"""A better day: a proposal that changes nothing until it is applied, and is applied as a whole or not at all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog

from auth.day_plan_token import day_plan_token
from domain.appointment import AppointmentStatus
from domain.day_plan import DayProblem, PlanJob, Routes
from domain.day_plan_propose import BrokenPlanError, Proposal, propose
from domain.errors import ErrorCode, Refusal
from domain.geo_point import points_array
from domain.local_time import local_day
from domain.slots import Job, Stop
from integrations.travel_time import TravelEngine
from integrations.vroom import SolverError, Vroom
from models.availability import PlannedVisit, crew, planned_visits, waiting_visits
from models.database import Transaction
from models.location import Location
from models.query import by_ids
from resolvers.appointment_job import skills_of
from resolvers.calendar import DAY, days_of, point_of, utc_now
from resolvers.caller import Caller
from resolvers.planning import Planning

log = structlog.get_logger("day plan")

GOOD_FOR = timedelta(minutes=15)
# The solver searches for as long as the day is worth, and no longer than a request may take.
JOBS_A_SECOND = 40
SHORTEST_S, LONGEST_S = 1.0, 4.5


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A proposal, and the token that applies it; `solved` is False when the solver failed, and only gaps were filled."""

    proposal: Proposal
    token: str
    solved: bool


async def propose_day(caller: Caller, planning: Planning, location_id: UUID, day: date) -> DayPlan:
    """The better one of today's plan and the solver's.

    Raises:
        Refusal: NOT_FOUND.
    """
    async with caller.database.snapshot(caller.tenant_id) as session:
        location = (await by_ids(session, Location, [location_id])).get(location_id)
        if location is None:
            raise Refusal(ErrorCode.NOT_FOUND, "There is no such location.", ("locationId",))
        problem = await read_problem(session, location, day, utc_now())
    await _fetch(planning.travel, problem)
    routes = await _routes(planning, problem)
    times = planning.travel.times
    try:
        proposal = await asyncio.to_thread(propose, problem, routes or {}, times)
    except BrokenPlanError as error:
        log.warning("the solver's plan breaks a rule", location_id=str(location_id), day=str(day), error=str(error))
        routes, proposal = None, await asyncio.to_thread(propose, problem, {}, times)
    secret = caller.settings.secret_key.get_secret_value()
    token = day_plan_token(secret, caller.tenant_id, location_id, proposal, utc_now() + GOOD_FOR)
    return DayPlan(proposal, token, solved=routes is not None)


async def _routes(planning: Planning, problem: DayProblem) -> Routes | None:
    """The solver's routes; None when it failed, which the proposal says."""
    solver: Vroom = planning.solver
    if solver.seconds is None:
        solver = replace(solver, seconds=min(max(len(problem.jobs) / JOBS_A_SECOND, SHORTEST_S), LONGEST_S))
    try:
        return await solver.routes(problem, planning.travel.times)
    except SolverError as error:
        log.warning("the solver failed", failure=error.failure, error=str(error))
        return None


async def read_problem(session: Transaction, location: Location, day: date, now: datetime) -> DayProblem:
    """A location's day: all that its technicians do on it, wherever, and what waits there for somebody.

    What another location's technician does is not looked at, and a request that nobody has agreed a day for is not planned.
    """
    people = await crew(session, location.id)
    days = await days_of(session, location, people, day, 1, now)
    start, end = local_day(day, location.time_zone)
    stops = {stop.id: (stop, each.technician.id) for each in days for stop in each.stops}
    planned = {
        visit.id: visit
        for visit in await planned_visits(session, [person.id for person in people], start - DAY, end + DAY)
        if visit.id in stops
    }
    waiting = await waiting_visits(session, location.id, start, end)
    skills = await skills_of(session, [*planned, *(visit.id for visit in waiting)])
    jobs = [_placed(visit, *stops[visit.id], location.id, skills) for visit in planned.values()]
    jobs += [_waiting(visit, skills) for visit in waiting]
    return DayProblem(day, tuple(replace(each, stops=()) for each in days), tuple(jobs), now)


def _placed(
    visit: PlannedVisit, stop: Stop, technician_id: UUID, location_id: UUID, skills: Mapping[UUID, frozenset[str]]
) -> PlanJob:
    return PlanJob(
        id=visit.id,
        version=visit.version,
        job=Job(stop.point, stop.end - stop.start, skills.get(visit.id, frozenset()), visit.postal_code),
        promised=stop.promised,
        technician_id=technician_id,
        start=stop.start,
        # What belongs to another location takes time here, and is moved by that location's plan.
        locked=visit.status is not AppointmentStatus.SCHEDULED or visit.location_id != location_id,
    )


def _waiting(visit: PlannedVisit, skills: Mapping[UUID, frozenset[str]]) -> PlanJob:
    promised = None
    if visit.arrival_starts_at is not None and visit.arrival_ends_at is not None:
        promised = (visit.arrival_starts_at, visit.arrival_ends_at)
    length = timedelta(minutes=visit.duration_minutes)
    if visit.starts_at is not None and visit.ends_at is not None:
        length = visit.ends_at - visit.starts_at
    point = point_of(visit.latitude, visit.longitude)
    return PlanJob(
        id=visit.id,
        version=visit.version,
        job=Job(point, length, skills.get(visit.id, frozenset()), visit.postal_code),
        promised=promised,
        start=visit.starts_at,
    )


async def _fetch(travel: TravelEngine, problem: DayProblem) -> None:
    known = {day.technician.home for day in problem.days} | {job.job.point for job in problem.jobs}
    places = points_array(point for point in known if point is not None)
    if len(places):
        await travel.fetch_matrix(places, places)
