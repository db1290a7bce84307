"""How long a day plan takes and what it is worth; how near to the optimum the solver comes on a published instance.

`python -m benchmarks.day_plan` plans random days of 15 technicians with 90 jobs and of 50 with 350, from a plan of today that was put
together at random. `--solomon FILE OPTIMUM` solves an instance in Solomon's format through the same adapter instead: technicians are its
vehicles, distances are cut to one decimal as in the literature on exact solutions, and OPTIMUM is the best distance known for that.
The adapter knows no loads; the largest one of the plan is printed, and while it is within the capacity the comparison is fair.
"""

import argparse
import asyncio
import random
import re
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.day_plan import DayProblem, PlanJob
from domain.day_plan_propose import propose
from domain.geo_point import GeoPoint, Points
from domain.slots import Job, Technician, TechnicianDay
from domain.travel import GreatCircleTravel
from integrations.vroom import Vroom
from tests.domain.plan_checker import violations
from tests.domain.random_plans import random_problem

TENTH = timedelta(seconds=1)
"""A tenth of the unit of Solomon's instances."""
START = datetime(2026, 6, 1, tzinfo=UTC)


class PlaneTravel:
    """Straight lines in a plane, cut to one decimal: a tenth of a unit is a second."""

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to each destination."""
        return self._cut(origins[:, None, :] - destinations[None, :, :])

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to the destination of the same index."""
        return self._cut(origins - destinations)

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        """Time from one place to another."""
        across = np.array([[origin.latitude - destination.latitude, origin.longitude - destination.longitude]])
        return int(self._cut(across)[0])

    def _cut(self, across: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.floor(np.hypot(across[..., 0], across[..., 1]) * 10 + 1e-9).astype(np.int64)


def solomon(file: Path) -> tuple[DayProblem, dict[UUID, int], int]:
    """An instance as a day without a plan, the demand of each job, and the capacity of a vehicle."""
    rows = [[float(cell) for cell in re.findall(r"[\d.]+", line)] for line in file.read_text().splitlines()[1:]]
    (vehicles, capacity), *_ = (row for row in rows if len(row) == 2)
    depot, *customers = (row for row in rows if len(row) == 7)

    def at(units: float) -> datetime:
        return START + units * 10 * TENTH

    days = tuple(
        TechnicianDay(
            Technician(UUID(int=number + 1), frozenset(), GeoPoint(depot[1], depot[2])),
            date(2026, 6, 1),
            ((at(depot[4]), at(depot[5])),),
        )
        for number in range(int(vehicles))
    )
    jobs = tuple(
        PlanJob(UUID(int=int(row[0])), 1, Job(GeoPoint(row[1], row[2]), row[6] * 10 * TENTH), (at(row[4]), at(row[5])))
        for row in customers
    )
    return (
        DayProblem(START.date(), days, jobs),
        {UUID(int=int(row[0])): int(row[3]) for row in customers},
        int(capacity),
    )


async def solve_instance(file: Path, optimum: float, seconds: float) -> None:
    """Print how near to the optimum the adapter comes."""
    problem, demand, capacity = solomon(file)
    travel = PlaneTravel()
    begun = time.perf_counter()
    routes = await Vroom(seconds=seconds).routes(problem, travel)
    proposal = propose(problem, routes, travel)
    took = time.perf_counter() - begun
    loads = [sum(demand[job_id] for job_id in route) for route in routes.values()]
    distance = proposal.after.travel / 10
    print(
        f"{file.stem}: {len(problem.jobs)} jobs, {proposal.after.unplaced} unplaced, {sum(map(bool, routes.values()))} vehicles, "
        f"distance {distance:.1f}, best known {optimum:.1f}, gap {distance / optimum - 1:.2%}, {took:.1f} s, "
        f"largest load {max(loads)} of {capacity}, violations {len(violations(problem, proposal, travel))}"
    )


async def plan_days(technicians: int, jobs: int, runs: int) -> None:
    """Print what plans of random days take and gain."""
    travel = GreatCircleTravel()
    times, kept, broken, placed, driven = [], 0, 0, [], []
    for seed in range(runs):
        problem = random_problem(random.Random(seed), technicians, jobs)
        begun = time.perf_counter()
        proposal = propose(problem, await Vroom().routes(problem, travel), travel)
        times.append(time.perf_counter() - begun)
        kept += proposal.after == proposal.before
        broken += len(violations(problem, proposal, travel))
        placed.append(proposal.before.unplaced - proposal.after.unplaced)
        driven.append(1 - proposal.after.travel / max(proposal.before.travel, 1))
    print(
        f"{technicians} technicians, {jobs} jobs, {runs} plans: {np.median(times):.1f} s (longest {max(times):.1f} s), violations {broken}, "
        f"not better {kept}, {np.median(placed):.0f} more jobs placed, {np.median(driven):.0%} less driving"
    )


async def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--solomon", nargs=2, metavar=("FILE", "OPTIMUM"))
    parser.add_argument(
        "--seconds", type=float, default=7.5, help="for --solomon; two thirds of it is the solver's first share"
    )
    asked = parser.parse_args()
    if asked.solomon:
        await solve_instance(Path(asked.solomon[0]), float(asked.solomon[1]), asked.seconds)
    else:
        await plan_days(15, 90, asked.runs)
        await plan_days(50, 350, max(asked.runs // 5, 1))


if __name__ == "__main__":
    asyncio.run(main())
