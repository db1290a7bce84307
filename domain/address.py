"""A postal address and a point on the map."""

import math
from dataclasses import dataclass
from enum import StrEnum

from domain.contact import required
from domain.errors import invalid
from domain.geo_point import GeoPoint


class Precision(StrEnum):
    """How exactly a place is known, the best first."""

    GIVEN = "GIVEN"
    """Somebody put the pin there."""
    BUILDING = "BUILDING"
    STREET = "STREET"
    """Somewhere along the street."""
    PLACE = "PLACE"
    """A town or quarter."""
    POSTAL_CODE = "POSTAL_CODE"
    """The middle of the postal code: off by 2 km at the median and by 6 km in one of ten, in the United States."""


@dataclass(frozen=True, slots=True)
class PointInput:
    """Degrees of latitude and longitude as a caller gives them: not yet known to lie on the globe."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Address:
    """Where somebody works or is visited; `point`, and how exact it is, are None until it has been geocoded."""

    line1: str
    line2: str | None
    city: str
    region: str
    postal_code: str
    country: str
    point: GeoPoint | PointInput | None = None
    precision: Precision | None = None

    def columns(self) -> dict[str, str | float | Precision | None]:
        """The address as the columns of a table."""
        return {
            "line1": self.line1,
            "line2": self.line2,
            "city": self.city,
            "region": self.region,
            "postal_code": self.postal_code,
            "country": self.country,
            "latitude": self.point.latitude if self.point else None,
            "longitude": self.point.longitude if self.point else None,
            "precision": self.precision or (Precision.GIVEN if self.point else None),
        }


def checked_point(point: GeoPoint | PointInput | None, *path: str) -> GeoPoint | None:
    """The place, when it lies on the globe.

    Raises:
        Refusal: INVALID_INPUT.
    """
    if point is None or isinstance(point, GeoPoint):
        return point
    for name, value, most in (("latitude", point.latitude, 90.0), ("longitude", point.longitude, 180.0)):
        if not math.isfinite(value) or abs(value) > most:
            raise invalid(f"A {name} lies between -{most:.0f} and {most:.0f} degrees.", *path, name)
    return GeoPoint(point.latitude, point.longitude)


def checked_address(address: Address, *path: str) -> Address:
    """The address with its texts trimmed.

    Raises:
        Refusal: INVALID_INPUT for an empty line, city, region or postal code, or a country that is no two letters.
    """
    country = address.country.strip().upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise invalid("A country is written as its two-letter code, as in US.", *path, "country")
    return Address(
        line1=required(address.line1, *path, "line1"),
        line2=(address.line2 or "").strip() or None,
        city=required(address.city, *path, "city", most=100),
        region=required(address.region, *path, "region", most=100),
        postal_code=required(address.postal_code, *path, "postalCode", most=20),
        country=country,
        point=checked_point(address.point, *path, "location"),
        precision=address.precision,
    )
