"""Settings that would fail silently are told of, each with its code and object, and no longer once they are mended."""

import re
from pathlib import Path
from typing import Any

from domain.configuration_warning import WarningCode
from tests.availability.bookable import CENTER, EVERY_DAY, HERE, Bookable
from tests.service import running_service
from tests.standins.maps import maps_stand_in
from tests.world import ADDRESS

WARNINGS = "{ configurationWarnings { code message node { id } } }"
# A machine without providers says so, whatever the business does.
PROVIDERS = {"SMS_WITHOUT_SENDER", "EMAIL_WITHOUT_SERVER"}
NIGHT = [{"weekday": "MONDAY", "opens": "20:00", "closes": "23:00"}]


async def warned(shop: Bookable) -> dict[str, str | None]:
    found = (await shop.world.api.ask(WARNINGS))["configurationWarnings"]
    return {
        each["code"]: each["node"]["id"] if each["node"] else None for each in found if each["code"] not in PROVIDERS
    }


def test_every_code_is_explained_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs/warnings.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE)) == {code.value for code in WarningCode}


async def test_a_business_that_works_has_none_but_those_of_the_machine(shop: Bookable) -> None:
    found = (await shop.world.api.ask(WARNINGS))["configurationWarnings"]
    assert {each["code"] for each in found} == PROVIDERS
    assert {each["node"]["id"] for each in found} == {shop.world.location}
    await shop.world.api.do(
        "notificationSettingsUpdate", locationId=shop.world.location, smsEnabled=False, emailEnabled=False
    )
    assert (await shop.world.api.ask(WARNINGS))["configurationWarnings"] == []


async def test_each_mistake_is_told_and_forgotten_when_it_is_mended(shop: Bookable) -> None:
    world = shop.world
    good_location: dict[str, Any] = {
        "openingHours": EVERY_DAY, "address": HERE, "serviceArea": {"radiusKm": 40}, "arrivalWindowMinutes": 120,
        "timeZone": "America/Chicago",
    }  # fmt: skip
    at_location: list[tuple[dict[str, Any], str]] = [
        ({"openingHours": []}, "LOCATION_WITHOUT_HOURS"),
        ({"arrivalWindowMinutes": 720}, "WINDOW_LONGER_THAN_HOURS"),
        ({"address": ADDRESS}, "LOCATION_IMPRECISE"),
        ({"serviceArea": {"postalCodes": ["99*"]}}, "LOCATION_OUTSIDE_ITS_AREA"),
        ({"timeZone": "America/New_York"}, "TIME_ZONE_MISMATCH"),
    ]
    for change, code in at_location:
        await shop.set_location(**change)
        assert await warned(shop) == {code: world.location}, code
        await shop.set_location(**good_location)
    await shop.set_location(address=ADDRESS | {"postalCode": "99999"})
    assert await warned(shop) == {"LOCATION_WITHOUT_PLACE": world.location}
    await shop.set_location(**good_location)
    lunch = {"durationMinutes": 30, "earliest": "18:30", "latest": "19:30"}
    of_technician: list[tuple[dict[str, Any], str]] = [
        ({"workingHours": []}, "TECHNICIAN_WITHOUT_HOURS"),
        ({"workingHours": NIGHT}, "HOURS_DO_NOT_MEET"),
        ({"lunch": lunch}, "LUNCH_OUTSIDE_HOURS"),
    ]
    for change, code in of_technician:
        await shop.set_technician(**change)
        assert await warned(shop) == {code: world.technician}, code
        await shop.set_technician(workingHours=EVERY_DAY, lunch=None)
    await shop.set_technician(active=False)
    assert (await warned(shop))["LOCATION_WITHOUT_TECHNICIANS"] == world.location
    await shop.set_technician(active=True)
    gas = await world.add_service("Boiler", requiredSkills=["gas", "water"])
    await shop.set_technician(skills=["gas"])
    assert await warned(shop) == {"SKILL_NOBODY_HAS": gas}
    await shop.set_technician(skills=["gas", "water"])
    await world.api.do("serviceUpdate", serviceId=gas, durationMinutes=700)
    assert await warned(shop) == {"SERVICE_LONGER_THAN_A_DAY": gas}
    await world.api.do("serviceUpdate", serviceId=gas, active=False)
    await world.api.do("serviceUpdate", serviceId=world.offer, bookableOnline=False)
    assert await warned(shop) == {"NOTHING_TO_BOOK": None}


async def test_an_engine_that_is_down_is_told(database_url: str) -> None:
    from tests.availability.bookable import bookable_business

    with maps_stand_in() as maps:
        async with (
            running_service(database_url, routing_url=f"osrm+{maps.url}") as service,
            bookable_business(service) as shop,
        ):
            far = HERE | {"location": CENTER | {"latitude": 30.3}}
            await shop.offered(address=far)
            assert await warned(shop) == {}
            maps.broken = 500
            await shop.offered(address=HERE | {"location": CENTER | {"latitude": 30.35}})
            assert await warned(shop) == {"TRAVEL_TIMES_ESTIMATED": None}
