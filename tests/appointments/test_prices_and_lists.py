"""Prices that are fixed when a line is added, things done once, and lists that page by position."""

import asyncio
from typing import Any

from tests.world import World

LINES = "appointment { id version total { amount } durationMinutes lines { quantity unitPrice { amount currency } option { name } } } userErrors { code path }"


async def test_a_line_keeps_its_price_and_follows_the_customers_own(world: World) -> None:
    api = world.api
    made = await world.book()
    assert made["total"] == {"amount": "129.00"}
    await api.do("serviceUpdate", serviceId=world.offer, price={"amount": "150.00"})
    await api.do("customPriceSet", customerId=world.customer, serviceId=world.offer, price={"amount": "99.50"})
    kept = await api.do(
        "appointmentUpdate", LINES, appointmentId=made["id"], lines=[{"serviceId": world.offer, "quantity": 2}]
    )
    assert kept["appointment"]["total"] == {"amount": "258.00"}
    assert kept["appointment"]["durationMinutes"] == 120
    assert (await world.book())["total"] == {"amount": "99.50"}
    await api.do("customPriceSet", customerId=world.customer, serviceId=world.offer)
    assert (await world.book())["total"] == {"amount": "150.00"}


async def test_options_add_to_price_and_duration_and_belong_to_their_service(world: World) -> None:
    made = await world.api.do(
        "serviceCreate", "service { id options { id name price { amount } durationMinutes } } userErrors { code }",
        name="Oven repair", durationMinutes=60, price={"amount": "100.00"},
        options=[{"name": "Double oven", "price": {"amount": "40.25"}, "durationMinutes": 30}],
    )  # fmt: skip
    option = made["service"]["options"][0]
    booked = await world.book(lines=[{"serviceId": made["service"]["id"], "optionId": option["id"], "quantity": 2}])
    assert booked["total"] == {"amount": "280.50"}
    wrong = await world.api.do(
        "appointmentUpdate", appointmentId=booked["id"], lines=[{"serviceId": world.offer, "optionId": option["id"]}]
    )
    assert wrong["userErrors"] == [{"code": "NOT_FOUND", "path": ["input", "lines", "0", "optionId"]}]


async def test_a_service_that_is_no_longer_offered_stays_on_lines_and_takes_no_new_ones(world: World) -> None:
    made = await world.book()
    await world.api.do("serviceUpdate", serviceId=world.offer, active=False)
    kept = await world.api.do(
        "appointmentUpdate", LINES, appointmentId=made["id"], lines=[{"serviceId": world.offer, "quantity": 3}]
    )
    assert kept["appointment"]["total"] == {"amount": "387.00"}
    refused = await world.api.do(
        "appointmentCreate", locationId=world.location, customerId=world.customer, addressId=world.address,
        lines=[{"serviceId": world.offer}],
    )  # fmt: skip
    assert refused["userErrors"] == [{"code": "INVALID_INPUT", "path": ["input", "lines", "0", "serviceId"]}]


async def test_the_same_key_does_it_once_even_at_the_same_moment(world: World) -> None:
    given: dict[str, Any] = {
        "locationId": world.location, "customerId": world.customer, "addressId": world.address,
        "lines": [{"serviceId": world.offer}], "idempotencyKey": "order-17",
    }  # fmt: skip
    answers = await asyncio.gather(
        *(world.api.do("appointmentCreate", "appointment { id number } userErrors { code }", **given) for _ in range(8))
    )
    assert len({answer["appointment"]["id"] for answer in answers}) == 1
    assert (await world.api.ask("{ appointments { totalCount } }"))["appointments"]["totalCount"] == 1
    other = await world.api.do("appointmentCreate", **(given | {"notes": "another input"}))
    assert other["userErrors"] == [{"code": "IDEMPOTENCY_CONFLICT", "path": ["input", "idempotencyKey"]}]


async def test_a_failed_try_leaves_its_key_free(world: World) -> None:
    given = {"name": "Finn Fox", "phone": "12", "idempotencyKey": "signup-1"}
    assert (await world.api.do("customerCreate", **given))["userErrors"]
    made = await world.api.do("customerCreate", "customer { id } userErrors { code }", **(given | {"phone": None}))
    assert made["userErrors"] == []


async def pages(world: World, first: int, **variables: Any) -> list[int]:
    """All numbers, page by page."""
    query = """query ($first: Int, $after: String, $order: AppointmentOrder, $filter: AppointmentFilter) {
      appointments(first: $first, after: $after, orderBy: $order, filter: $filter) {
        nodes { number } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } totalCount } }"""
    numbers: list[int] = []
    after = None
    while True:
        page = (await world.api.ask(query, first=first, after=after, **variables))["appointments"]
        numbers += [node["number"] for node in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(numbers)
            return numbers
        after = page["pageInfo"]["endCursor"]


async def test_pages_hold_everything_once_in_every_order(world: World) -> None:
    for hour in (15, 9, 12):
        await world.book(f"2027-03-02T{hour:02}:00:00-06:00", f"2027-03-02T{hour + 1:02}:00:00-06:00")
    for _ in range(4):
        await world.book()
    numbers = list(range(1001, 1008))
    by_start = [1002, 1003, 1001, 1004, 1005, 1006, 1007]
    for first in (1, 3, 100):
        assert await pages(world, first) == numbers
        for field in ("NUMBER", "CREATED_AT", "UPDATED_AT"):
            assert await pages(world, first, order={"field": field}) == numbers
            assert await pages(world, first, order={"field": field, "direction": "DESC"}) == numbers[::-1]
        assert await pages(world, first, order={"field": "SCHEDULED_START"}) == by_start
        assert await pages(world, first, order={"field": "SCHEDULED_START", "direction": "DESC"}) == by_start[::-1]
    assert await pages(world, 2, filter={"statuses": ["SCHEDULED"]}) == numbers[:3]
    span = {"scheduledFrom": "2027-03-02T09:00:00-06:00", "scheduledTo": "2027-03-02T15:00:00-06:00"}
    assert await pages(world, 2, filter=span) == [1002, 1003]
    assert await pages(world, 2, filter={"unassigned": False}) == []
    assert await pages(world, 2, filter={"customerId": "cust_nothing"}) == []


async def test_a_row_added_behind_a_cursor_neither_repeats_nor_hides_one(world: World) -> None:
    for _ in range(3):
        await world.book()
    query = """query ($after: String) { appointments(first: 2, after: $after, orderBy: {field: NUMBER, direction: DESC}) {
      nodes { number } pageInfo { endCursor } } }"""
    first = (await world.api.ask(query))["appointments"]
    await world.book()
    second = (await world.api.ask(query, after=first["pageInfo"]["endCursor"]))["appointments"]
    assert [node["number"] for node in first["nodes"] + second["nodes"]] == [1003, 1002, 1001]


async def test_customers_are_found_in_spite_of_typing_errors(world: World) -> None:
    await world.add_customer("Siobhán Johnson", phone="+15125550188", email="sj@example.com")

    async def found(search: str) -> list[str]:
        query = "query ($search: String) { customers(filter: {search: $search}) { nodes { name } } }"
        return [node["name"] for node in (await world.api.ask(query, search=search))["customers"]["nodes"]]

    for search in ("jonson", "johnsen", "5550188", "sj@exam", "siobhán", "johnson congress", "JOHNSON"):
        assert await found(search) == ["Siobhán Johnson"], search
    assert await found("nobody at all") == []
    assert await found("100%") == []
