"""No technician is in two places: by construction, under any race."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import psycopg
import pytest

from domain.errors import ErrorCode, Refusal
from domain.ids import Prefix, decode, new_id
from models.database import ATTEMPTS, Database
from models.tenant_session import LOCK_TIMEOUT_MS
from tests.world import World

RACERS = 32
PATIENCE_MS = 2_000
DAY = "2027-03-02"


def window(start: str, end: str) -> dict[str, str]:
    return {"start": f"{DAY}T{start}:00-06:00", "end": f"{DAY}T{end}:00-06:00"}


async def race(booking: Callable[[int], Awaitable[Any]]) -> list[Any]:
    """Let everybody go at once; the answers."""
    return await asyncio.gather(*(booking(number) for number in range(RACERS)))


def deadlocks(database_url: str) -> int:
    """How many there have been in this database."""
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        found = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        assert found is not None
        return int(found[0])


def test_nobody_waits_longer_for_a_lock_than_a_dispatcher_does() -> None:
    """Whoever does is told BUSY, so a race in which nobody is took nobody longer."""
    assert LOCK_TIMEOUT_MS < PATIENCE_MS


def judge(codes: list[str]) -> None:
    """What must be true of a race for one place."""
    assert codes.count("won") == 1, codes
    assert codes.count("SLOT_TAKEN") == RACERS - 1, codes


async def test_one_of_32_schedules_wins(world: World, database_url: str) -> None:
    waiting = [await world.book() for _ in range(RACERS)]

    async def schedule(number: int) -> str:
        # Different lengths: they overlap without being equal.
        answer = await world.api.do(
            "appointmentSchedule", "appointment { id } userErrors { code path }",
            appointmentId=waiting[number]["id"], technicianId=world.technician,
            scheduled=window("09:00", f"10:{number:02}"),
        )  # fmt: skip
        return answer["userErrors"][0]["code"] if answer["userErrors"] else "won"

    before = deadlocks(database_url)
    judge(await race(schedule))
    assert deadlocks(database_url) == before


async def test_one_of_32_assignments_wins(world: World, database_url: str) -> None:
    waiting = [await world.book(*window("09:00", "10:00").values()) for _ in range(RACERS)]

    async def assign(number: int) -> str:
        answer = await world.api.do(
            "appointmentAssign", "appointment { id } userErrors { code path }",
            appointmentId=waiting[number]["id"], technicianId=world.technician,
        )  # fmt: skip
        return answer["userErrors"][0]["code"] if answer["userErrors"] else "won"

    before = deadlocks(database_url)
    judge(await race(assign))
    assert deadlocks(database_url) == before


async def test_swaps_in_both_directions_do_not_deadlock(world: World, database_url: str) -> None:
    other = await world.add_technician("Otto Ode")
    people = (world.technician, other)
    made = [
        await world.book(
            *window(f"{8 + number // 2:02}:00", f"{8 + number // 2:02}:59").values(), technicianId=people[number % 2]
        )
        for number in range(16)
    ]

    async def swap(number: int) -> str:
        answer = await world.api.do(
            "appointmentAssign", "appointment { id } userErrors { code path }",
            appointmentId=made[number % 16]["id"], technicianId=people[(number + 1) % 2],
        )  # fmt: skip
        return answer["userErrors"][0]["code"] if answer["userErrors"] else "won"

    before = deadlocks(database_url)
    assert set(await race(swap)) <= {"won", "SLOT_TAKEN"}
    assert deadlocks(database_url) == before


async def test_back_to_back_is_no_overlap(world: World) -> None:
    await world.book(*window("09:00", "10:00").values(), technicianId=world.technician)
    await world.book(*window("10:00", "11:00").values(), technicianId=world.technician)


async def test_what_is_over_or_cancelled_frees_the_time_and_cannot_take_it_back(world: World) -> None:
    first = await world.book(*window("09:00", "10:00").values(), technicianId=world.technician)
    await world.api.do("appointmentCancel", appointmentId=first["id"])
    await world.book(*window("09:00", "10:00").values(), technicianId=world.technician)
    again = await world.api.do("appointmentReopen", "appointment { id } userErrors { code }", appointmentId=first["id"])
    assert again == {"appointment": None, "userErrors": [{"code": "SLOT_TAKEN"}]}


@pytest.fixture
def scratch(owner_url: str) -> Iterator[str]:
    """Appointments as the first idea has them: no constraint, no lock."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE naive (technician int, starts int, ends int)")
        yield owner_url
        connection.execute("DROP TABLE naive")


