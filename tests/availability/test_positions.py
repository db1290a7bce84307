"""Where a technician is, and when the next customer is reached: pushed when it moves, with a warning when it is late."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.access.people import Mailbox, add_user
from tests.availability.bookable import CENTER, HERE, Bookable, at
from tests.service import Service
from tests.world import new_world

KEPT = "position { technicianId point { latitude longitude } heading speedKph recordedAt } userErrors { code path }"
HISTORY = """query ($id: ID!) { node(id: $id) { ... on Appointment {
  eta version history { type actor changes { field before after } } } } }"""
NEAR = {"latitude": 30.2715, "longitude": -97.7431}
FAR = {"latitude": 30.55, "longitude": -97.75}


async def report(shop: Bookable, place: dict[str, float], seconds: float = 0, **input_: Any) -> Any:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return await shop.world.api.do(
        "technicianPositionReport", KEPT,
        **({"technicianId": shop.world.technician, "point": place, "recordedAt": moment.isoformat()} | input_),
    )  # fmt: skip


async def under_way(shop: Bookable, minutes: int = 30) -> str:
    """The technician is on the way to the center of town, promised within so many minutes."""
    now = datetime.now(UTC)
    made = await shop.world.api.do(
        "customerAddressAdd", "address { id } userErrors { code }", customerId=shop.world.customer, address=HERE
    )
    booked = await shop.world.book(
        now.isoformat(), (now + timedelta(hours=1)).isoformat(), technicianId=shop.world.technician,
        addressId=made["address"]["id"],
        arrivalWindow={"start": now.isoformat(), "end": (now + timedelta(minutes=minutes)).isoformat()},
    )  # fmt: skip
    left = await shop.world.api.do("appointmentMarkOnTheWay", appointmentId=booked["id"])
    assert left["userErrors"] == []
    return str(booked["id"])


async def history(shop: Bookable, appointment: str) -> list[Any]:
    return list((await shop.world.api.ask(HISTORY, id=appointment))["node"]["history"])


async def test_the_arrival_follows_the_position_and_is_told_when_it_moves(shop: Bookable) -> None:
    appointment = await under_way(shop)
    first = (await shop.world.api.ask(HISTORY, id=appointment))["node"]
    async with shop.world.api.subscribe(
        "subscription { appointmentEvents { type changes { field after } appointment { eta } } }"
    ) as stream:
        # Half a kilometre is no news; thirty are.
        assert (await report(shop, NEAR, -20))["position"]["point"] == NEAR
        assert (await shop.world.api.ask(HISTORY, id=appointment))["node"] == first
        await report(shop, FAR, -10)
        told = (await stream.next())["appointmentEvents"]
    assert told["type"] == "ETA_CHANGED"
    assert {each["field"] for each in told["changes"]} == {"eta", "late"}
    assert at(told["appointment"]["eta"]) - at(first["eta"]) > timedelta(minutes=20)
    # Back in town: in time again.
    await report(shop, NEAR)
    events = await history(shop, appointment)
    assert [each["type"] for each in events][-3:] == ["ON_THE_WAY", "ETA_CHANGED", "ETA_CHANGED"]
    late = [change for each in events for change in each["changes"] if change["field"] == "late"]
    assert late == [
        {"field": "late", "before": False, "after": True}, {"field": "late", "before": True, "after": False},
    ]  # fmt: skip


async def test_an_arrival_that_passes_the_window_is_told_even_when_it_moves_little(shop: Bookable) -> None:
    """The ETA of the first moment is within the window by less than three minutes, the next one is not."""
    appointment = await under_way(shop, minutes=1)
    await report(shop, {"latitude": 30.2745, "longitude": -97.7431})
    (change,) = [each for each in (await history(shop, appointment))[-1]["changes"] if each["field"] == "late"]
    assert change["after"] is True


async def test_only_the_latest_position_is_kept(shop: Bookable) -> None:
    await report(shop, FAR, -5, heading=90, speedKph=40)
    late = await report(shop, NEAR, -60)
    assert late["userErrors"] == []
    assert late["position"]["point"] == FAR
    # Faster than is kept: the first of them stays.
    assert (await report(shop, NEAR, -4.9))["position"]["point"] == FAR
    assert (await report(shop, NEAR, -4))["position"]["point"] == NEAR


async def test_a_position_reaches_those_who_watch(shop: Bookable) -> None:
    async with shop.world.api.subscribe(
        "subscription { technicianPositions { technicianId point { latitude } } }"
    ) as stream:
        await report(shop, CENTER)
        assert (await stream.next())["technicianPositions"]["technicianId"] == shop.world.technician


async def test_bad_positions_are_refused(service: Service, shop: Bookable) -> None:
    async with new_world(service) as other:
        cases: list[tuple[dict[str, Any], str, list[str]]] = [
            ({"point": {"latitude": 91, "longitude": 0}}, "INVALID_INPUT", ["point", "latitude"]),
            ({"heading": 361}, "INVALID_INPUT", ["heading"]),
            ({"speedKph": -1}, "INVALID_INPUT", ["speedKph"]),
            ({"recordedAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "INVALID_INPUT", ["recordedAt"]),
            ({"recordedAt": (datetime.now(UTC) - timedelta(hours=2)).isoformat()}, "INVALID_INPUT", ["recordedAt"]),
            ({"technicianId": None}, "INVALID_INPUT", ["technicianId"]),
            ({"technicianId": other.technician}, "NOT_FOUND", ["technicianId"]),
            ({"technicianId": "tech_nothing"}, "NOT_FOUND", ["technicianId"]),
        ]
        for changed, code, path in cases:
            answer = await report(shop, NEAR, **changed)
            assert answer == {"position": None, "userErrors": [{"code": code, "path": ["input", *path]}]}, changed
        for world in (shop.world, other):
            found = await world.api.ask("{ technicians { nodes { position { recordedAt } } } }")
            assert [each["position"] for each in found["technicians"]["nodes"]] == [None]


async def test_technicians_report_for_themselves_alone(shop: Bookable) -> None:
    other = await shop.world.add_technician("Otto Ode")
    person = await add_user(shop.world, Mailbox(), "TECHNICIAN", "Tess Tran", technicianId=shop.world.technician)
    own = await person.api.do("technicianPositionReport", KEPT, point=NEAR)
    assert own["userErrors"] == []
    assert own["position"]["technicianId"] == shop.world.technician
    theirs = await person.api.do("technicianPositionReport", KEPT, point=FAR, technicianId=other)
    assert [each["code"] for each in theirs["userErrors"]] == ["NOT_FOUND"]
    viewer = await add_user(shop.world, Mailbox(), "VIEWER", "Vera View")
    body = (
        await viewer.api.post(
            "mutation ($i: TechnicianPositionReportInput!) { technicianPositionReport(input: $i) { userErrors { code } } }",
            i={"point": NEAR, "technicianId": other},
        )
    ).json()
    assert [each["extensions"]["code"] for each in body["errors"]] == ["FORBIDDEN"]
    found = await shop.world.api.ask("{ technicians { nodes { id position { point { latitude } } } } }")
    seen = {each["id"]: each["position"] for each in found["technicians"]["nodes"]}
    assert seen == {shop.world.technician: {"point": {"latitude": NEAR["latitude"]}}, other: None}
