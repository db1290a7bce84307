"""Windows over the wire: clocks that change, three zones at once, overnight shifts, and reasons where there is no window."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.availability.bookable import CENTER, EVERY_DAY, HERE, Bookable, at, days_ahead
from tests.availability.test_suggestions import local

CHICAGO = ZoneInfo("America/Chicago")
NIGHTS = [{"weekday": day["weekday"], "opens": "22:00", "closes": "06:00"} for day in EVERY_DAY]
FAR = HERE | {"location": {"latitude": 31.5, "longitude": -97.1}, "postalCode": "76701"}


def change_of_clocks(zone: ZoneInfo, *, spring: bool) -> date:
    """The next date on which the clocks go forward, or back."""
    day = datetime.now(zone).date() + timedelta(days=1)
    while True:
        start, end = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1)))
        if (end.timestamp() - start.timestamp()) / 3600 == (23 if spring else 25):
            return day
        day += timedelta(days=1)


@pytest.mark.parametrize("spring", [True, False])
async def test_windows_keep_to_the_clock_on_the_wall_when_it_changes(shop: Bookable, spring: bool) -> None:
    day = change_of_clocks(CHICAGO, spring=spring)
    offered = await shop.offered(**{"from": (day - timedelta(days=1)).isoformat(), "days": 3})
    starts = [at(each["window"]["start"]).astimezone(CHICAGO) for each in offered]
    assert [start.strftime("%H:%M") for start in starts] == ["08:00", "10:00", "12:00", "14:00", "16:00"] * 3
    assert len({start.utcoffset() for start in starts}) == 2
    booked = await shop.book(offered[5]["token"])
    assert booked["userErrors"] == []
    assert booked["arrivalWindow"] == offered[5]["window"]


@pytest.mark.parametrize("spring", [True, False])
async def test_a_night_shift_over_the_change_of_clocks(shop: Bookable, spring: bool) -> None:
    """22:00 to 06:00: seven hours in spring, nine in autumn; windows are cut by the clock."""
    await shop.set_location(openingHours=NIGHTS)
    await shop.set_technician(workingHours=NIGHTS)
    eve = change_of_clocks(CHICAGO, spring=spring) - timedelta(days=1)
    offered = await shop.offered(**{"from": eve.isoformat(), "days": 1})
    lengths = [(at(each["window"]["end"]) - at(each["window"]["start"])) / timedelta(hours=1) for each in offered]
    assert len(offered) == 4
    assert sum(lengths) == (7 if spring else 9)
    for each in (offered[0], offered[2]):
        assert (await shop.book(each["token"], phone=None, email="night@example.com"))["userErrors"] == []


async def test_three_zones_at_once(shop: Bookable) -> None:
    day: dict[str, Any] = {"from": days_ahead(3), "days": 1}
    for zone, place, code in (
        ("America/New_York", {"latitude": 40.75, "longitude": -73.99}, "10001"),
        ("America/Los_Angeles", {"latitude": 34.05, "longitude": -118.24}, "90012"),
    ):
        there = HERE | {"location": place, "postalCode": code}
        made = await shop.world.api.do(
            "locationCreate", "location { id slug } userErrors { code path }", name=zone, timeZone=zone, address=there,
            openingHours=EVERY_DAY, serviceArea={"radiusKm": 40}, minimumNoticeMinutes=0,
        )  # fmt: skip
        await shop.world.api.do(
            "technicianCreate", name=zone, locationId=made["location"]["id"], workingHours=EVERY_DAY
        )
        found = await Bookable(shop.world, made["location"]["slug"], shop.visitor).offered(address=there, **day)
        assert [at(each["window"]["start"]).astimezone(ZoneInfo(zone)).hour for each in found] == [8, 10, 12, 14, 16]
    hours = [at(each["window"]["start"]).astimezone(CHICAGO).hour for each in await shop.offered(**day)]
    assert hours == [8, 10, 12, 14, 16]


async def test_what_is_planned_takes_its_time_and_its_travel(shop: Bookable) -> None:
    """From 10:00 to 16:30 the only technician is 30 km away: only at 8:00 there is time."""
    day = days_ahead(3)
    made = await shop.world.api.do(
        "customerAddressAdd", "address { id }", customerId=shop.world.customer,
        address=HERE | {"location": {"latitude": 30.53, "longitude": -97.74}},
    )  # fmt: skip
    await shop.world.book(
        local(day, "10:00"), local(day, "16:30"), technicianId=shop.world.technician, addressId=made["address"]["id"],
        arrivalWindow={"start": local(day, "10:00"), "end": local(day, "10:30")},
    )  # fmt: skip
    offered = await shop.offered(**{"from": day, "days": 1})
    assert [at(each["window"]["start"]).astimezone(CHICAGO).hour for each in offered] == [8]
    assert (await shop.book(offered[0]["token"]))["userErrors"] == []


async def test_a_stop_slides_inside_its_promise_to_make_room(shop: Bookable) -> None:
    """A visit from 12:00 to 14:00, promised for 8:00 to 16:00, stands in the middle of a day that has ten hours."""
    day = days_ahead(3)
    long = await shop.world.add_service("Long", minutes=380)
    made = await shop.world.api.do("customerAddressAdd", "address { id }", customerId=shop.world.customer, address=HERE)
    still = await shop.world.book(
        local(day, "12:00"), local(day, "14:00"), technicianId=shop.world.technician, addressId=made["address"]["id"],
        arrivalWindow={"start": local(day, "08:00"), "end": local(day, "16:00")},
    )  # fmt: skip
    offered = await shop.offered(serviceIds=[long], **{"from": day, "days": 1})
    booked = await shop.book(offered[0]["token"])
    assert booked["userErrors"] == [], booked
    slid = next(each for each in await shop.appointments() if each["id"] == still["id"])
    assert [(each["type"], each["actor"]) for each in slid["history"]][-1] == ("RESCHEDULED", "system")
    assert at(slid["scheduled"]["start"]) != at(local(day, "12:00"))
    assert at(slid["arrivalWindow"]["start"]) == at(local(day, "08:00"))
    assert at(local(day, "08:00")) <= at(slid["scheduled"]["start"]) <= at(local(day, "16:00"))


async def test_options_lengthen_the_job(shop: Bookable) -> None:
    made = await shop.world.api.do(
        "serviceCreate", "service { id options { id } }", name="Duct cleaning", durationMinutes=60,
        price={"amount": "10.00"},
        options=[{"name": "Whole house", "price": {"amount": "5.00"}, "durationMinutes": 480}],
    )  # fmt: skip
    service, option = made["service"]["id"], made["service"]["options"][0]["id"]
    page = await shop.visitor.ask(
        "query ($s: String!) { bookingPortal(slug: $s) { services { name options { id name } } } }", s=shop.slug
    )
    assert {"name": "Duct cleaning", "options": [{"id": option, "name": "Whole house"}]} in page["bookingPortal"][
        "services"
    ]
    day: dict[str, Any] = {"serviceIds": [service], "from": days_ahead(3), "days": 1}
    assert len(await shop.offered(**day)) == 5
    offered = await shop.offered(optionIds=[option], **day)
    assert len(offered) == 1
    assert (await shop.book(offered[0]["token"]))["userErrors"] == []
    (appointment,) = await shop.appointments()
    assert appointment["durationMinutes"] == 540
    assert appointment["lines"] == [{"quantity": 1, "service": {"id": service}, "option": {"id": option}}]
    twice = await shop.windows(serviceIds=[service], optionIds=[option, option])
    assert [(each["code"], each["path"]) for each in twice["userErrors"]] == [
        ("INVALID_INPUT", ["input", "optionIds", "1"])
    ]


async def test_every_refusal_has_a_reason(shop: Bookable) -> None:
    gas = await shop.world.add_service("Boiler", requiredSkills=["gas"])
    off_the_globe = HERE | {"location": {"latitude": 91, "longitude": 0}}
    cases: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"serviceIds": []}, "INVALID_INPUT", ["serviceIds"]),
        ({"serviceIds": ["svc_nothing"]}, "NOT_FOUND", ["serviceIds", "0"]),
        ({"optionIds": ["opt_nothing"]}, "NOT_FOUND", ["optionIds", "0"]),
        ({"days": 0}, "INVALID_INPUT", ["days"]),
        ({"days": 1000}, "INVALID_INPUT", ["days"]),
        ({"from": "2199-01-01"}, "INVALID_INPUT", ["from"]),
        ({"address": HERE | {"city": " "}}, "INVALID_INPUT", ["address", "city"]),
        ({"address": off_the_globe}, "INVALID_INPUT", ["address", "location", "latitude"]),
        ({"address": HERE | {"location": None, "postalCode": "99999"}}, "ADDRESS_NOT_FOUND", ["address"]),
        ({"address": HERE | {"location": None, "country": "FR"}}, "ADDRESS_NOT_FOUND", ["address"]),
        ({"address": FAR}, "OUT_OF_SERVICE_AREA", ["address"]),
        ({"serviceIds": [gas]}, "MISSING_SKILL", ["serviceIds"]),
    ]
    for changed, code, path in cases:
        found = await shop.windows(**changed)
        assert found["windows"] == []
        assert [(each["code"], each["path"]) for each in found["userErrors"]] == [(code, ["input", *path])], changed


async def test_a_business_that_is_set_up_badly_has_reasons_too(shop: Bookable) -> None:
    async def code() -> str:
        found = await shop.windows()
        assert found["windows"] == []
        return str(found["userErrors"][0]["code"])

    await shop.set_location(openingHours=[])
    assert await code() == "OUTSIDE_HOURS"
    await shop.set_location(openingHours=EVERY_DAY, minimumNoticeMinutes=43_200)
    assert await code() == "OUTSIDE_HOURS"
    await shop.set_location(minimumNoticeMinutes=0)
    await shop.set_technician(workingHours=[])
    assert await code() == "TECHNICIAN_UNAVAILABLE"
    lunch = {"durationMinutes": 60, "earliest": "19:00", "latest": "20:00"}
    await shop.set_technician(workingHours=EVERY_DAY, lunch=lunch)
    assert await code() == "TECHNICIAN_UNAVAILABLE"
    await shop.set_technician(lunch=None, active=False)
    assert await code() == "TECHNICIAN_UNAVAILABLE"
    await shop.set_technician(active=True)
    nowhere = HERE | {"location": None, "postalCode": "99999"}
    await shop.set_location(address=nowhere, serviceArea={"postalCodes": ["787*"]})
    assert await code() == "TECHNICIAN_UNAVAILABLE"
    await shop.set_technician(homeBase=CENTER)
    assert (await shop.windows())["userErrors"] == []


async def test_what_changes_shows_at_once(shop: Bookable) -> None:
    """Schedules are kept between searches: each change of what they are made of must drop them."""
    day: dict[str, Any] = {"from": days_ahead(4), "days": 1}
    assert len(await shop.offered(**day)) == 5
    window = {"start": local(days_ahead(4), "08:00"), "end": local(days_ahead(4), "12:30")}
    off = await shop.world.api.do("timeOffAdd", "timeOff { id }", technicianId=shop.world.technician, window=window)
    assert len(await shop.offered(**day)) == 3
    await shop.world.api.do("timeOffRemove", timeOffId=off["timeOff"]["id"])
    assert len(await shop.offered(**day)) == 5
    promise = {"start": window["start"], "end": local(days_ahead(4), "08:15")}
    planned = await shop.world.book(
        window["start"], window["end"], technicianId=shop.world.technician, arrivalWindow=promise
    )
    assert len(await shop.offered(**day)) == 3
    await shop.world.api.do("appointmentCancel", appointmentId=planned["id"])
    assert len(await shop.offered(**day)) == 5
    await shop.set_technician(workingHours=[each | {"opens": "12:30"} for each in EVERY_DAY])
    assert len(await shop.offered(**day)) == 3
    await shop.set_location(closures=[{"date": days_ahead(4)}])
    assert (await shop.windows(**day))["windows"] == []
