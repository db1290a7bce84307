"""The demo's customers in the order in which they are visited, and the visits that are made to them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TypeAlias

from domain.appointment import AppointmentStatus
from domain.geo_point import GeoPoint, Points, points_array
from domain.local_time import Interval
from domain.travel import GreatCircleTravel
from resolvers.demo_customers import DemoCustomer

# To find the house and a place to park.
SHORTEST_DRIVE = timedelta(minutes=4)
LOOK_AHEAD = 8

# Positions of a service in the catalog and of its option, if any.
Lines: TypeAlias = tuple[tuple[int, int | None], ...]


@dataclass(slots=True)
class Visit:
    """A visit of the demo. Customers, technicians and services go by their positions in their tables.

    Args:
        north: served from Round Rock, not from Austin.
        lines: (service, option or None).
        starts_at, ends_at: when it is planned; None for a request.
        leaves_at: when the technician has to set off.
        arrival: what the customer was promised, or asked for.
    """

    customer: int
    address: int
    north: bool
    lines: Lines
    minutes: int
    emergency: bool = False
    technician: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    leaves_at: datetime | None = None
    arrival: Interval | None = None
    status: AppointmentStatus = AppointmentStatus.SCHEDULED
    on_the_way_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    eta: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A customer's address, and how long the drive there takes."""

    customer: int
    address: int
    point: GeoPoint
    drive: timedelta


class Pool:
    """Customers waiting for their turn: whoever is visited comes last again.

    Args:
        rng: shuffles them once.
    """

    def __init__(self, rng: Random, customers: Sequence[DemoCustomer]) -> None:
        places = [
            (place.north, (customer, address, place.point))
            for customer, each in enumerate(customers)
            for address, place in enumerate(each.addresses)
        ]
        rng.shuffle(places)
        self._waiting = {north: deque(where for side, where in places if side is north) for north in (False, True)}

    def near(self, place: GeoPoint, *, north: bool, wanted: timedelta = timedelta(), among: int = LOOK_AHEAD) -> Stop:
        """Of those who have waited longest, the one whose drive comes nearest to the wanted one."""
        first = [where for where, _ in zip(self._waiting[north], range(among), strict=False)]
        seconds = _TRAVEL.matrix(_points(place), _points(*(point for _, _, point in first)))[0]
        stops = [
            Stop(*where, max(timedelta(seconds=int(drive)), SHORTEST_DRIVE))
            for where, drive in zip(first, seconds, strict=True)
        ]
        return min(stops, key=lambda stop: abs(stop.drive - wanted))

    def take(self, stop: Stop, *, north: bool) -> None:
        """This one has a turn."""
        waiting = self._waiting[north]
        where = (stop.customer, stop.address, stop.point)
        waiting.remove(where)
        waiting.append(where)


def drive_home(place: GeoPoint, home: GeoPoint) -> timedelta:
    """How long the way back takes."""
    return timedelta(seconds=int(_TRAVEL.legs(_points(place), _points(home))[0]))


_TRAVEL = GreatCircleTravel()


def _points(*places: GeoPoint) -> Points:
    return points_array(GeoPoint(place.latitude, place.longitude) for place in places)