async def test_the_naive_version_fails_this_test(scratch: str) -> None:
    """Look whether it is free, then write: what the constraint is there for."""
    looked = asyncio.Barrier(RACERS)

    async def look_then_write(_number: int) -> str:
        async with await psycopg.AsyncConnection.connect(scratch) as connection:
            found = await connection.execute("SELECT 1 FROM naive WHERE technician = 1 AND starts < 10 AND ends > 9")
            taken = await found.fetchone()
            await looked.wait()
            if taken:
                return "SLOT_TAKEN"
            await connection.execute("INSERT INTO naive VALUES (1, 9, 10)")
            return "won"

    codes = await race(look_then_write)
    with pytest.raises(AssertionError):
        judge(codes)


async def test_without_the_lock_racers_deadlock(world: World, database_url: str) -> None:
    """Two writers that insert before they look: each waits for the other's uncommitted row inside the constraint."""
    made = [await world.book() for _ in range(2)]
    outcome = await _insert_without_lock(world, database_url, [each["id"] for each in made])
    assert psycopg.errors.DeadlockDetected in outcome, outcome
    assert ATTEMPTS > 1


async def _insert_without_lock(world: World, database_url: str, ids: list[str]) -> list[type[BaseException] | None]:
    tenant = (await world.api.ask("{ tenant { id } }"))["tenant"]["id"]
    person = decode(Prefix.TECHNICIAN, world.technician)
    update = (
        "UPDATE appointments SET status = 'SCHEDULED', technician_id = %s, starts_at = %s, ends_at = %s WHERE id = %s"
    )
    written = asyncio.Barrier(2)

    async def writer(number: int) -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await connection.execute(
                "SELECT set_config('app.tenant_id', %s, true)", (str(decode(Prefix.TENANT, tenant)),)
            )
            mine, theirs = ("09:00", "10:00"), ("14:00", "15:00")
            first, second = (mine, theirs) if number == 0 else (theirs, mine)
            identity = decode(Prefix.APPOINTMENT, ids[number])
            for hours in (first, second):
                await connection.execute(update, (person, f"{DAY} {hours[0]}", f"{DAY} {hours[1]}", identity))
                if hours is first:
                    await written.wait()

    found = await asyncio.gather(writer(0), writer(1), return_exceptions=True)
    return [type(each) if isinstance(each, BaseException) else None for each in found]


async def test_every_change_of_a_calendar_takes_the_technicians_lock(world: World, database_url: str) -> None:
    """While somebody else holds it, nobody changes that calendar; and nobody waits for ever."""
    tenant = (await world.api.ask("{ tenant { id } }"))["tenant"]["id"]
    planned = [
        await world.book(*window(f"{hour:02}:00", f"{hour:02}:30").values(), technicianId=world.technician)
        for hour in range(8, 11)
    ]
    asked = [await world.book(), await world.book(*window("12:00", "12:30").values())]
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("SELECT set_config('app.tenant_id', %s, true)", (str(decode(Prefix.TENANT, tenant)),))
        person = decode(Prefix.TECHNICIAN, world.technician)
        await holder.execute("SELECT 1 FROM technicians WHERE id = %s FOR NO KEY UPDATE", (person,))
        answers = await asyncio.gather(
            world.api.do("appointmentSchedule", appointmentId=asked[0]["id"], technicianId=world.technician,
                         scheduled=window("15:00", "16:00")),
            world.api.do("appointmentAssign", appointmentId=asked[1]["id"], technicianId=world.technician),
            world.api.do("appointmentAssign", appointmentId=planned[0]["id"]),
            world.api.do("appointmentMarkOnTheWay", appointmentId=planned[1]["id"], etaMinutes=5),
            world.api.do("appointmentCancel", appointmentId=planned[2]["id"]),
            world.api.do("timeOffAdd", technicianId=world.technician, window=window("08:00", "17:00")),
        )  # fmt: skip
    assert [each["userErrors"][0]["code"] for each in answers] == ["BUSY"] * 6


async def test_without_a_free_connection_a_change_is_refused_as_busy(database_url: str) -> None:
    database = Database(database_url, pool_size=1, pool_patience_s=0.05)
    try:
        async with database.anonymous() as holder:
            await holder.connection()
            with pytest.raises(Refusal) as refused:
                await database.transact(new_id(), lambda session: session.connection())
    finally:
        await database.close()
    assert refused.value.code is ErrorCode.BUSY
