"""A better day: proposed by a solver, applied as a whole or not at all, and only to the day that it was made for."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from integrations.vroom import Vroom
from tests.availability.bookable import EVERY_DAY, HERE, Bookable, at, bookable_business, days_ahead
from tests.availability.test_suggestions import local
from tests.forging import forged
from tests.service import Service, running_service

PROPOSAL = """query ($day: Date!, $location: ID!) { dayPlanProposal(day: $day, locationId: $location) {
  day travelMinutesBefore travelMinutesAfter token solved
  changes { appointment { id } technician { id } scheduled { start end } }
  unplanned { id } notPlaced { appointment { id } obstacles } } }"""
APPLIED = "appointments { id technician { id } scheduled { start end } } userErrors { code path }"
BOARD = """{ appointments { nodes { id version status technician { id } scheduled { start end } arrivalWindow { start end }
  history { type } } } }"""
NORTH, SOUTH = {"latitude": 30.40, "longitude": -97.74}, {"latitude": 30.14, "longitude": -97.74}
DAY = days_ahead(6)
MIDDLE = {"start": local(DAY, "09:00"), "end": local(DAY, "15:00")}


async def address(shop: Bookable, place: dict[str, float]) -> str:
    made = await shop.world.api.do(
        "customerAddressAdd", "address { id }", customerId=shop.world.customer, address=HERE | {"location": place}
    )
    return str(made["address"]["id"])


async def propose(shop: Bookable, day: str = DAY) -> Any:
    found = await shop.world.api.ask(PROPOSAL, day=day, location=shop.world.location)
    return found["dayPlanProposal"]


async def apply(shop: Bookable, token: str) -> Any:
    return await shop.world.api.do("dayPlanApply", APPLIED, token=token)


@pytest.fixture
async def crossed(shop: Bookable) -> Bookable:
    """Two technicians, each of whom has the visits at the other one's door, at the same hours; and one visit without anybody."""
    await cross(shop)
    return shop


async def cross(shop: Bookable) -> None:
    other = await shop.world.add_technician("Otto Ode", homeBase=SOUTH)
    await shop.world.api.do("technicianUpdate", technicianId=other, workingHours=EVERY_DAY)
    await shop.set_technician(homeBase=NORTH)
    north, south = await address(shop, NORTH), await address(shop, SOUTH)
    for technician, place in ((shop.world.technician, south), (other, north)):
        for start, end in (("09:00", "10:00"), ("11:00", "12:00")):
            await shop.world.book(
                local(DAY, start), local(DAY, end), technicianId=technician, addressId=place, arrivalWindow=MIDDLE
            )
    await shop.world.book(local(DAY, "13:00"), local(DAY, "14:00"), addressId=north, arrivalWindow=MIDDLE)


async def test_a_better_day_is_proposed_and_applied(crossed: Bookable) -> None:
    before = await crossed.world.api.ask(BOARD)
    plan = await propose(crossed)
    assert plan["solved"] is True
    assert plan["unplanned"] == []
    assert plan["travelMinutesAfter"] < plan["travelMinutesBefore"]
    assert await crossed.world.api.ask(BOARD) == before
    applied = await apply(crossed, plan["token"])
    assert applied["userErrors"] == []
    told = {each["appointment"]["id"]: each for each in plan["changes"]}
    assert {each["id"] for each in applied["appointments"]} == set(told)
    for each in applied["appointments"]:
        assert each["technician"]["id"] == told[each["id"]]["technician"]["id"]
        assert each["scheduled"] == told[each["id"]]["scheduled"]
    after = await crossed.world.api.ask(BOARD)
    counts = {each["id"]: len(each["history"]) for each in before["appointments"]["nodes"]}
    for each in after["appointments"]["nodes"]:
        assert len(each["history"]) - counts[each["id"]] == (each["id"] in told)
        assert each["arrivalWindow"] is not None
        assert at(each["arrivalWindow"]["start"]) <= at(each["scheduled"]["start"]) <= at(each["arrivalWindow"]["end"])
    assert (await propose(crossed))["changes"] == []
    again = await apply(crossed, plan["token"])
    assert again == {"appointments": [], "userErrors": [{"code": "VERSION_CONFLICT", "path": ["input", "token"]}]}


