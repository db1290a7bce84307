"""The estimate of driving times: known distances, and what must hold for all places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.geo_point import GeoPoint, great_circle_km, points_array
from domain.travel import GreatCircleTravel

AUSTIN, DALLAS = GeoPoint(30.2672, -97.7431), GeoPoint(32.7767, -96.7970)
places = st.builds(GeoPoint, st.floats(-90, 90), st.floats(-180, 180))
near = st.builds(GeoPoint, st.floats(30.0, 30.6), st.floats(-98.0, -97.4))


def test_a_known_distance() -> None:
    assert great_circle_km(points_array([AUSTIN]), points_array([DALLAS]))[0] == pytest.approx(293, abs=1)


@pytest.mark.parametrize(
    ("road_km", "seconds"), [(0, 0), (1, 144), (3, 432), (15, 432 + 1080), (50, 1512 + 1939), (140, 3451 + 3600)]
)
def test_each_kilometre_takes_its_band_s_time(road_km: float, seconds: int) -> None:
    degrees = np.degrees(road_km / 1.3 / 6371.0088)
    assert GreatCircleTravel().leg(GeoPoint(0, 0), GeoPoint(0, float(degrees))) == pytest.approx(seconds, abs=1)


def test_all_forms_of_the_question_agree() -> None:
    travel = GreatCircleTravel()
    origins, destinations = points_array([AUSTIN, DALLAS]), points_array([DALLAS, AUSTIN])
    assert travel.matrix(origins, destinations).tolist() == [
        [travel.leg(AUSTIN, DALLAS), 0],
        [0, travel.leg(DALLAS, AUSTIN)],
    ]
    assert travel.legs(origins, destinations).tolist() == [travel.leg(AUSTIN, DALLAS)] * 2
    assert travel.matrix(points_array([]), destinations).shape == (0, 2)


@given(places, places)
def test_there_and_back_take_the_same_and_never_less_than_nothing(here: GeoPoint, there: GeoPoint) -> None:
    travel = GreatCircleTravel()
    assert travel.leg(here, here) == 0
    assert 0 <= travel.leg(here, there) == travel.leg(there, here)


@given(near, near, near)
def test_a_detour_is_never_quicker(a: GeoPoint, b: GeoPoint, c: GeoPoint) -> None:
    travel = GreatCircleTravel()
    assert travel.leg(a, c) <= travel.leg(a, b) + travel.leg(b, c)


@pytest.mark.parametrize(
    "bands", [((1.0, 30.0),), ((0.0, 30.0), (0.0, 40.0)), ((0.0, 40.0), (5.0, 30.0)), ((0.0, 0.0),)]
)
def test_bands_that_break_the_rules_are_refused(bands: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="speed bands"):
        GreatCircleTravel(speed_bands=bands)


def test_a_circuity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="straight line"):
        GreatCircleTravel(circuity=0.9)
