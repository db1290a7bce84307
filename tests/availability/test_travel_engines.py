"""Travel times by an engine over HTTP: kept by cells, estimated while the engine is down, and said so."""

from collections.abc import Iterator

import numpy as np
import pytest

from domain.geo_point import GeoPoint, points_array
from domain.travel import GreatCircleTravel
from integrations.travel_time_http import HttpTravel, cells_of, http_travel
from tests.availability.bookable import bookable_business, days_ahead
from tests.service import running_service
from tests.standins.maps import MapsStandIn, drive, maps_stand_in

PLACES = points_array(GeoPoint(30.20 + 0.01 * index, -97.80 + 0.005 * index) for index in range(120))
ESTIMATE = GreatCircleTravel()


@pytest.fixture
def maps() -> Iterator[MapsStandIn]:
    with maps_stand_in() as standin:
        yield standin


@pytest.fixture(params=["osrm", "valhalla"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def travel(maps: MapsStandIn, dialect: str) -> HttpTravel:
    return http_travel(f"{dialect}+{maps.url}")


async def test_matrix_and_legs_are_the_engines(maps: MapsStandIn, dialect: str) -> None:
    engine = travel(maps, dialect)
    try:
        await engine.fetch_matrix(PLACES, PLACES[:2])
        found = engine.times.matrix(PLACES, PLACES[:2])
        for row in range(2, len(PLACES)):
            expected = drive(tuple(PLACES[row]), tuple(PLACES[0]))
            # Within a cell's width of the places themselves, and far from the estimate.
            assert abs(found[row, 0] - expected) < 80, row
        await engine.fetch_legs(PLACES[:-1], PLACES[1:])
        there = engine.times.legs(PLACES[:-1], PLACES[1:])
        assert abs(int(there[50]) - drive(tuple(PLACES[50]), tuple(PLACES[51]))) < 80
        leg = engine.times.leg(GeoPoint(*PLACES[50].tolist()), GeoPoint(*PLACES[51].tolist()))
        assert leg == there[50]
        asked = len(maps.paths)
        await engine.fetch_matrix(PLACES, PLACES[:2])
        await engine.fetch_legs(PLACES[:-1], PLACES[1:])
        # A neighbour in the same cells needs no question either.
        await engine.fetch_legs(PLACES[:-1] + 1e-7, PLACES[1:] - 1e-7)
        assert len(maps.paths) == asked
        assert engine.trouble is None
    finally:
        await engine.close()


@pytest.mark.parametrize("broken", [500, 404, 0])
async def test_the_estimate_stands_in_while_the_engine_is_down(maps: MapsStandIn, dialect: str, broken: int) -> None:
    engine = travel(maps, dialect)
    maps.broken = broken
    try:
        await engine.fetch_matrix(PLACES, PLACES)
        assert engine.trouble is not None
        assert np.array_equal(engine.times.matrix(PLACES, PLACES), ESTIMATE.matrix(PLACES, PLACES))
        # It is left alone for a while: nobody waits for it again and again.
        asked = len(maps.paths)
        await engine.fetch_legs(PLACES[:-1], PLACES[1:])
        assert len(maps.paths) == asked
        engine._left_alone_until = 0.0
        maps.broken = None
        await engine.fetch_legs(PLACES[:-1], PLACES[1:])
        assert engine.trouble is None
        assert not np.array_equal(engine.times.legs(PLACES[:-1], PLACES[1:]), ESTIMATE.legs(PLACES[:-1], PLACES[1:]))
    finally:
        await engine.close()


async def test_within_one_cell_the_estimate_is_as_good(maps: MapsStandIn) -> None:
    engine = travel(maps, "osrm")
    near = PLACES[:1] + 1e-6
    assert cells_of(near) == cells_of(PLACES[:1])
    await engine.fetch_legs(PLACES[:1], near)
    assert maps.paths == []
    await engine.close()


@pytest.mark.parametrize("url", ["http:/host", "ftp://host", "maps+http://host", "osrm+ftp://host"])
def test_a_url_that_names_no_engine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="ROUTING_URL"):
        http_travel(url)


async def test_windows_go_by_the_engine(database_url: str, maps: MapsStandIn, dialect: str) -> None:
    """A customer half a degree away: an hour by the estimate, nearly three by this engine, so that fewer windows can be made."""
    far = {"line1": "1 Far Rd", "city": "Waco", "region": "TX", "postalCode": "76701",
           "location": {"latitude": 30.6, "longitude": -97.7431}}  # fmt: skip
    wanted = {"address": far, "from": days_ahead(3), "days": 1}
    counts = {}
    for url in (None, f"{dialect}+{maps.url}"):
        async with running_service(database_url, routing_url=url) as service, bookable_business(service) as shop:
            counts[url] = len(await shop.offered(**wanted))
            if url is not None:
                booked = await shop.book((await shop.offered(**wanted))[0]["token"])
                assert booked["userErrors"] == []
    assert counts[None] == 5
    assert counts[f"{dialect}+{maps.url}"] < 5
