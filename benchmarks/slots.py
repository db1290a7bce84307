"""CPU time of a slot search: 50 technicians, 400 appointments a day, 14 days, a random job each time.

Run it as `python -m benchmarks.slots`. "Warm" searches working days that are prepared already, "cold" prepares them first, "first"
is the first one of the process. Only runs that offer 10 to 90 % of the windows count.
"""

import argparse
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from domain.geo_point import GeoPoint
from domain.service_area import ServiceArea
from domain.slots import Job, Lunch, Stop, Technician, TechnicianDay
from domain.slots_prepare import prepare
from domain.slots_search import offered_windows
from domain.travel import GreatCircleTravel

CENTER = GeoPoint(30.2672, -97.7431)
SKILLS = tuple(f"skill-{number}" for number in range(10))
MONDAY = datetime(2026, 6, 1, 13, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOW = 2 * HOUR


def place(rng: random.Random) -> GeoPoint:
    """Somewhere within 25 km of the center of town, more often near than far."""
    spread = 0.07
    return GeoPoint(
        CENTER.latitude + max(-0.22, min(0.22, rng.gauss(0, spread))),
        CENTER.longitude + max(-0.25, min(0.25, rng.gauss(0, spread))),
    )


def working_day(rng: random.Random, technician: Technician, start: datetime, stops: int) -> TechnicianDay:
    """Nine hours with lunch and stops that can be kept, most of them with a promised window of two hours."""
    travel, planned, clock, here = GreatCircleTravel(), [], start, technician.home or CENTER
    for number in range(stops):
        there = place(rng)
        begins = clock + timedelta(seconds=travel.leg(here, there)) + rng.choice((0, 0, 5, 15)) * MINUTE
        ends = begins + rng.choice((15, 20, 20, 30, 30)) * MINUTE
        if ends + timedelta(seconds=travel.leg(there, technician.home or CENTER)) > start + 9 * HOUR:
            break
        slot = start + (begins - start) // WINDOW * WINDOW
        promised = (slot, slot + WINDOW) if rng.random() < 0.8 else None
        planned.append(Stop(UUID(int=rng.getrandbits(128)), there, begins, ends, promised))
        clock, here = ends, there
        if number == stops // 2:
            clock += 30 * MINUTE
    return TechnicianDay(
        technician,
        start.date(),
        shifts=((start, start + 9 * HOUR),),
        time_off=((start + 6 * HOUR, start + 10 * HOUR),) if rng.random() < 0.05 else (),
        lunch=Lunch(30 * MINUTE, start + 3 * HOUR, start + 6 * HOUR),
        stops=tuple(planned),
    )


def business(rng: random.Random, technicians: int, appointments: int, days: int) -> list[TechnicianDay]:
    """Working days of all technicians on consecutive days."""
    area = ServiceArea(center=CENTER, radius_km=40)
    crew = [
        Technician(UUID(int=number + 1), frozenset(rng.sample(SKILLS, 6)), place(rng), area)
        for number in range(technicians)
    ]
    return [
        working_day(rng, technician, MONDAY + DAY * offset, appointments // technicians)
        for offset in range(days)
        for technician in crew
    ]


def measured(action: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    start = time.process_time()
    action()
    return (time.process_time() - start) * 1000


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--technicians", type=int, default=50)
    parser.add_argument("--appointments", type=int, default=400)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, travel = random.Random(asked.seed), GreatCircleTravel()
    days = business(rng, asked.technicians, asked.appointments, asked.days)
    windows = [
        (MONDAY + DAY * day + HOUR * hour, MONDAY + DAY * day + HOUR * hour + WINDOW)
        for day in range(asked.days)
        for hour in range(8)
    ]
    now = MONDAY - DAY
    warm: list[float] = []
    cold: list[float] = []
    shares: list[float] = []
    first: float | None = None
    prepared = prepare(days, travel, now)
    while len(warm) < asked.runs:
        job = Job(
            place(rng), rng.choice((45, 60, 90, 120, 180)) * MINUTE, frozenset(rng.sample(SKILLS, rng.randint(1, 4)))
        )
        alone = measured(lambda job=job: offered_windows(prepare(days, travel, now), job, windows, travel))  # type: ignore[misc]
        first = alone if first is None else first
        share = len(offered_windows(prepared, job, windows, travel)) / len(windows)
        if 0.1 <= share <= 0.9:
            cold.append(alone)
            warm.append(measured(lambda job=job: offered_windows(prepared, job, windows, travel)))  # type: ignore[misc]
            shares.append(share)
    stops = sum(len(day.stops) for day in days)
    print(
        f"{asked.technicians} technicians, {stops / asked.days:.0f} appointments a day, {asked.days} days, {len(windows)} windows"
    )
    print(f"{len(warm)} runs, windows offered: {min(shares):.0%} to {max(shares):.0%}, median {np.median(shares):.0%}")
    for name, values in (("warm", warm), ("cold", cold)):
        low, high = np.percentile(values, (50, 95))
        print(f"{name}: p50 {low:.2f} ms, p95 {high:.2f} ms CPU")
    print(f"first: {first:.2f} ms CPU")


if __name__ == "__main__":
    main()
