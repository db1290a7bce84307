"""Random working days and jobs for comparisons with the oracle: small, crowded, and with every rule in play."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from domain.geo_point import GeoPoint, Points
from domain.service_area import ServiceArea
from domain.slots import Job, Lunch, Stop, Technician, TechnicianDay

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
AREA = ServiceArea(center=GeoPoint(0, 0), radius_km=50, postal_codes=("787*",))
FAR_AWAY = GeoPoint(5.0, 5.0)
SKILLS = ("gas", "electric", "refrigeration")
_PLACES = 12


@dataclass(frozen=True)
class TableTravel:
    """Drives of whole ticks out of a random table: neither symmetric nor metric. Place n has latitude n / 100."""

    table: tuple[tuple[int, ...], ...]
    tick: int

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        table = np.array(self.table, dtype=np.int64) * self.tick
        return np.asarray(table[np.ix_(_indexes(origins), _indexes(destinations))])

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        table = np.array(self.table, dtype=np.int64) * self.tick
        return np.asarray(table[_indexes(origins), _indexes(destinations)])

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        return self.table[_index(origin)][_index(destination)] * self.tick


def _index(point: GeoPoint) -> int:
    return round(point.latitude * 100) % _PLACES


def _indexes(points: Points) -> NDArray[np.int64]:
    return np.asarray(np.round(points[:, 0] * 100).astype(np.int64) % _PLACES)


@dataclass(frozen=True)
class Case:
    """Working days of several technicians, one job, and the moment at which it is asked for."""

    days: tuple[TechnicianDay, ...]
    job: Job
    travel: TableTravel
    now: datetime | None
    tick: int
    horizon: int

    def ticks(self) -> list[tuple[datetime, datetime]]:
        """An arrival window of no length for every tick that any of the days can touch."""
        # A shift is stretched over its stops, now and then far past the horizon.
        latest = max((end for day in self.days for _, end in day.shifts), default=_at(self.tick, 0))
        past = int((latest - _at(self.tick, 0)).total_seconds()) // self.tick
        return [(_at(self.tick, offset),) * 2 for offset in range(-40, max(self.horizon + 80, past + 1))]


def random_case(rng: random.Random, technicians: int = 5, tick: int = 60, horizon: int = 220) -> Case:
    """A job and that many working days of about `horizon` ticks each."""
    longest = rng.choice((4, 8, 16, 24))
    table = tuple(tuple(0 if a == b else rng.randint(0, longest) for b in range(_PLACES)) for a in range(_PLACES))
    travel = TableTravel(table, tick)
    days = tuple(_day(rng, UUID(int=number + 1), travel, tick, horizon) for number in range(technicians))
    place: GeoPoint | None = _place(rng)
    if rng.random() < 0.05:
        place = rng.choice((None, FAR_AWAY))
    job = Job(
        point=place,
        duration=timedelta(seconds=tick * rng.choice((1, 2, rng.randint(3, 45)))),
        skills=frozenset(rng.sample(SKILLS, rng.choice((0, 0, 1, 1, 2)))),
        postal_code=rng.choice((None, "78701", "10001")),
    )
    now = _at(tick, rng.randint(-30, horizon)) if rng.random() < 0.5 else None
    return Case(days, job, travel, now, tick, horizon)


def _at(tick: int, offset: int) -> datetime:
    return START + timedelta(seconds=tick * offset)


def _offset(tick: int, instant: datetime) -> int:
    return int((instant - START).total_seconds()) // tick


def _place(rng: random.Random) -> GeoPoint:
    return GeoPoint(rng.randrange(_PLACES) / 100, 0.0)


def _day(rng: random.Random, who: UUID, travel: TableTravel, tick: int, horizon: int) -> TechnicianDay:
    home = None if rng.random() < 0.03 else _place(rng)
    technician = Technician(who, frozenset(s for s in SKILLS if rng.random() < 0.8), home, AREA)
    begin, end = rng.randint(0, 20), horizon - rng.randint(0, 40)
    stops = _stops(rng, home or _place(rng), travel, tick, begin, end)
    if stops and rng.random() < 0.2:
        # The shift ends about when the technician is home again.
        last = max(stops, key=lambda stop: stop.end)
        drive = travel.leg(last.point or _place(rng), home or _place(rng)) // tick
        end = max(begin + 80, _offset(tick, last.end) + drive + rng.choice((-3, -1, 0, 0, 1, 5)))
    shifts: tuple[tuple[datetime, datetime], ...] = ((_at(tick, begin), _at(tick, end)),)
    if rng.random() < 0.25:
        middle = rng.randint(begin + 30, end - 40)
        shifts = (
            (_at(tick, begin), _at(tick, middle)),
            (_at(tick, middle + rng.choice((0, 1, 15, 35))), _at(tick, end)),
        )
    if rng.random() < 0.03:
        shifts = ()
    return TechnicianDay(
        technician=technician,
        day=date(2026, 6, 1),
        shifts=shifts,
        time_off=tuple(_time_off(rng, tick, horizon, stops) for _ in range(rng.choice((0, 0, 0, 1, 1, 2)))),
        lunch=_lunch(rng, tick, horizon) if rng.random() < 0.6 else None,
        stops=tuple(stops),
    )


def _time_off(rng: random.Random, tick: int, horizon: int, stops: list[Stop]) -> tuple[datetime, datetime]:
    start = rng.randint(-20, horizon)
    if stops and rng.random() < 0.6:
        start = _offset(tick, rng.choice(stops).end) + rng.choice((-1, 0, 0, 0, 1))
    return _at(tick, start), _at(tick, start + rng.randint(1, 50))


def _lunch(rng: random.Random, tick: int, horizon: int) -> Lunch:
    length = rng.randint(5, 35)
    earliest = rng.randint(30, horizon - 60)
    if rng.random() < 0.05:
        earliest += horizon
    latest = earliest + length + rng.choice((-1, 0, 1, rng.randint(2, 90), rng.randint(2, 90), rng.randint(2, 90)))
    return Lunch(timedelta(seconds=tick * length), _at(tick, earliest), _at(tick, latest))


def _stops(rng: random.Random, home: GeoPoint, travel: TableTravel, tick: int, begin: int, end: int) -> list[Stop]:
    """Up to 8 stops, most of them planned with room for the drives and inside the shift, some not."""
    stops: list[Stop] = []
    wanted, clock, here, tidy = rng.randint(0, 8), begin, home, rng.random() < 0.8
    for number in range(wanted):
        place = _place(rng)
        drive = travel.leg(here, place) // tick if tidy else rng.randint(0, 10)
        start = clock + drive + rng.choice((0, 0, 1, rng.randint(0, 12), rng.randint(0, 60)))
        length = rng.randint(1, 30)
        if tidy and start + length + travel.leg(place, home) // tick > end:
            break
        promised = None
        if rng.random() < 0.75:
            low, high = start - rng.choice((0, 1, rng.randint(0, 40))), start + rng.choice((0, 1, rng.randint(0, 40)))
            promised = (_at(tick, low), _at(tick, high))
            if rng.random() < 0.04:
                promised = (_at(tick, start + 1), _at(tick, start + 30))
        stops.append(
            Stop(
                id=UUID(int=number + 1),
                point=None if rng.random() < 0.03 else place,
                start=_at(tick, start),
                end=_at(tick, start + length),
                promised=promised,
                fixed=rng.random() < 0.12,
            )
        )
        clock, here = start + length, place
    rng.shuffle(stops)
    return stops
