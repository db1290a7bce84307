"""The union of radius, polygon and postal codes, and what is no area."""

import math

import pytest

from domain.geo_point import EARTH_RADIUS_KM, GeoPoint
from domain.service_area import ServiceArea, normalize_postal_code

AUSTIN = GeoPoint(30.2672, -97.7431)
DALLAS = GeoPoint(32.7767, -96.7970)
KM = math.degrees(1 / EARTH_RADIUS_KM)  # degrees of latitude in a kilometre


def north(point: GeoPoint, km: float) -> GeoPoint:
    return GeoPoint(point.latitude + km * KM, point.longitude)


def box(south: float, west: float, north_: float, east: float) -> tuple[GeoPoint, ...]:
    return GeoPoint(south, west), GeoPoint(south, east), GeoPoint(north_, east), GeoPoint(north_, west)


def test_nothing_set_is_no_limit() -> None:
    assert ServiceArea().unlimited
    assert ServiceArea().covers(None, None)


def test_radius_includes_its_edge_and_nothing_beyond() -> None:
    area = ServiceArea(center=AUSTIN, radius_km=10)
    assert area.covers(AUSTIN, None)
    assert area.covers(north(AUSTIN, 9.999), None)
    assert not area.covers(north(AUSTIN, 10.001), None)
    assert not area.covers(None, "78701")


def test_radius_around_an_unknown_place_covers_nothing() -> None:
    assert not ServiceArea(radius_km=10).covers(AUSTIN, "78701")


def test_polygon_includes_its_edge() -> None:
    area = ServiceArea(polygon=box(30, -98, 31, -97))
    assert area.covers(AUSTIN, None)
    assert area.covers(GeoPoint(30, -97.5), None)
    assert area.covers(GeoPoint(31, -97), None)
    assert not area.covers(GeoPoint(31.0001, -97.5), None)
    assert not area.covers(DALLAS, None)


def test_polygon_with_a_notch() -> None:
    corners = [(0, 0), (0, 4), (4, 4), (2, 2), (4, 0)]
    area = ServiceArea(polygon=tuple(GeoPoint(*corner) for corner in corners))
    assert area.covers(GeoPoint(1, 2), None)
    assert not area.covers(GeoPoint(3, 2), None)


def test_polygon_across_the_date_line() -> None:
    area = ServiceArea(polygon=box(-19, 177, -16, -178))
    assert area.covers(GeoPoint(-17, 179), None)
    assert area.covers(GeoPoint(-17, -179), None)
    assert not area.covers(GeoPoint(-17, 0), None)


@pytest.mark.parametrize(
    ("corners", "told"),
    [
        ([(0, 0), (0, 1)], "three different corners"),
        ([(0, 0), (0, 1), (0, 0), (0, 1)], "three different corners"),
        ([(0, 0), (2, 2), (2, 0), (0, 2)], "Self-intersection"),
        ([(0, 0), (0, 4), (4, 4), (0, 2), (4, 0)], "touches itself"),
        ([(0, 0), (1, 1), (2, 2)], "touches itself|encloses nothing"),
    ],
)
def test_polygons_that_are_none_are_refused(corners: list[tuple[float, float]], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ServiceArea(polygon=tuple(GeoPoint(*corner) for corner in corners))


@pytest.mark.parametrize("radius", [0, -1, math.nan, math.inf, 30_000])
def test_a_radius_that_is_none_is_refused(radius: float) -> None:
    with pytest.raises(ValueError, match="radius"):
        ServiceArea(center=AUSTIN, radius_km=radius)


@pytest.mark.parametrize(
    ("code", "covered"),
    [
        ("78701", True),
        ("78701-1234", True),
        ("787011234", True),
        (" 78759 ", True),
        ("78610", True),
        ("78611", False),
        ("7861", False),
        ("86101", False),
        ("sw1a 1aa", True),
        ("SW1A1AB", False),
    ],
)
def test_postal_codes_and_prefixes(code: str, covered: bool) -> None:
    area = ServiceArea(postal_codes=("787*", "78610", "SW1A 1AA"))
    assert area.covers(None, code) is covered
    assert area.covers(AUSTIN, code) is covered


@pytest.mark.parametrize("pattern", ["", "*", " ", "7*7", "787**", "78?", "787%", "٧٨٧*"])
def test_patterns_that_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="not a postal code"):
        ServiceArea(postal_codes=(pattern,))


def test_zip_plus_four_counts_as_its_five_digits() -> None:
    assert normalize_postal_code("78701-1234") == "78701"


def test_the_parts_are_unioned() -> None:
    area = ServiceArea(center=AUSTIN, radius_km=5, polygon=box(32, -98, 34, -96), postal_codes=("10001",))
    assert area.covers(AUSTIN, "00000")
    assert area.covers(DALLAS, "00000")
    assert area.covers(GeoPoint(40.75, -73.99), "10001")
    assert not area.covers(GeoPoint(40.75, -73.99), "10002")


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (-91, 0), (0, 181), (0, -181), (math.nan, 0), (0, math.inf)]
)
def test_places_off_the_globe_are_refused(latitude: float, longitude: float) -> None:
    with pytest.raises(ValueError, match="itude"):
        GeoPoint(latitude, longitude)
