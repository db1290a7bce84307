"""Addresses become places: by the geocoder of the settings, kept, and without one by the ZIP code."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from settings import Settings
from tests.service import running_service
from tests.standins.maps import MapsStandIn, maps_stand_in
from tests.world import ADDRESS, World, new_world

PLACED = "customer { addresses { address { location { latitude longitude } locationPrecision } } } userErrors { code }"
ENGINES: list[dict[str, Any]] = [
    {"geocoder": "nominatim"},
    {"geocoder": "google", "geocoder_api_key": "key"},
]


@pytest.fixture
def maps() -> Iterator[MapsStandIn]:
    with maps_stand_in() as standin:
        yield standin


@asynccontextmanager
async def business(database_url: str, maps: MapsStandIn, **settings: Any) -> AsyncIterator[World]:
    options = {"geocoder": "nominatim", "geocoder_base_url": maps.url, "geocoder_per_second": 500.0} | settings
    async with running_service(database_url, **options) as service, new_world(service) as world:
        yield world


async def place(world: World, line1: str, **rest: Any) -> Any:
    made = await world.api.do("customerCreate", PLACED, name="Ann Any", address=ADDRESS | {"line1": line1} | rest)
    assert made["userErrors"] == []
    return made["customer"]["addresses"][0]["address"]


@pytest.mark.parametrize(("engine", "precision"), list(zip(ENGINES, ("BUILDING", "STREET"), strict=True)))
async def test_an_address_is_asked_for_once(
    database_url: str, maps: MapsStandIn, engine: dict[str, Any], precision: str
) -> None:
    # The cache outlives the test's business: another address for each run.
    street = f"{maps.port} Oak St"
    maps.known[street] = (30.25, -97.75)
    async with business(database_url, maps, **engine) as world:
        maps.addresses.clear()
        first = await place(world, street)
        assert first == {"location": {"latitude": 30.25, "longitude": -97.75}, "locationPrecision": precision}
        assert await place(world, f"  {street.upper()} ") == first
        assert len(maps.addresses) == 1
        # An address that there is not is answered once too; the ZIP code says something.
        for _ in range(2):
            lost = await place(world, f"{maps.port} Nowhere")
            assert lost["locationPrecision"] == "POSTAL_CODE"
        assert len(maps.addresses) == 2
        given = await place(world, street, location={"latitude": 1.0, "longitude": 2.0})
        assert given == {"location": {"latitude": 1.0, "longitude": 2.0}, "locationPrecision": "GIVEN"}
        assert len(maps.addresses) == 2


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_geocoder_that_fails_is_asked_again_and_then_the_zip_code_stands_in(
    database_url: str, maps: MapsStandIn, engine: dict[str, Any]
) -> None:
    once, always = f"{maps.port} Elm St", f"{maps.port} Ash St"
    maps.known |= {once: (30.25, -97.75), always: (30.26, -97.76)}
    async with business(database_url, maps, **engine) as world:
        maps.failures = 1
        assert (await place(world, once))["location"] == {"latitude": 30.25, "longitude": -97.75}
        maps.broken = 503
        assert (await place(world, always))["locationPrecision"] == "POSTAL_CODE"
        # What failed is not kept.
        maps.broken = None
        assert (await place(world, always))["location"] == {"latitude": 30.26, "longitude": -97.76}


async def test_too_many_addresses_at_once_do_not_wait_for_ever(database_url: str, maps: MapsStandIn) -> None:
    async with business(database_url, maps, geocoder_per_second=0.01) as world:
        # The business's own address has had the turn.
        await place(world, f"{maps.port} First St")
        assert (await place(world, f"{maps.port} Second St"))["locationPrecision"] == "POSTAL_CODE"


def test_google_needs_a_key() -> None:
    from resolvers.planning import planning_for

    with pytest.raises(ValueError, match="GEOCODER_API_KEY"):
        planning_for(Settings(geocoder="google"))
