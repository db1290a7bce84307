"""Impossible input gives typed reasons and no exception; the reason named is the rule that is in the way."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from domain.geo_point import GeoPoint
from domain.service_area import ServiceArea
from domain.slots import Job, Lunch, Obstacle, SlotSearch, Stop, Technician, TechnicianDay
from domain.slots_explain import obstacles, search
from domain.slots_place import Placement, place
from domain.slots_windows import CandidateWindows
from domain.suggestion import CONTRACT_REASON, InfeasibleReason, suggest
from domain.travel import GreatCircleTravel
from tests.domain.oracle import Oracle
from tests.domain.random_days import random_case

HOME = GeoPoint(30.2672, -97.7431)
NEAR = GeoPoint(30.2700, -97.7431)
FAR = GeoPoint(30.7, -97.7431)  # 48 km, more than an hour's drive
EIGHT = datetime(2026, 6, 1, 8, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALL_DAY = CandidateWindows(((EIGHT - 8 * HOUR, EIGHT + 15 * HOUR),))
JOB = Job(NEAR, HOUR, frozenset({"gas"}), "78701")
TRAVEL = GreatCircleTravel()


def technician(number: int = 1) -> Technician:
    return Technician(UUID(int=number), frozenset({"gas"}), HOME, ServiceArea(center=HOME, radius_km=60))


DAY = TechnicianDay(technician(), date(2026, 6, 1), shifts=((EIGHT, EIGHT + 9 * HOUR),))


def stop(begin: float, end: float, point: GeoPoint | None = HOME) -> Stop:
    return Stop(UUID(int=int(begin * 100)), point, EIGHT + begin * HOUR, EIGHT + end * HOUR)


def lunch(earliest: float, latest: float, hours: float = 0.5) -> Lunch:
    return Lunch(hours * HOUR, EIGHT + earliest * HOUR, EIGHT + latest * HOUR)


def found(day: TechnicianDay, job: Job = JOB) -> SlotSearch:
    return search([day], job, ALL_DAY, TRAVEL)


def test_an_ordinary_day_is_offered() -> None:
    assert found(DAY).windows
    assert found(DAY).obstacles == frozenset()


@pytest.mark.parametrize(
    ("day", "job", "expected"),
    [
        (replace(DAY, technician=replace(technician(), skills=frozenset())), JOB, Obstacle.MISSING_SKILL),
        (DAY, replace(JOB, point=GeoPoint(35, -97)), Obstacle.OUT_OF_SERVICE_AREA),
        (replace(DAY, technician=replace(technician(), home=None)), JOB, Obstacle.NO_COORDINATES),
        (replace(DAY, shifts=()), JOB, Obstacle.NOT_WORKING),
        (replace(DAY, shifts=((EIGHT, EIGHT),)), JOB, Obstacle.NOT_WORKING),
        (replace(DAY, shifts=((EIGHT + HOUR, EIGHT),)), JOB, Obstacle.NOT_WORKING),
        (replace(DAY, shifts=((EIGHT, EIGHT + 59 * MINUTE),)), JOB, Obstacle.NOT_WORKING),
        (DAY, replace(JOB, duration=10 * HOUR), Obstacle.NOT_WORKING),
        (DAY, replace(JOB, duration=timedelta(days=400)), Obstacle.NOT_WORKING),
        (replace(DAY, time_off=((EIGHT, EIGHT + 8.5 * HOUR),)), JOB, Obstacle.TIME_OFF),
        (replace(DAY, lunch=lunch(10, 12)), JOB, Obstacle.LUNCH_OUTSIDE_SHIFT),
        (replace(DAY, lunch=lunch(3, 3.25)), JOB, Obstacle.LUNCH_OUTSIDE_SHIFT),
        (replace(DAY, lunch=lunch(4, 5, hours=1)), replace(JOB, duration=4.5 * HOUR), Obstacle.LUNCH),
        (replace(DAY, stops=(stop(0.5, 4.5), stop(5, 8.5))), JOB, Obstacle.OVERLAP),
        (replace(DAY, shifts=((EIGHT, EIGHT + 2 * HOUR),)), replace(JOB, point=FAR), Obstacle.TRAVEL),
        (replace(DAY, stops=(stop(0, 3.5), stop(5.5, 9))), replace(JOB, point=FAR), Obstacle.TRAVEL),
        (replace(DAY, stops=(stop(0, 4.5, None), stop(4.5, 9, None))), JOB, Obstacle.OVERLAP),
    ],
)
def test_each_impossibility_is_named(day: TechnicianDay, job: Job, expected: Obstacle) -> None:
    result = found(day, job)
    assert result.windows == ()
    assert result.obstacles == {expected}
    assert place(day, job, ALL_DAY.windows[0], TRAVEL) == (expected,)
    (suggestion,) = suggest([day], job, ALL_DAY.windows, TRAVEL)
    assert not suggestion.feasible
    assert suggestion.reasons == (CONTRACT_REASON[expected],)


def test_a_job_whose_place_is_not_known() -> None:
    assert found(DAY, replace(JOB, point=None)).obstacles == {Obstacle.NO_COORDINATES}


def test_all_lasting_reasons_are_named_with_the_first_of_time() -> None:
    day = replace(DAY, technician=replace(technician(), skills=frozenset()), time_off=((EIGHT, EIGHT + 9 * HOUR),))
    far = replace(JOB, point=GeoPoint(35, -97))
    assert obstacles([day], far, ALL_DAY.windows, TRAVEL) == [
        (Obstacle.MISSING_SKILL, Obstacle.OUT_OF_SERVICE_AREA, Obstacle.TIME_OFF)
    ]


def test_nobody_and_no_windows() -> None:
    assert search([], JOB, ALL_DAY, TRAVEL) == ((), frozenset({Obstacle.NO_TECHNICIANS}))
    closed = CandidateWindows((), Obstacle.OUTSIDE_HOURS)
    assert search([DAY], JOB, closed, TRAVEL) == ((), frozenset({Obstacle.OUTSIDE_HOURS}))
    assert suggest([], JOB, ALL_DAY.windows, TRAVEL) == []
    assert obstacles([DAY], JOB, (), TRAVEL) == [(Obstacle.NOT_WORKING,)]


@pytest.mark.parametrize("duration", [timedelta(0), timedelta(minutes=-5)])
def test_a_job_takes_time(duration: timedelta) -> None:
    with pytest.raises(ValueError, match="takes time"):
        Job(NEAR, duration)


def test_every_obstacle_has_a_word_in_the_contract() -> None:
    assert set(CONTRACT_REASON) == set(Obstacle)
    assert set(CONTRACT_REASON.values()) == set(InfeasibleReason)


def test_reasons_stand_exactly_where_the_oracle_finds_no_start() -> None:
    for seed in range(40):
        case = random_case(random.Random(seed))
        told = obstacles(case.days, case.job, case.ticks(), case.travel, case.now)
        for day, named in zip(case.days, told, strict=True):
            assert bool(named) != bool(Oracle(day, case.job, case.travel, case.now).starts()), seed


def test_suggestions_are_ranked_and_agree_with_the_oracle() -> None:
    for seed in range(40):
        case = random_case(random.Random(seed))
        suggestions = suggest(case.days, case.job, case.ticks(), case.travel, case.now)
        assert {s.technician_id for s in suggestions} == {day.technician.id for day in case.days}
        feasible = [s.feasible for s in suggestions]
        assert feasible == sorted(feasible, reverse=True), seed
        ranks = [(s.added_travel, s.earliest) for s in suggestions if s.feasible]
        assert ranks == sorted(ranks), seed
        for suggestion in suggestions:
            day = next(day for day in case.days if day.technician.id == suggestion.technician_id)
            starts = Oracle(day, case.job, case.travel, case.now).starts()
            if not starts:
                assert suggestion.earliest is None, seed
                assert suggestion.obstacles, seed
                continue
            assert suggestion.earliest == (min(starts), min(starts) + case.job.duration), seed
            assert suggestion.obstacles == (), seed
            assert suggestion.added_travel is not None
            assert suggestion.added_travel <= min(starts.values()), seed
            assert suggestion.best_start in starts, seed


def test_the_nearer_technician_comes_first() -> None:
    near = replace(DAY, technician=replace(technician(1), home=NEAR))
    far = replace(DAY, technician=replace(technician(2), home=FAR))
    unskilled = replace(DAY, technician=replace(technician(3), skills=frozenset()))
    ranked = suggest([unskilled, far, near], JOB, ALL_DAY.windows, TRAVEL)
    assert [s.technician_id.int for s in ranked] == [1, 2, 3]
    assert ranked[0].added_travel == 0
    assert ranked[1].added_travel == TRAVEL.leg(FAR, NEAR) * 2
    assert ranked[2].reasons == (InfeasibleReason.MISSING_SKILL,)


def test_a_stop_slides_inside_its_promise_only_when_it_must() -> None:
    promised = replace(stop(1, 2, NEAR), promised=(EIGHT, EIGHT + 4 * HOUR))
    day = replace(DAY, shifts=((EIGHT, EIGHT + 4 * HOUR),), stops=(promised,))
    short, long = replace(JOB, duration=30 * MINUTE), replace(JOB, duration=1.5 * HOUR)
    still = place(day, short, (EIGHT, EIGHT + HOUR), TRAVEL)
    assert isinstance(still, Placement)
    assert still.moves == ()
    sliding = place(day, long, (EIGHT, EIGHT + HOUR), TRAVEL)
    assert isinstance(sliding, Placement)
    drive = timedelta(seconds=TRAVEL.leg(HOME, NEAR))
    assert sliding.start == EIGHT + drive
    assert [(m.stop_id, m.start, m.end - m.start) for m in sliding.moves] == [
        (promised.id, EIGHT + drive + 1.5 * HOUR, HOUR)
    ]
    fixed = replace(day, stops=(replace(promised, fixed=True),))
    assert place(fixed, long, (EIGHT, EIGHT + HOUR), TRAVEL) == (Obstacle.OVERLAP,)


def test_a_day_that_cannot_be_kept_still_offers_its_free_hours() -> None:
    crowded = replace(DAY, stops=(stop(0, 1, FAR), stop(1, 2, HOME)))
    placed = place(crowded, JOB, (EIGHT + HOUR, EIGHT + 8 * HOUR), TRAVEL)
    assert isinstance(placed, Placement)
    assert placed.start == EIGHT + 2 * HOUR + timedelta(seconds=TRAVEL.leg(HOME, NEAR))
    assert placed.moves == ()


def test_instants_between_seconds_are_rounded_to_the_safe_side() -> None:
    blink = timedelta(microseconds=1)
    day = replace(DAY, technician=replace(technician(), home=NEAR), shifts=((EIGHT, EIGHT + HOUR),))
    assert found(day).windows
    for narrower in ((EIGHT + blink, EIGHT + HOUR), (EIGHT, EIGHT + HOUR - blink)):
        assert not found(replace(day, shifts=(narrower,))).windows
    wide = replace(day, shifts=((EIGHT, EIGHT + 3 * HOUR),))
    tight = (replace(stop(0, 1, NEAR), end=EIGHT + HOUR), replace(stop(2, 3, NEAR), start=EIGHT + 2 * HOUR))
    assert found(replace(wide, stops=tight)).windows
    late = (replace(tight[0], end=EIGHT + HOUR + blink), tight[1])
    assert not found(replace(wide, stops=late)).windows
    early = (tight[0], replace(tight[1], start=EIGHT + 2 * HOUR - blink))
    assert not found(replace(wide, stops=early)).windows
