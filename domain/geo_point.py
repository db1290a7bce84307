"""A place on the Earth, and many of them as one array."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the IUGG's reference ellipsoid."""

Points: TypeAlias = NDArray[np.float64]
"""n × 2: latitude and longitude in degrees (WGS 84); a place that is not known is two NaN."""


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """Latitude and longitude in degrees (WGS 84).

    Raises:
        ValueError: a coordinate is not a finite number or lies off the globe.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.latitude) and -90 <= self.latitude <= 90):
            raise ValueError(f"latitude {self.latitude} is not in -90 to 90")
        if not (math.isfinite(self.longitude) and -180 <= self.longitude <= 180):
            raise ValueError(f"longitude {self.longitude} is not in -180 to 180")


def points_array(points: Iterable[GeoPoint | None]) -> Points:
    """The places as one array, in their order; None becomes NaN."""
    unknown = (np.nan, np.nan)
    rows = [unknown if point is None else (point.latitude, point.longitude) for point in points]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def great_circle_km(origins: Points, destinations: Points) -> NDArray[np.float64]:
    """Shortest distance over the globe in km, by the haversine formula; shapes broadcast over all axes but the last."""
    from_latitude, from_longitude = np.radians(origins[..., 0]), np.radians(origins[..., 1])
    to_latitude, to_longitude = np.radians(destinations[..., 0]), np.radians(destinations[..., 1])
    chord = (
        np.sin((to_latitude - from_latitude) / 2) ** 2
        + np.cos(from_latitude) * np.cos(to_latitude) * np.sin((to_longitude - from_longitude) / 2) ** 2
    )
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return distance
