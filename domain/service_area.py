"""Where a location works: within a radius, inside a polygon, or in listed postal codes; each one that is set adds to the area."""

import re
from dataclasses import dataclass
from functools import lru_cache

import shapely

from domain.geo_point import GeoPoint, great_circle_km, points_array

MAX_RADIUS_KM = 20_038.0
"""Half of the Earth's circumference: farther away is nowhere."""

_PATTERN = re.compile(r"[0-9A-Z]+\*?", re.ASCII)
_ZIP_PLUS_FOUR = re.compile(r"([0-9]{5})-?[0-9]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceArea:
    """The union of what is set. With nothing set there is no limit.

    Args:
        center: the location's own place, from which the radius is measured; None until it has been geocoded, and then the radius
            covers nothing.
        radius_km: as the crow flies, in km; the edge belongs to the area.
        polygon: the corners in order, not closed; its edge belongs to the area.
        postal_codes: whole codes, or prefixes that end in `*` (787*). Case, spaces and hyphens do not count.

    Raises:
        ValueError: a radius that is not positive or reaches around the Earth, fewer than three corners, a polygon whose edge
            crosses or touches itself (shapely's validity, with the place), or a pattern that is not a code or a prefix.
    """

    center: GeoPoint | None = None
    radius_km: float | None = None
    polygon: tuple[GeoPoint, ...] = ()
    postal_codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.radius_km is not None and not 0 < self.radius_km <= MAX_RADIUS_KM:
            raise ValueError(f"the radius must be more than 0 and at most {MAX_RADIUS_KM:.0f} km")
        if self.polygon:
            check_polygon(self.polygon)
        object.__setattr__(self, "postal_codes", tuple(normalize_postal_pattern(code) for code in self.postal_codes))

    @property
    def unlimited(self) -> bool:
        """Whether nothing is set."""
        return self.radius_km is None and not self.polygon and not self.postal_codes

    def covers(self, point: GeoPoint | None, postal_code: str | None) -> bool:
        """Whether a place, known by its coordinates, its postal code or both, lies in the area."""
        return (
            self.unlimited
            or self._in_radius(point)
            or (point is not None and bool(self.polygon) and _in_polygon(self.polygon, point))
            or (postal_code is not None and self._in_postal_codes(postal_code))
        )

    def _in_radius(self, point: GeoPoint | None) -> bool:
        if self.radius_km is None or self.center is None or point is None:
            return False
        return bool(great_circle_km(points_array([self.center]), points_array([point]))[0] <= self.radius_km)

    def _in_postal_codes(self, postal_code: str) -> bool:
        code = normalize_postal_code(postal_code)
        return any(
            code.startswith(pattern[:-1]) if pattern.endswith("*") else code == pattern for pattern in self.postal_codes
        )


def normalize_postal_code(code: str) -> str:
    """Upper case, without spaces and hyphens; of a ZIP+4 the five digits."""
    code = code.strip()
    plus_four = _ZIP_PLUS_FOUR.fullmatch(code)
    return plus_four[1] if plus_four else re.sub(r"[\s-]", "", code).upper()


def normalize_postal_pattern(pattern: str) -> str:
    """A postal code, or a prefix of codes followed by `*`, in the form in which codes are compared.

    Raises:
        ValueError: anything else; `*` alone would be every place on Earth.
    """
    normalized = normalize_postal_code(pattern)
    if _PATTERN.fullmatch(normalized) is None:
        raise ValueError(f"{pattern!r} is not a postal code or a prefix such as 787*")
    return normalized


def check_polygon(corners: tuple[GeoPoint, ...]) -> None:
    """Make sure that the corners, in order, enclose an area.

    Raises:
        ValueError: fewer than three different corners, or an edge that crosses or touches itself; the message says where.
    """
    if len(set(corners)) < 3:
        raise ValueError("a polygon needs at least three different corners")
    shape = _shape(corners)
    if not shape.is_valid:
        raise ValueError(f"the polygon's edge crosses or touches itself: {shapely.is_valid_reason(shape)}")
    if shape.area == 0:
        raise ValueError("the polygon encloses nothing")


def _in_polygon(corners: tuple[GeoPoint, ...], point: GeoPoint) -> bool:
    longitude = point.longitude + 360 if _crosses_date_line(corners) and point.longitude < 0 else point.longitude
    return bool(shapely.intersects_xy(_shape(corners), longitude, point.latitude))


def _crosses_date_line(corners: tuple[GeoPoint, ...]) -> bool:
    longitudes = [corner.longitude for corner in corners]
    return max(longitudes) - min(longitudes) > 180


@lru_cache(maxsize=256)
def _shape(corners: tuple[GeoPoint, ...]) -> shapely.Polygon:
    around = 360 if _crosses_date_line(corners) else 0
    ring = [(corner.longitude + (around if corner.longitude < 0 else 0), corner.latitude) for corner in corners]
    shape = shapely.Polygon(ring)
    shapely.prepare(shape)
    return shape
