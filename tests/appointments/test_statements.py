"""What the board and the list cost in statements: so many, however many rows they answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.service import Service, running_service
from tests.wire import Wire, tapped
from tests.world import World, new_world

DAY = "2027-03-02"
# In fragments, as the board's page asks: what a query leads to has to be found in them too.
VISIT = """fragment Visit on Appointment { id number status scheduled { start } total { amount } technician { id name }
  customer { id name phone } ... on Appointment { lines { ...Line } } }
fragment Line on AppointmentLine { quantity service { id name } }"""
BOARD = f"""query ($day: Date!) {{ dispatchBoard(day: $day) {{ cursor
  lanes {{ technician {{ id name }} appointments {{ ...Visit }} }} unassigned {{ ...Visit }} }} }} {VISIT}"""
PAGE = BOARD.replace(
    "technician { id name } app", f'technician {{ id location {{ id }} timeOff(from: "{DAY}T00:00:00Z") {{ id }} }} app'
)
LIST = f"{{ appointments(first: 100) {{ edges {{ node {{ ...Visit }} }} }} }} {VISIT}"
# Statements on the wire, that with which a session is looked up among them but neither BEGIN nor COMMIT; transactions.
BOARD_COSTS = (5, 1)
# The time off of all technicians in one more.
PAGE_COSTS = (8, 2)
# A transaction of its own that nobody has to begin or end.
LIST_COSTS = (2, 0)
# Behind the look-up and what the transaction is told: the locks, the time off, the write with what its customer is to be
# told, the messages, the event.
SCHEDULE_COSTS = (7, 1)
# Without the time off.
ON_THE_WAY_COSTS = (6, 1)
# With an arrival that is estimated: the way, once for whoever knows travel times and once under the locks.
ESTIMATED_COSTS = (9, 2)
# Without messages.
NOTES_COSTS = (5, 1)


@pytest.fixture
async def tap(database_url: str) -> AsyncIterator[tuple[Service, Wire]]:
    async with tapped(database_url) as (url, wire), running_service(url) as service:
        yield service, wire


@pytest.mark.parametrize(
    ("query", "costs"), [(BOARD, BOARD_COSTS), (PAGE, PAGE_COSTS), (LIST, LIST_COSTS)], ids=["board", "page", "list"]
)
async def test_rows_add_no_statements(tap: tuple[Service, Wire], query: str, costs: tuple[int, int]) -> None:
    service, wire = tap
    async with new_world(service) as world:
        await _add_no_statements(world, wire, query, costs)


async def _add_no_statements(world: World, wire: Wire, query: str, costs: tuple[int, int]) -> None:
    variables = {} if query is LIST else {"day": DAY}
    people = [world.technician, *[await world.add_technician(f"Technician {number}") for number in range(3)]]
    start = datetime.fromisoformat(f"{DAY}T06:00:00-06:00").astimezone(UTC)

    async def book(number: int) -> None:
        lane, place = number % 4, number // 4
        customer, address = await world.add_customer(f"Customer {number}")
        begins = start + place * timedelta(minutes=20)
        await world.book(
            begins.isoformat(), (begins + timedelta(minutes=20)).isoformat(), technicianId=people[lane],
            customerId=customer, addressId=address, lines=[{"serviceId": await world.add_service(f"Service {number}")}],
        )  # fmt: skip

    found = []
    for first, last in ((0, 10), (10, 100)):
        for chunk in range(first, last, 5):
            await asyncio.gather(*(book(number) for number in range(chunk, chunk + 5)))
        # When a session was last used is noted once a minute: now, and not while we count.
        await world.api.ask(query, **variables)
        wire.clear()
        answer = await world.api.ask(query, **variables)
        counted = (len(wire.statements), wire.transactions)
        shown = (
            [edge["node"] for edge in answer["appointments"]["edges"]]
            if query is LIST
            else [visit for lane in answer["dispatchBoard"]["lanes"] for visit in lane["appointments"]]
        )
        assert len(shown) == last
        assert all(visit["customer"]["name"] and visit["lines"][0]["service"]["name"] for visit in shown)
        found.append(counted)
    assert found == [costs, costs], "\n".join(wire.statements)


async def test_what_a_caller_may_not_see_is_not_read_along(tap: tuple[Service, Wire]) -> None:
    service, wire = tap
    async with new_world(service) as world:
        await world.book(f"{DAY}T15:00:00Z", f"{DAY}T16:00:00Z", technicianId=world.technician)
        made = await world.api.do(
            "apiKeyCreate", "key userErrors { code path }", name="Partner", scopes=["appointments:read"]
        )
        caller = service.client()
        caller.http.headers["authorization"] = f"Bearer {made['key']}"
        wire.clear()
        answer = (await caller.post(BOARD, day=DAY)).json()
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
        assert any("FROM appointments" in statement for statement in wire.statements)
        assert not any("FROM customers" in each or "FROM services" in each for each in wire.statements)


async def test_of_a_board_is_read_what_is_asked_for(tap: tuple[Service, Wire]) -> None:
    service, wire = tap
    parts = {
        "time_off.reason": "lanes { working { start } }",
        "FROM technician_positions": "lanes { position { heading } }",
    }
    async with new_world(service) as world:
        for asked in parts.values():
            wire.clear()
            await world.api.ask(f"query ($day: Date!) {{ dispatchBoard(day: $day) {{ {asked} }} }}", day=DAY)
            for text, needed in parts.items():
                assert any(text in each for each in wire.statements) == (needed is asked), wire.statements
            assert not any("LIMIT" in each for each in wire.statements)
        wire.clear()
        await world.api.ask("query ($day: Date!) { dispatchBoard(day: $day) { unassigned { id } } }", day=DAY)
        assert any("LIMIT" in each for each in wire.statements)


async def test_a_change_costs_so_many_statements(tap: tuple[Service, Wire]) -> None:
    service, wire = tap
    payload = "appointment { id version } userErrors { code }"

    async def cost(mutation: str, **given: object) -> tuple[int, int]:
        wire.clear()
        answer = await world.api.do(mutation, payload, appointmentId=visit, **given)
        assert answer["userErrors"] == []
        return len(wire.statements), wire.transactions

    async with new_world(service) as world:
        booked = await world.book(f"{DAY}T15:00:00Z", f"{DAY}T16:00:00Z", technicianId=world.technician)
        visit = booked["id"]
        # Each twice: the first of a connection may be told from those that follow.
        for _ in range(2):
            for hour in (17, 18):
                moved = {"start": f"{DAY}T{hour}:00:00Z", "end": f"{DAY}T{hour}:30:00Z"}
                assert await cost("appointmentSchedule", scheduled=moved) == SCHEDULE_COSTS, "\n".join(wire.statements)
                notes = f"Ring at {hour}"
                assert await cost("appointmentUpdate", notes=notes) == NOTES_COSTS, "\n".join(wire.statements)
            left = await cost("appointmentMarkOnTheWay", etaMinutes=10)
            assert left == ON_THE_WAY_COSTS, "\n".join(wire.statements)
            await world.api.do("appointmentReopen", payload, appointmentId=visit)
            estimated = await cost("appointmentMarkOnTheWay")
            assert estimated == ESTIMATED_COSTS, "\n".join(wire.statements)
            await world.api.do("appointmentReopen", payload, appointmentId=visit)
