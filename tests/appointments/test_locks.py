"""What a change of an appointment locks in its first statement: in one order, and as it is after the wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.ids import Prefix, decode
from models.database import Database
from models.technician import hold_technicians
from tests.world import World

DAY = "2027-03-02"
NINE, TEN = f"{DAY}T15:00:00+00:00", f"{DAY}T16:00:00+00:00"
LATER = {"start": f"{DAY}T18:00:00Z", "end": f"{DAY}T19:00:00Z"}


class Scene:
    """A visit that is given to somebody else at another time, and connections beside the product's."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.url = world, url
        self.tenant = self.visit = UUID(int=0)
        self.people: list[UUID] = []

    async def set_up(self) -> "Scene":
        """Book the visit."""
        self.tenant = _id(Prefix.TENANT, (await self.world.api.ask("{ tenant { id } }"))["tenant"]["id"])
        self.shown = [self.world.technician, await self.world.add_technician("Otto Ode")]
        self.people = [_id(Prefix.TECHNICIAN, each) for each in self.shown]
        self.booked = await self.world.book(NINE, TEN, technicianId=self.shown[0])
        self.visit = _id(Prefix.APPOINTMENT, self.booked["id"])
        return self

    def schedule(self) -> Awaitable[Any]:
        """Give it to the other one."""
        return self.world.api.do(
            "appointmentSchedule", "appointment { id version } userErrors { code }",
            appointmentId=self.booked["id"], technicianId=self.shown[1], scheduled=LATER,
        )  # fmt: skip

    @asynccontextmanager
    async def beside(self, *statements: tuple[str, Any]) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Somebody else's transaction, after these statements."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(self.tenant)])
            for statement, values in statements:
                await connection.execute(statement.encode(), values)
            yield connection

    async def free(self, table: str, identity: UUID) -> bool:
        """Whether nobody holds the row."""
        async with self.beside() as connection:
            found = await connection.execute(
                f"SELECT 1 FROM {table} WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED".encode(),  # noqa: S608
                [identity],
            )
            return await found.fetchone() is not None


def _id(prefix: Prefix, text: str) -> UUID:
    found = decode(prefix, text)
    assert found is not None
    return found


async def somebody_waits_for(holder: psycopg.AsyncConnection[Any]) -> None:
    """Wait until a statement waits for what this connection holds."""
    async with await psycopg.AsyncConnection.connect(holder.info.dsn, autocommit=True) as watcher:
        statement = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
        for _ in range(150):
            found = await (await watcher.execute(statement, [holder.info.backend_pid])).fetchone()
            if found is not None and found[0]:
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


@pytest.fixture
async def scene(world: World, database_url: str) -> Scene:
    return await Scene(world, database_url).set_up()


_HELD = {
    "business": ("tenants", "FOR UPDATE"),
    "appointment": ("appointments", "FOR UPDATE"),
    "first technician": ("technicians", "FOR NO KEY UPDATE"),
}


@pytest.mark.parametrize("what", _HELD)
async def test_locks_are_taken_in_one_order(scene: Scene, what: str) -> None:
    """Business, appointment, technicians by their ids: whoever waits for one of them holds nothing that comes after it."""
    table, how = _HELD[what]
    people = sorted(scene.people)
    held = {"tenants": scene.tenant, "appointments": scene.visit, "technicians": people[0]}[table]
    async with scene.beside((f"SELECT 1 FROM {table} WHERE id = %s {how}", [held])) as holder:  # noqa: S608
        answer = asyncio.ensure_future(scene.schedule())
        await somebody_waits_for(holder)
        if what == "business":
            assert await scene.free("appointments", scene.visit)
        if what != "first technician":
            assert await scene.free("technicians", people[0])
        assert await scene.free("technicians", people[1])
    assert (await answer)["userErrors"] == []


@pytest.mark.parametrize("which", [0, 1], ids=["whose it is", "who joins"])
async def test_both_technicians_are_locked(scene: Scene, which: int) -> None:
    held = ("SELECT 1 FROM technicians WHERE id = %s FOR NO KEY UPDATE", [scene.people[which]])
    async with scene.beside(held) as holder:
        answer = asyncio.ensure_future(scene.schedule())
        await somebody_waits_for(holder)
        assert not answer.done()
    assert (await answer)["userErrors"] == []


