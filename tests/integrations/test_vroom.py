"""The solver through our own adapter: its plans keep every rule, and a solver that hangs or dies changes nothing."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from domain.day_plan import DayProblem
from domain.day_plan_propose import propose
from domain.travel import GreatCircleTravel
from integrations.vroom import SOLVER, SolverError, SolverFailure, Vroom
from tests.domain.plan_checker import violations
from tests.domain.random_plans import random_problem

TRAVEL = GreatCircleTravel()
FIXED = range(10)
FRESH = [random.SystemRandom().getrandbits(48) for _ in range(10)]
WRITE_PID = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))"


def small() -> DayProblem:
    return random_problem(random.Random(1), 3, 10)


async def check_plans(seeds: Iterable[int], technicians: int, jobs: int, seconds: float | None) -> int:
    """Plan random days and check each; how many got better."""
    better = 0
    for seed in seeds:
        problem = random_problem(random.Random(seed), technicians, jobs)
        routes = await Vroom(seconds=seconds).routes(problem, TRAVEL)
        proposal = propose(problem, routes, TRAVEL)
        assert violations(problem, proposal, TRAVEL) == [], (
            f"random_problem(random.Random({seed}), {technicians}, {jobs})"
        )
        better += proposal.after < proposal.before
    return better


@pytest.mark.parametrize("seeds", [FIXED, FRESH], ids=["fixed", "fresh"])
async def test_plans_of_random_days_keep_every_rule(seeds: Iterable[int]) -> None:
    assert await check_plans(seeds, 4, 18, seconds=0.5) >= 5


@pytest.mark.soak
async def test_plans_of_full_days_keep_every_rule() -> None:
    assert await check_plans(FRESH, 15, 90, seconds=None) >= 8
    assert await check_plans(FRESH[:2], 50, 350, seconds=None) == 2


def command(program: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", program, *arguments)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_a_solver_that_hangs_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hung = Vroom(seconds=0.3, grace=1.5, command=command(f"{WRITE_PID}; time.sleep(600)", str(pid)))
    with pytest.raises(SolverError) as failed:
        await hung.routes(small(), TRAVEL)
    assert failed.value.failure is SolverFailure.TIMED_OUT
    assert is_gone(int(pid.read_text()))


async def test_a_solver_whose_request_is_cancelled_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    hung = Vroom(seconds=60, command=command(f"{WRITE_PID}; time.sleep(600)", str(pid)))
    asking = asyncio.create_task(hung.routes(small(), TRAVEL))
    while not pid.exists() or not pid.read_text():
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert is_gone(int(pid.read_text()))


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
        ("raise SystemExit('out of memory')", "exit code 1: out of memory"),
        ("pass", "no solution"),
        ("import sys, pathlib; pathlib.Path(sys.argv[2]).write_text('{')", "no solution"),
    ],
)
async def test_a_solver_that_dies_is_told(program: str, told: str) -> None:
    with pytest.raises(SolverError, match=told) as failed:
        await Vroom(command=command(program)).routes(small(), TRAVEL)
    assert failed.value.failure is SolverFailure.CRASHED


async def test_nothing_to_plan_starts_no_solver() -> None:
    broken = Vroom(command=("/nonexistent",))
    problem = small()
    assert await broken.routes(DayProblem(problem.day, problem.days, ()), TRAVEL) == {}
    assert await broken.routes(DayProblem(problem.day, (), problem.jobs), TRAVEL) == {}


def test_a_solver_whose_parent_died_ends_by_itself(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "problem")  # opening it blocks for ever
    ended = subprocess.run(
        [sys.executable, "-I", str(SOLVER), str(tmp_path / "problem"), str(tmp_path / "solution"), "1", "1", "1"],
        check=False,
        timeout=60,
    )
    assert ended.returncode == -14
