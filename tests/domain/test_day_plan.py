"""Day plans: what may change, what is better, what a token says. Solver's routes are written by hand here."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain.day_plan import DayProblem, PlanCost, PlanJob, Routes
from domain.day_plan_propose import BrokenPlanError, Proposal, propose
from domain.day_plan_token import PlannedVisit, still_applies, token_content, token_from_content
from domain.geo_point import GeoPoint
from domain.local_time import Interval
from domain.slots import Job, Lunch, Obstacle, Technician, TechnicianDay
from domain.travel import GreatCircleTravel
from tests.domain.plan_checker import violations
from tests.domain.random_plans import CENTER, DAY, EIGHT, HOUR, MINUTE, random_problem

TRAVEL = GreatCircleTravel()
NORTH, SOUTH = GeoPoint(30.36, -97.7431), GeoPoint(30.17, -97.7431)
ANN, BOB = UUID(int=1), UUID(int=2)


def day_of(who: UUID, home: GeoPoint | None = CENTER, skills: str = "gas") -> TechnicianDay:
    return TechnicianDay(Technician(who, frozenset(skills.split()), home), DAY, ((EIGHT, EIGHT + 9 * HOUR),))


def job(
    number: int,
    point: GeoPoint | None,
    who: UUID | None = None,
    hour: float | None = None,
    promised: Interval | None = (EIGHT, EIGHT + 8 * HOUR),
) -> PlanJob:
    start = None if hour is None else EIGHT + hour * HOUR
    return PlanJob(UUID(int=100 + number), 1, Job(point, HOUR, frozenset({"gas"})), promised, who, start)


def crossed(now: datetime | None = None, **changes: object) -> DayProblem:
    """Ann lives north and works south, Bob the other way around."""
    jobs = [job(1, SOUTH, ANN, 3), job(2, NORTH, BOB, 3), job(3, SOUTH, ANN, 5), job(4, NORTH, BOB, 5)]
    jobs[0] = replace(jobs[0], **changes)  # type: ignore[arg-type]
    return DayProblem(DAY, (day_of(ANN, NORTH), day_of(BOB, SOUTH)), tuple(jobs), now)


SWAPPED = {ANN: (UUID(int=102), UUID(int=104)), BOB: (UUID(int=101), UUID(int=103))}


def proposed(problem: DayProblem, routes: Routes) -> Proposal:
    proposal = propose(problem, routes, TRAVEL)
    assert violations(problem, proposal, TRAVEL) == []
    return proposal


def test_a_better_plan_is_told_as_changes_and_keeps_planned_starts() -> None:
    problem = crossed()
    proposal = proposed(problem, SWAPPED)
    leg = TRAVEL.leg(NORTH, SOUTH)
    assert proposal.before == PlanCost(0, 4 * leg)
    assert proposal.after == PlanCost(0, 0)
    assert {(c.job_id.int, c.technician_id, (c.start - EIGHT) / HOUR) for c in proposal.changes} == {
        (101, BOB, 3),
        (102, ANN, 3),
        (103, BOB, 5),
        (104, ANN, 5),
    }
    assert proposal.unplanned == ()


@pytest.mark.parametrize("routes", [{}, "as today"])
def test_what_is_not_better_changes_nothing(routes: object) -> None:
    problem = crossed()
    proposal = proposed(problem, problem.current if routes == "as today" else {})
    assert proposal.changes == ()
    assert proposal.after == proposal.before


def test_a_worse_plan_is_not_proposed() -> None:
    good = replace(
        crossed(), jobs=tuple(replace(j, technician_id=BOB if j.technician_id == ANN else ANN) for j in crossed().jobs)
    )
    worse = {ANN: (UUID(int=101), UUID(int=103)), BOB: (UUID(int=102), UUID(int=104))}
    proposal = proposed(good, worse)
    assert proposal.changes == ()
    assert proposal.after == PlanCost(0, 0)


def test_a_placed_job_that_the_solver_dropped_is_put_back() -> None:
    proposal = proposed(crossed(), {ANN: (UUID(int=102),), BOB: (UUID(int=101), UUID(int=103))})
    assert proposal.after == PlanCost(0, 0)


@pytest.mark.parametrize(
    "changes",
    [{"locked": True}, {"start": EIGHT + 2.9 * HOUR, "promised": (EIGHT, EIGHT + 3 * HOUR)}],
    ids=["in progress", "starts within two hours"],
)
def test_locked_jobs_stay(changes: dict[str, object]) -> None:
    problem = crossed(now=EIGHT + HOUR, **changes)
    assert problem.locked(problem.jobs[0])
    with pytest.raises(BrokenPlanError, match="is not for technician"):
        propose(problem, SWAPPED, TRAVEL)


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ({ANN: (UUID(int=101), UUID(int=101))}, "cannot be kept|visited twice"),
        ({ANN: (UUID(int=101), UUID(int=102)), BOB: (UUID(int=102),)}, "visited twice"),
        ({ANN: (UUID(int=999),)}, "is not for technician"),
        ({UUID(int=77): ()}, "not open to change"),
    ],
)
def test_routes_that_break_a_rule_are_refused(routes: dict[UUID, tuple[UUID, ...]], told: str) -> None:
    with pytest.raises(BrokenPlanError, match=told):
        propose(crossed(), routes, TRAVEL)


def test_skills_promises_and_planned_starts_bind_the_solver() -> None:
    unskilled = replace(crossed(), days=(day_of(ANN, NORTH), day_of(BOB, SOUTH, "water")))
    with pytest.raises(BrokenPlanError, match="is not for technician"):
        propose(unskilled, SWAPPED, TRAVEL)
    early = crossed(promised=(EIGHT, EIGHT + 3 * HOUR))
    with pytest.raises(BrokenPlanError, match="cannot be kept"):
        propose(early, {BOB: (UUID(int=102), UUID(int=104), UUID(int=103), UUID(int=101)), ANN: ()}, TRAVEL)
    exact = crossed(promised=None)
    assert exact.visit(exact.jobs[0]).first == exact.visit(exact.jobs[0]).last
    broken = crossed(promised=(EIGHT, EIGHT + HOUR))
    assert broken.visit(broken.jobs[0]).first == broken.visit(broken.jobs[0]).last


def test_a_day_that_cannot_be_kept_is_left_alone() -> None:
    clash = crossed(start=EIGHT + 4.9 * HOUR, promised=None)
    both = replace(clash, jobs=tuple(replace(j, promised=None) for j in clash.jobs))
    assert [day.technician.id for day in both.open_to_change(TRAVEL)] == [BOB]
    with pytest.raises(BrokenPlanError, match="not open to change"):
        propose(both, {ANN: ()}, TRAVEL)
    unknown = replace(clash, jobs=(replace(clash.jobs[0], job=Job(None, HOUR)), *clash.jobs[1:]))
    assert [day.technician.id for day in unknown.open_to_change(TRAVEL)] == [BOB]
    hungry = replace(
        crossed(), days=(replace(day_of(ANN, NORTH), lunch=Lunch(HOUR, EIGHT - 3 * HOUR, EIGHT)), day_of(BOB, SOUTH))
    )
    assert [day.technician.id for day in hungry.open_to_change(TRAVEL)] == [BOB]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (job(9, None), (Obstacle.NO_COORDINATES,)),
        (replace(job(9, NORTH), job=Job(NORTH, HOUR, frozenset({"water"}))), (Obstacle.MISSING_SKILL,)),
        (job(9, NORTH, promised=(EIGHT, EIGHT + 2.5 * HOUR)), (Obstacle.NOTICE,)),
        (replace(job(9, NORTH), job=Job(NORTH, 10 * HOUR, frozenset({"gas"}))), (Obstacle.NOT_WORKING,)),
        (replace(job(9, NORTH), job=Job(NORTH, 5 * HOUR, frozenset({"gas"}))), (Obstacle.OVERLAP,)),
    ],
)
def test_what_has_no_place_is_told_with_its_reason(extra: PlanJob, expected: tuple[Obstacle, ...]) -> None:
    problem = crossed(now=EIGHT + HOUR)
    proposal = proposed(replace(problem, jobs=(*problem.jobs, extra)), {})
    assert [(u.job_id, u.obstacles) for u in proposal.unplanned] == [(extra.id, expected)]


def test_nobody_works() -> None:
    problem = DayProblem(DAY, (), (job(1, NORTH),))
    assert proposed(problem, {}).unplanned[0].obstacles == (Obstacle.NO_TECHNICIANS,)
    idle = replace(day_of(ANN), shifts=())
    assert proposed(replace(problem, days=(idle,)), {}).unplanned[0].obstacles == (Obstacle.NOT_WORKING,)


def test_leftover_jobs_are_put_where_they_add_the_least_driving() -> None:
    problem = crossed()
    proposal = proposed(replace(problem, jobs=(*problem.jobs, job(5, NORTH), job(6, SOUTH))), SWAPPED)
    assert proposal.after == PlanCost(0, 0)
    assert {c.technician_id for c in proposal.changes if c.job_id.int == 105} == {ANN}
    assert {c.technician_id for c in proposal.changes if c.job_id.int == 106} == {BOB}


def test_filling_alone_keeps_every_rule_on_random_days() -> None:
    for seed in range(40):
        problem = random_problem(random.Random(seed), 4, 18, placed=0.6)
        proposed(problem, {})


def test_a_token_says_what_was_proposed() -> None:
    problem, location = crossed(), UUID(int=5)
    proposal = proposed(problem, SWAPPED)
    token = token_from_content(token_content(proposal, location))
    assert (token.location_id, token.day, token.version) == (location, DAY, problem.version)
    assert set(token.visits) == {PlannedVisit(c.job_id, c.technician_id, c.start) for c in proposal.changes}
    assert still_applies(token, problem, EIGHT)
    assert not still_applies(token, problem, EIGHT + 3 * HOUR + MINUTE)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"technician_id": None},
        {"start": EIGHT + 3.5 * HOUR},
        {"promised": (EIGHT, EIGHT + 7 * HOUR)},
    ],
)
def test_a_token_is_stale_when_an_appointment_has_changed(changed: dict[str, object]) -> None:
    token = token_from_content(token_content(proposed(crossed(), SWAPPED), UUID(int=5)))
    assert not still_applies(token, crossed(**changed), EIGHT)  # type: ignore[arg-type]


def test_a_token_is_stale_when_a_working_day_or_the_list_of_jobs_has_changed() -> None:
    problem = crossed()
    token = token_from_content(token_content(proposed(problem, SWAPPED), UUID(int=5)))
    ann, bob = problem.days
    for other in (
        replace(ann, time_off=((EIGHT, EIGHT + HOUR),)),
        replace(ann, lunch=Lunch(timedelta(minutes=30), EIGHT, EIGHT + HOUR)),
        replace(ann, shifts=()),
        day_of(ANN, NORTH, "gas water"),
        day_of(ANN, SOUTH),
    ):
        assert not still_applies(token, replace(problem, days=(other, bob)), EIGHT)
    assert not still_applies(token, replace(problem, jobs=problem.jobs[1:]), EIGHT)
    assert still_applies(token, replace(problem, days=(bob, ann), jobs=problem.jobs[::-1]), EIGHT)


@pytest.mark.parametrize(
    "content",
    [None, [], {}, {"location": "x", "day": "2026-06-01", "version": "v", "visits": []}]
    + [
        {"location": str(ANN), "day": "2026-06-01", "version": "v", "visits": visits}
        for visits in ([1], [[str(ANN), str(BOB)]], [[str(ANN), "x", 1]], [[str(ANN), str(BOB), "1"]])
    ],
)
def test_content_of_another_shape_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match=r"day plan|badly formed"):
        token_from_content(content)