async def test_time_off_that_is_entered_meanwhile_is_seen(scene: Scene) -> None:
    """The statement that waits for the technician began before: what is asked of the calendar has to begin after it."""
    person = scene.people[1]
    async with scene.beside(
        ("SELECT 1 FROM technicians WHERE id = %s FOR NO KEY UPDATE", [person]),
        (
            "INSERT INTO time_off (tenant_id, id, technician_id, starts_at, ends_at) VALUES (%s, gen_random_uuid(), %s, %s, %s)",
            [scene.tenant, person, LATER["start"], LATER["end"]],
        ),
    ) as holder:
        answer = asyncio.ensure_future(scene.schedule())
        await somebody_waits_for(holder)
    assert [each["code"] for each in (await answer)["userErrors"]] == ["TECHNICIAN_UNAVAILABLE"]


async def test_a_technician_who_leaves_meanwhile_is_seen(scene: Scene) -> None:
    gone = ("UPDATE technicians SET active = false WHERE id = %s", [scene.people[1]])
    async with scene.beside(gone) as holder:
        answer = asyncio.ensure_future(scene.schedule())
        await somebody_waits_for(holder)
    assert [each["code"] for each in (await answer)["userErrors"]] == ["TECHNICIAN_UNAVAILABLE"]


async def test_a_cancellation_that_came_first_is_seen(scene: Scene) -> None:
    cancelled = (
        "UPDATE tenants SET status = 'CANCELLED', status_before = 'ACTIVE', cancelled_at = now() WHERE id = %s",
        [scene.tenant],
    )
    locked = ("SELECT 1 FROM tenants WHERE id = %s FOR UPDATE", [scene.tenant])
    async with scene.beside(locked, cancelled) as holder:
        answer = asyncio.ensure_future(scene.schedule())
        await somebody_waits_for(holder)
    assert [each["code"] for each in (await answer)["userErrors"]] == ["TENANT_CANCELLED"]


async def test_whose_it_became_meanwhile_is_locked(scene: Scene) -> None:
    """The technician is read from the appointment as it is once it is locked, and not as the statement found it."""
    other = scene.people[1]
    async with scene.beside(("SELECT 1 FROM technicians WHERE id = %s FOR NO KEY UPDATE", [other])) as holder:
        given = (
            "UPDATE appointments SET technician_id = %s, version = version + 1 WHERE id = %s",
            [other, scene.visit],
        )
        async with scene.beside(given) as giver:
            leaving = scene.world.api.do(
                "appointmentMarkOnTheWay", "appointment { version technician { id } } userErrors { code }",
                appointmentId=scene.booked["id"], etaMinutes=5,
            )  # fmt: skip
            answer = asyncio.ensure_future(leaving)
            await somebody_waits_for(giver)
        await somebody_waits_for(holder)
    assert (await answer)["appointment"] == {"version": 3, "technician": {"id": scene.shown[1]}}


async def test_what_a_savepoint_locked_is_locked_anew_behind_it(scene: Scene, database: Database) -> None:
    """Its rollback lets go of the rows, so that the session must not believe that it still has them."""
    person = scene.people[0]
    async with database.tenant(scene.tenant) as session:
        savepoint = await session.begin_nested()
        await hold_technicians(session, [person])
        await savepoint.rollback()
        assert await scene.free("technicians", person)
        assert person in await hold_technicians(session, [person])
        assert not await scene.free("technicians", person)


async def test_a_location_without_rules_tells_nobody(scene: Scene, owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", [str(scene.tenant)])
        connection.execute("DELETE FROM notification_rules")
    assert (await scene.schedule())["appointment"]["version"] == 2


async def test_what_is_answered_is_what_was_written(scene: Scene) -> None:
    """It is not read again, so what the database fills in has to come with the write."""
    shown = "version status updatedAt"
    answer = await scene.world.api.do(
        "appointmentCancel", f"appointment {{ {shown} }} userErrors {{ code }}", appointmentId=scene.booked["id"]
    )
    asked = f"query ($id: ID!) {{ node(id: $id) {{ ... on Appointment {{ {shown} createdAt }} }} }}"
    found = (await scene.world.api.ask(asked, id=scene.booked["id"]))["node"]
    assert found.pop("createdAt") < found["updatedAt"]
    assert answer["appointment"] == found
