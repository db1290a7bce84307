"""Day plans by VROOM (https://github.com/VROOM-Project/vroom, through pyvroom), in a process of its own that is killed when it hangs."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.day_plan import DayProblem, PlanJob
from domain.geo_point import points_array
from domain.slots import TechnicianDay
from domain.travel import TravelTimes

SOLVER = Path(__file__).with_name("vroom_solver.py")
_PRIORITY_PLACED = 100
_PRIORITY_NEW = 1


class SolverFailure(StrEnum):
    """How a solver failed."""

    TIMED_OUT = "TIMED_OUT"
    """It did not end in time and was killed."""
    CRASHED = "CRASHED"
    """It ended with an error, or was killed from outside."""


class SolverError(Exception):
    """There are no routes; nothing has changed."""

    def __init__(self, failure: SolverFailure, detail: str) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Vroom:
    """A solver of day plans.

    Args:
        seconds: that searching may take in all; VROOM stops then and gives the best plan that it has. A second for every 40 jobs,
            at least 1 and at most 10, when None.
        grace: seconds beyond its share of that after which a process is killed.
        threads: of the solver; as many as there are processors, up to 4, when None.
        command: the program and its first arguments; tests put one here that hangs.
    """

    seconds: float | None = None
    grace: float = 5.0
    threads: int | None = None
    command: tuple[str, ...] = (sys.executable, "-I", str(SOLVER))

    async def routes(self, problem: DayProblem, travel: TravelTimes) -> dict[UUID, tuple[UUID, ...]]:
        """Routes of technicians whose day is open to change.

        VROOM decides early whether a break comes before or after a visit, and may so miss that a tight day can be kept, and drop one
        of its jobs. Whose job that is keeps the day as it stands, and the others are planned once more.

        Raises:
            SolverError: the solver crashed or did not end in time.
        """
        days = problem.open_to_change(travel)
        seconds = self.seconds or min(max(len(problem.jobs) / 40, 1.0), 10.0)
        for share in (2 / 3, 1 / 3):
            routes = await self._routes(problem, days, travel, seconds * share)
            visited = {job_id for route in routes.values() for job_id in route}
            lost = {who for who in routes for job_id in problem.current[who] if job_id not in visited}
            if not lost:
                return routes
            days = tuple(day for day in days if day.technician.id not in lost)
        return {}

    async def _routes(
        self, problem: DayProblem, days: Sequence[TechnicianDay], travel: TravelTimes, seconds: float
    ) -> dict[UUID, tuple[UUID, ...]]:
        jobs = _movable(problem, days) if days else []
        if not jobs:
            return {}
        with tempfile.TemporaryDirectory(prefix="sps-plan-") as folder:
            asked = Path(folder) / "problem.json"
            await asyncio.to_thread(_write, asked, problem, days, jobs, travel)
            answered = await self._solve(asked, asked.with_name("solution.json"), seconds)
        routes: dict[UUID, tuple[UUID, ...]] = {day.technician.id: () for day in days}
        for route in answered["routes"]:
            visits = (step["id"] for step in route["steps"] if step["type"] == "job")
            routes[days[route["vehicle"]].technician.id] = tuple(jobs[index].id for index in visits)
        return routes

    async def _solve(self, problem: Path, solution: Path, seconds: float) -> dict[str, Any]:
        threads = self.threads or min(os.cpu_count() or 1, 4)
        kill_after = seconds + self.grace
        process = await asyncio.create_subprocess_exec(
            *self.command,
            *map(str, (problem, solution, seconds, threads, int(kill_after) + 1)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(kill_after):
                _, errors = await process.communicate()
        except TimeoutError:
            raise SolverError(SolverFailure.TIMED_OUT, f"no plan after {kill_after:g} s") from None
        finally:
            # Also when the request is cancelled: a solver that nobody waits for would keep a processor busy.
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            last = errors.decode(errors="replace").strip().rpartition("\n")[2]
            raise SolverError(SolverFailure.CRASHED, f"exit code {process.returncode}: {last}")
        try:
            answered: dict[str, Any] = json.loads(await asyncio.to_thread(solution.read_bytes))
        except (FileNotFoundError, ValueError) as error:
            raise SolverError(SolverFailure.CRASHED, f"no solution: {error}") from error
        return answered


def _write(
    file: Path, problem: DayProblem, days: Sequence[TechnicianDay], jobs: Sequence[PlanJob], travel: TravelTimes
) -> None:
    file.write_text(json.dumps(vroom_problem(problem, days, jobs, travel)))


def _movable(problem: DayProblem, days: Sequence[TechnicianDay]) -> list[PlanJob]:
    """Jobs that the solver is asked about: those of open days, and those without a place that somebody could take."""
    technicians = {day.technician.id for day in days}
    return [
        job
        for job in problem.jobs
        if (job.technician_id in technicians if problem.placed(job) else _takeable(problem, days, job))
    ]


def _takeable(problem: DayProblem, days: Sequence[TechnicianDay], job: PlanJob) -> bool:
    visit = problem.visit(job)
    in_time = max(visit.first, _origin(problem, days)) <= visit.last
    return job.job.point is not None and in_time and any(problem.may_take(day, job) for day in days)


def vroom_problem(
    problem: DayProblem, days: Sequence[TechnicianDay], jobs: Sequence[PlanJob], travel: TravelTimes
) -> dict[str, Any]:
    """The problem in VROOM's terms: vehicles and jobs are numbered by their place in `days` and `jobs`.

    Whom a job may go to is said by one made-up skill for each group of technicians who may have the same jobs; that also locks a job
    to one technician. Times are seconds since the first working minute.
    """
    origin = _origin(problem, days)
    points = points_array([*(day.technician.home for day in days), *(job.job.point for job in jobs)])
    takers = [frozenset(n for n, day in enumerate(days) if problem.may_take(day, job)) for job in jobs]
    groups = {group: skill for skill, group in enumerate(dict.fromkeys(takers))}
    return {
        "vehicles": [
            {
                "id": number,
                "start_index": number,
                "end_index": number,
                "time_window": [start - origin for start in problem.frames[day.technician.id].clock.bounds],
                "skills": [skill for group, skill in groups.items() if number in group],
                "breaks": _breaks(problem, day, origin, travel),
            }
            for number, day in enumerate(days)
        ],
        "jobs": [
            {
                "id": number,
                "location_index": len(days) + number,
                "service": visit.length,
                "skills": [groups[takers[number]]],
                "priority": _PRIORITY_PLACED if problem.placed(job) else _PRIORITY_NEW,
                "time_windows": [[max(visit.first - origin, 0), visit.last - origin]],
            }
            for number, (job, visit) in enumerate((job, problem.visit(job)) for job in jobs)
        ],
        "matrices": {"car": {"durations": travel.matrix(points, points).tolist()}},
    }


def _origin(problem: DayProblem, days: Sequence[TechnicianDay]) -> int:
    return min(problem.frames[day.technician.id].clock.bounds[0] for day in days)


def _breaks(problem: DayProblem, day: TechnicianDay, origin: int, travel: TravelTimes) -> list[dict[str, Any]]:
    """Pauses and time off as breaks at their times; lunch as one that may begin at several.

    VROOM takes breaks in a fixed order, so that lunch has to be given to one stretch of working time: the one with the most room
    among those in which today's route leaves room for it.
    """
    frame = problem.frames[day.technician.id]
    spans = frame.clock.spans
    breaks = [(end, end, start - end) for (_, end), (start, _) in pairwise(spans)]
    if frame.lunch is not None:
        route, length = problem.current[day.technician.id], frame.lunch[0]
        stretches = sorted(frame.lunches, key=lambda stretch: stretch[0] - stretch[1])
        first, last = next(
            (first, last)
            for first, last in stretches
            if problem.timed(day.technician.id, route, travel, replace(frame, lunch=(length, first, last))) is not None
        )
        breaks.append((frame.clock.start_of(first), frame.clock.start_of(last), length))
    return [
        {"id": index, "time_windows": [[first - origin, last - origin]], "service": length}
        for index, (first, last, length) in enumerate(breaks)
    ]
