"""What the board and the list cost in statements: so many, however many rows they answer."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.service import Service
from tests.world import World

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
# Statements and transactions, those with which a session is looked up among them, but neither BEGIN nor COMMIT.
BOARD_COSTS = (13, 2)
# The time off of all technicians in one more.
PAGE_COSTS = (15, 3)
LIST_COSTS = (8, 2)


class Counter:
    """Statements, and the transactions that they ran in."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.transactions = 0

    def begin(self, _connection: object) -> None:
        self.transactions += 1

    def execute(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.statements.append(statement)


@contextmanager
def counted(engine: AsyncEngine) -> Iterator[Counter]:
    counter = Counter()
    event.listen(engine.sync_engine, "begin", counter.begin)
    event.listen(engine.sync_engine, "before_cursor_execute", counter.execute)
    yield counter
    event.remove(engine.sync_engine, "begin", counter.begin)
    event.remove(engine.sync_engine, "before_cursor_execute", counter.execute)


@pytest.mark.parametrize(
    ("query", "costs"), [(BOARD, BOARD_COSTS), (PAGE, PAGE_COSTS), (LIST, LIST_COSTS)], ids=["board", "page", "list"]
)
async def test_rows_add_no_statements(service: Service, world: World, query: str, costs: tuple[int, int]) -> None:
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
        with counted(service.app.state.database.engine) as counter:
            answer = await world.api.ask(query, **variables)
        shown = (
            [edge["node"] for edge in answer["appointments"]["edges"]]
            if query is LIST
            else [visit for lane in answer["dispatchBoard"]["lanes"] for visit in lane["appointments"]]
        )
        assert len(shown) == last
        assert all(visit["customer"]["name"] and visit["lines"][0]["service"]["name"] for visit in shown)
        found.append((len(counter.statements), counter.transactions))
    assert found == [costs, costs], "\n".join(counter.statements)


async def test_what_a_caller_may_not_see_is_not_read_along(service: Service, world: World) -> None:
    await world.book(f"{DAY}T15:00:00Z", f"{DAY}T16:00:00Z", technicianId=world.technician)
    made = await world.api.do(
        "apiKeyCreate", "key userErrors { code path }", name="Partner", scopes=["appointments:read"]
    )
    caller = service.client()
    caller.http.headers["authorization"] = f"Bearer {made['key']}"
    with counted(service.app.state.database.engine) as counter:
        answer = (await caller.post(BOARD, day=DAY)).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
    assert any("FROM appointments" in statement for statement in counter.statements)
    assert not any("FROM customers" in statement or "FROM services" in statement for statement in counter.statements)
