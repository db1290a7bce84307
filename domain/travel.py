"""How long it takes to drive from one place to another: what every engine must answer, and the estimate that needs none.

The estimate: the great circle, lengthened by a detour factor, driven at speeds that grow with the distance. Roads over the United
States are longer than the straight line by about 1.2 on average (Ballou, Rahardja and Sakai, "Selected country circuity factors for
road travel distance estimation", 2002), and short trips within a city by more than long ones (Giacomin and Levinson, "Road network
circuity in metropolitan areas", 2015); a working day consists of short trips, so the factor is 1.3. The speeds are door to door and
our own choice, on the slow side: city streets with lights and a place to park first, then arterial roads, then highways. Each
kilometre is driven at the speed of its band, so that time grows with distance, without jumps, and at a falling rate; that keeps the
triangle inequality: a detour by way of a third place is never quicker.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.geo_point import GeoPoint, Points, great_circle_km, points_array

CIRCUITY = 1.3
SPEED_BANDS: tuple[tuple[float, float], ...] = ((0.0, 25.0), (3.0, 40.0), (15.0, 65.0), (50.0, 90.0))
"""Road km from which a speed holds, and that speed in km/h."""

_FARTHEST_KM = 30_000.0


class TravelTimes(Protocol):
    """Driving times in whole seconds, rounded up. All places are known ones: no NaN comes in.

    The methods are plain functions because the search that calls them is: an engine behind a network is asked beforehand for
    the pairs that `domain.slots_prepare.required_legs` and `Schedule.places` name, and answers here from what it then knew.
    """

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to each destination: n × m seconds."""
        ...

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to the destination of the same index: n seconds."""
        ...

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        """Seconds from one place to another."""
        ...


class GreatCircleTravel:
    """The estimate described above. Holds no state; the same in both directions and at all hours.

    Args:
        circuity: road length over straight line, at least 1.
        speed_bands: ascending (road km from which it holds, km/h), the first from 0.

    Raises:
        ValueError: the factor is below 1, or the bands are not ascending in both.
    """

    def __init__(self, circuity: float = CIRCUITY, speed_bands: tuple[tuple[float, float], ...] = SPEED_BANDS) -> None:
        starts, speeds = (list(column) for column in zip(*speed_bands, strict=True))
        if circuity < 1:
            raise ValueError("roads are not shorter than the straight line")
        if starts[0] != 0 or starts != sorted(set(starts)) or speeds != sorted(speeds) or speeds[0] <= 0:
            raise ValueError("speed bands must start at 0 km and ascend, in distance and in speed")
        edges = np.array([*starts, _FARTHEST_KM])
        self._circuity = circuity
        self._edges_km = edges
        self._edges_seconds = np.concatenate(([0.0], np.cumsum(np.diff(edges) / np.array(speeds) * 3600)))

    def matrix(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to each destination: n × m whole seconds, rounded up."""
        return self._seconds(great_circle_km(origins[:, None, :], destinations[None, :, :]))

    def legs(self, origins: Points, destinations: Points) -> NDArray[np.int64]:
        """Times from each origin to the destination of the same index: n whole seconds, rounded up."""
        return self._seconds(great_circle_km(origins, destinations))

    def leg(self, origin: GeoPoint, destination: GeoPoint) -> int:
        """Whole seconds from one place to another, rounded up."""
        return int(self.legs(points_array([origin]), points_array([destination]))[0])

    def _seconds(self, distance_km: NDArray[np.float64]) -> NDArray[np.int64]:
        seconds = np.interp(distance_km * self._circuity, self._edges_km, self._edges_seconds)
        return np.ceil(seconds).astype(np.int64)
