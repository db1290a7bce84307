"""Who should take a job, and why the others cannot; and the office's own search for windows."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.availability.bookable import CENTER, EVERY_DAY, HERE, Bookable, at, days_ahead
from tests.service import Service
from tests.world import new_world

SUGGESTIONS = """query ($id: ID!, $day: Date) { technicianSuggestions(appointmentId: $id, day: $day) {
  technician { id name } feasible reasons addedTravelMinutes earliest { start end } bestStart } }"""
FAR_NORTH = {"latitude": 30.55, "longitude": -97.75}


def local(day: str, clock: str) -> str:
    """A time on Austin's clocks."""
    return datetime.fromisoformat(f"{day}T{clock}:00").replace(tzinfo=ZoneInfo("America/Chicago")).isoformat()


async def suggest(shop: Bookable, appointment: str, day: str | None = None) -> list[Any]:
    found = await shop.world.api.ask(SUGGESTIONS, id=appointment, day=day)
    return list(found["technicianSuggestions"])


async def test_all_technicians_are_ranked_and_each_infeasible_one_says_why(shop: Bookable) -> None:
    world, day = shop.world, days_ahead(4)
    await shop.set_technician(name="Near", homeBase=CENTER, skills=["gas"])
    await world.add_technician("Far", skills=["gas"], homeBase=FAR_NORTH)
    await world.add_technician("Unskilled")
    away = await world.add_technician("Away", skills=["gas"])
    busy = await world.add_technician("Busy", skills=["gas"])
    idle = await world.add_technician("Idle", skills=["gas"])
    for name in ("Far", "Unskilled", "Away", "Busy"):
        found = await world.api.ask("{ technicians { nodes { id name } } }")
        who = next(each["id"] for each in found["technicians"]["nodes"] if each["name"] == name)
        await world.api.do("technicianUpdate", technicianId=who, workingHours=EVERY_DAY)
    await world.api.do("technicianUpdate", technicianId=idle, workingHours=[])
    await world.api.do(
        "timeOffAdd", technicianId=away, window={"start": local(day, "07:00"), "end": local(day, "19:00")}
    )
    await world.book(local(day, "08:00"), local(day, "18:00"), technicianId=busy)
    offer = await world.add_service("Boiler", requiredSkills=["gas"])
    waiting = await world.book(lines=[{"serviceId": offer}])
    found = await suggest(shop, waiting["id"], day)
    assert {each["technician"]["name"]: each["reasons"] for each in found} == {
        "Near": [], "Far": [], "Unskilled": ["MISSING_SKILL"], "Away": ["TIME_OFF"], "Busy": ["OVERLAP"],
        "Idle": ["NOT_WORKING"],
    }  # fmt: skip
    assert [each["technician"]["name"] for each in found[:2]] == ["Near", "Far"]
    assert found[0]["addedTravelMinutes"] < found[1]["addedTravelMinutes"]
    assert at(found[0]["earliest"]["end"]) - at(found[0]["earliest"]["start"]) == timedelta(minutes=60)
    assert all(each["earliest"] is None and each["addedTravelMinutes"] is None for each in found[2:])
    # What is suggested can be done: the office plans it so.
    planned = await world.api.do(
        "appointmentSchedule", appointmentId=waiting["id"], technicianId=found[0]["technician"]["id"],
        scheduled=found[0]["earliest"],
    )  # fmt: skip
    assert planned["userErrors"] == []


async def test_places_that_are_not_known_or_too_far_have_a_reason_too(shop: Bookable) -> None:
    world = shop.world
    await shop.set_location(serviceArea={"radiusKm": 5})
    made = await world.api.do(
        "customerAddressAdd", "address { id } userErrors { code }",
        customerId=world.customer, address=HERE | {"location": FAR_NORTH},
    )  # fmt: skip
    waiting = await world.book(addressId=made["address"]["id"])
    assert [each["reasons"] for each in await suggest(shop, waiting["id"], days_ahead(3))] == [["OUT_OF_RANGE"]]
    lost = await world.api.do(
        "customerAddressAdd", "address { id address { location { latitude } } }",
        customerId=world.customer, address=HERE | {"location": None, "postalCode": "99999"},
    )  # fmt: skip
    assert lost["address"]["address"]["location"] is None
    unknown = await world.book(addressId=lost["address"]["id"])
    assert [each["reasons"] for each in await suggest(shop, unknown["id"], days_ahead(3))] == [["OUT_OF_RANGE"]]
    windows = await shop.world.api.ask(OFFICE, input={"appointmentId": unknown["id"]})
    assert [each["code"] for each in windows["appointmentWindows"]["userErrors"]] == ["ADDRESS_NOT_FOUND"]


async def test_a_foreign_appointment_is_none(service: Service, shop: Bookable) -> None:
    async with new_world(service) as other:
        theirs = (await other.book())["id"]
        body = (await shop.world.api.post(SUGGESTIONS, id=theirs)).json()
        assert body["data"] == {"technicianSuggestions": None}
        assert body["errors"][0]["extensions"]["reason"] == "NOT_FOUND"
        found = await shop.world.api.ask(OFFICE, input={"appointmentId": theirs})
        assert [each["code"] for each in found["appointmentWindows"]["userErrors"]] == ["NOT_FOUND"]


OFFICE = """query ($input: AppointmentWindowsInput!) { appointmentWindows(input: $input) {
  windows { window { start end } candidates { technician { id } earliestStart addedTravelMinutes } }
  userErrors { code path } } }"""


async def test_the_office_sees_who_can_make_each_window(shop: Bookable) -> None:
    second = await shop.world.add_technician("Otto Ode", homeBase=FAR_NORTH)
    await shop.world.api.do("technicianUpdate", technicianId=second, workingHours=EVERY_DAY)
    await shop.set_location(minimumNoticeMinutes=43_200)
    day = {"from": days_ahead(2), "days": 1}
    new = {"locationId": shop.world.location, "serviceIds": [shop.world.offer], "address": HERE}
    found = (await shop.world.api.ask(OFFICE, input=new | day))["appointmentWindows"]
    assert found["userErrors"] == []
    assert len(found["windows"]) == 5
    for offered in found["windows"]:
        assert [each["technician"]["id"] for each in offered["candidates"]] == [shop.world.technician, second]
    assert (await shop.windows(**day))["userErrors"][0]["code"] == "OUTSIDE_HOURS"
    # An appointment that is moved does not stand in its own way.
    whole = await shop.world.add_service("Most of a day", minutes=480)
    made = await shop.world.book(
        local(days_ahead(2), "09:00"), local(days_ahead(2), "17:00"), technicianId=shop.world.technician,
        lines=[{"serviceId": whole}],
    )  # fmt: skip
    moved = (await shop.world.api.ask(OFFICE, input={"appointmentId": made["id"]} | day))["appointmentWindows"]
    assert moved["userErrors"] == [], moved
    both = await shop.world.api.ask(OFFICE, input={"appointmentId": made["id"]} | new)
    assert [each["code"] for each in both["appointmentWindows"]["userErrors"]] == ["INVALID_INPUT"]