async def test_a_plan_of_another_day_than_todays_is_not_applied(crossed: Bookable) -> None:
    plan = await propose(crossed)
    moved = plan["changes"][0]["appointment"]["id"]
    await crossed.world.api.do("appointmentCancel", appointmentId=moved)
    before = await crossed.world.api.ask(BOARD)
    refused = await apply(crossed, plan["token"])
    assert [each["code"] for each in refused["userErrors"]] == ["VERSION_CONFLICT"]
    assert await crossed.world.api.ask(BOARD) == before
    plan = await propose(crossed)
    await crossed.world.api.do(
        "timeOffAdd", technicianId=crossed.world.technician,
        window={"start": local(DAY, "08:00"), "end": local(DAY, "09:00")},
    )  # fmt: skip
    refused = await apply(crossed, plan["token"])
    assert [each["code"] for each in refused["userErrors"]] == ["VERSION_CONFLICT"]
    assert await crossed.world.api.ask(BOARD) == before


async def test_tokens_of_others_and_forged_ones_are_none(service: Service, crossed: Bookable) -> None:
    plan = await propose(crossed)
    before = await crossed.world.api.ask(BOARD)
    async with bookable_business(service) as other:
        for shop, token in ((other, plan["token"]), (crossed, forged(plan["token"])), (crossed, "nonsense")):
            refused = await apply(shop, token)
            assert refused == {
                "appointments": [],
                "userErrors": [{"code": "TOKEN_EXPIRED", "path": ["input", "token"]}],
            }
    assert await crossed.world.api.ask(BOARD) == before


async def test_what_cannot_be_placed_says_why(shop: Bookable) -> None:
    gas = await shop.world.add_service("Boiler", requiredSkills=["gas"])
    rare = await shop.world.book(local(DAY, "09:00"), local(DAY, "10:00"), lines=[{"serviceId": gas}])
    nowhere = await shop.world.api.do(
        "customerAddressAdd", "address { id }", customerId=shop.world.customer,
        address=HERE | {"location": None, "postalCode": "99999"},
    )  # fmt: skip
    lost = await shop.world.book(local(DAY, "11:00"), local(DAY, "12:00"), addressId=nowhere["address"]["id"])
    plan = await propose(shop)
    assert {each["id"] for each in plan["unplanned"]} == {rare["id"], lost["id"]}
    why = {each["appointment"]["id"]: each["obstacles"] for each in plan["notPlaced"]}
    assert why == {rare["id"]: ["MISSING_SKILL"], lost["id"]: ["NO_COORDINATES"]}
    assert (await propose(shop, days_ahead(-3)))["changes"] == []


async def test_a_business_without_technicians_has_a_plan_of_nothing(shop: Bookable) -> None:
    waiting = await shop.world.book(local(DAY, "09:00"), local(DAY, "10:00"))
    await shop.set_technician(active=False)
    plan = await propose(shop)
    assert plan["changes"] == []
    assert [each["obstacles"] for each in plan["notPlaced"]] == [["NO_TECHNICIANS"]]
    assert [each["id"] for each in plan["unplanned"]] == [waiting["id"]]


@pytest.fixture(params=["import time; time.sleep(600)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
async def broken(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Bookable]:
    """A business whose solver hangs, or is killed."""
    solver = Vroom(seconds=0.3, grace=0.5, command=(sys.executable, "-c", request.param))
    async with running_service(database_url) as service:
        service.app.state.planning.solver = solver
        async with bookable_business(service) as shop:
            await cross(shop)
            yield shop


async def test_a_solver_that_hangs_or_dies_changes_nothing_but_the_gaps(broken: Bookable) -> None:
    before = await broken.world.api.ask(BOARD)
    plan = await propose(broken)
    assert plan["solved"] is False
    # The visit that nobody had is placed; others at most slide inside their promises, and stay with whom they are.
    whose = {each["id"]: each["technician"] for each in before["appointments"]["nodes"]}
    planned = {each["appointment"]["id"]: each["technician"] for each in plan["changes"]}
    assert [each for each in planned if whose[each] is None] == [each for each in whose if whose[each] is None]
    assert all(whose[each] in (None, technician) for each, technician in planned.items())
    assert await broken.world.api.ask(BOARD) == before
    assert (await apply(broken, plan["token"]))["userErrors"] == []
