"""The slot search against a minute-by-minute oracle: on random working days both find the same starts, all of them and no others.

Every window of these searches is a single tick, so that a difference of one minute at either end of any interval shows.
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from domain.slots import Stop, TechnicianDay
from domain.slots_place import Placement, place
from domain.slots_prepare import prepare
from domain.slots_search import offered_windows
from tests.domain.oracle import Oracle
from tests.domain.random_days import Case, random_case

FIXED = range(60)
FRESH = [random.SystemRandom().getrandbits(48) for _ in range(60)]
Starts = dict[UUID, dict[datetime, int]]


def searched(case: Case) -> Starts:
    """The feasible starts of each technician and the driving that they add, as the search tells them."""
    schedule = prepare(case.days, case.travel, case.now)
    starts: Starts = {day.technician.id: {} for day in case.days}
    for offered in offered_windows(schedule, case.job, case.ticks(), case.travel):
        for candidate in offered.candidates:
            starts[candidate.technician_id][candidate.earliest_start] = candidate.added_travel
    return starts


def simulated(case: Case) -> Starts:
    """The same, as the oracle tells them."""
    return {day.technician.id: oracle(case, day).starts() for day in case.days}


def oracle(case: Case, day: TechnicianDay) -> Oracle:
    return Oracle(day, case.job, case.travel, case.now, case.tick)


def compare(seeds: Iterable[int], tick: int = 60, horizon: int = 220) -> tuple[int, int]:
    """Technician-days, and how many of them have a place for the job.

    Raises:
        AssertionError: the two differ; the seed is named.
    """
    days = feasible = 0
    for seed in seeds:
        case = random_case(random.Random(seed), tick=tick, horizon=horizon)
        want = simulated(case)
        assert searched(case) == want, f"random_case(random.Random({seed}), tick={tick}, horizon={horizon})"
        days += len(want)
        feasible += sum(bool(starts) for starts in want.values())
    return days, feasible


@pytest.mark.parametrize("seeds", [FIXED, FRESH], ids=["fixed", "fresh"])
def test_search_and_oracle_agree(seeds: Iterable[int]) -> None:
    days, feasible = compare(seeds)
    assert days == 300
    assert 0.2 < feasible / days < 0.8


def test_search_and_oracle_agree_to_the_second() -> None:
    assert compare(FIXED[:20], tick=1)[1] > 20


@pytest.mark.soak
def test_search_and_oracle_agree_on_many_days() -> None:
    compare(random.SystemRandom().getrandbits(48) for _ in range(2000))
    compare((random.SystemRandom().getrandbits(48) for _ in range(100)), horizon=600)


@pytest.mark.parametrize("seeds", [FIXED[:15], FRESH[:15]], ids=["fixed", "fresh"])
def test_windows_are_offered_by_their_first_feasible_start(seeds: Iterable[int]) -> None:
    for seed in seeds:
        case = random_case(random.Random(seed))
        ticks = [tick for tick, _ in case.ticks()]
        windows = list(zip(ticks[:-30:7], ticks[30::7], strict=False))
        want = simulated(case)
        offered = offered_windows(prepare(case.days, case.travel, case.now), case.job, windows, case.travel)
        told = {
            (window, candidate.technician_id): (candidate.earliest_start, candidate.added_travel)
            for window, candidates in offered
            for candidate in candidates
        }
        for window in windows:
            for who, starts in want.items():
                inside = [start for start in starts if window[0] <= start <= window[1]]
                assert told.get((window, who)) == ((inside[0], starts[inside[0]]) if inside else None), seed
        for _, candidates in offered:
            ranks = [(candidate.added_travel, candidate.earliest_start) for candidate in candidates]
            assert ranks == sorted(ranks), seed


@pytest.mark.parametrize("seeds", [FIXED[:15], FRESH[:15]], ids=["fixed", "fresh"])
def test_placing_breaks_nothing_and_moves_nobody_needlessly(seeds: Iterable[int]) -> None:
    for seed in seeds:
        rng = random.Random(seed)
        case = random_case(rng)
        for day in case.days:
            starts = sorted(oracle(case, day).starts())
            for start in rng.sample(starts, min(3, len(starts))):
                placed = place(day, case.job, (start, start), case.travel, case.now)
                assert isinstance(placed, Placement), seed
                assert placed.start == start
                check_placement(case, day, placed, seed)
            unserved = [tick for tick, _ in case.ticks() if tick not in starts]
            refused = place(day, case.job, (unserved[0], unserved[0]), case.travel, case.now)
            assert isinstance(refused, tuple)
            assert refused
            assert not isinstance(refused, Placement)


def check_placement(case: Case, day: TechnicianDay, placed: Placement, seed: int) -> None:
    """The day with the job in it and the moves made, everything at its time: the oracle says whether it can be kept."""
    kept = oracle(case, day).keepable(lunch=False)
    moved = {move.stop_id: move for move in placed.moves}
    still = replace(day, stops=tuple(replace(stop, fixed=True) for stop in day.stops))
    unmoved = oracle(case, still)
    if placed.start in unmoved.starts() and unmoved.keepable(lunch=False) == kept:
        assert not moved, seed
    if not kept:
        assert not moved, seed
        return
    after = []
    for stop in day.stops:
        if stop.id in moved:
            move = moved[stop.id]
            assert not stop.fixed, seed
            assert stop.promised is not None, seed
            assert stop.promised[0] <= move.start <= stop.promised[1], seed
            assert move.end - move.start == stop.end - stop.start, seed
            stop = replace(stop, start=move.start, end=move.end)
        after.append(replace(stop, fixed=True))
    job = Stop(UUID(int=999), case.job.point, placed.start, placed.end, fixed=True)
    assert oracle(case, replace(day, stops=(*after, job))).keepable(lunch=True), seed
