"""Positions: the latest of each technician who is on duty, to those who may see it; slow readers skip what is stale."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.duty import on_duty
from domain.ids import Prefix, decode
from domain.local_time import OpeningHours
from models.database import Database, send_signal
from models.position import POSITION_CHANNEL
from models.technician import TechnicianPosition
from subscriptions.backends import RedisBackend, backend_for
from subscriptions.hub import Hub
from tests.access.people import Mailbox, add_user
from tests.events.conftest import Setup
from tests.service import Stream
from tests.world import World, new_world

POSITIONS = "subscription { technicianPositions { technicianId speedKph point { latitude } } }"
DAILY = [{"weekday": day, "opens": "00:00", "closes": "24:00"} for day in (
    "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")]  # fmt: skip


def uuid_of(prefix: Prefix, text: str) -> UUID:
    found = decode(prefix, text)
    assert found is not None
    return found


async def tenant_of(world: World) -> UUID:
    return uuid_of(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])


async def on_the_clock(world: World, name: str = "Nina Night") -> str:
    """A technician whose days are all working days."""
    made = await world.api.do(
        "technicianCreate", "technician { id } userErrors { message }",
        name=name, locationId=world.location, workingHours=DAILY,
    )  # fmt: skip
    return str(made["technician"]["id"])


async def move(database: Database, tenant: UUID, technician: str, speed: float, *, quiet: bool = False) -> None:
    """What a report writes; a quiet one is a signal that was lost."""
    async with database.tenant(tenant) as session:
        technician_id = uuid_of(Prefix.TECHNICIAN, technician)
        await session.merge(
            TechnicianPosition(
                tenant_id=tenant,
                technician_id=technician_id,
                latitude=30.27,
                longitude=-97.74,
                heading=None,
                speed_kph=speed,
                recorded_at=datetime.now(UTC),
            )
        )
        if not quiet:
            await send_signal(session, POSITION_CHANNEL, f"{tenant}:{technician_id}")


async def speeds_until(stream: Stream, last: float) -> list[float]:
    seen: list[float] = []
    while last not in seen:
        seen.append((await stream.next())["technicianPositions"]["speedKph"])
    return seen


@asynccontextmanager
async def listening_hub(database: Database, setup: Setup) -> AsyncIterator[Hub]:
    hub = Hub(database, backend_for(setup.broadcast))
    await hub.start()
    yield hub
    await hub.stop()


async def test_each_position_comes_and_begins_with_those_that_are(world: World, database: Database) -> None:
    tenant, nina = await tenant_of(world), await on_the_clock(world)
    await move(database, tenant, nina, 1)
    async with world.api.subscribe(POSITIONS) as stream:
        first = (await stream.next())["technicianPositions"]
        assert first == {"technicianId": nina, "speedKph": 1.0, "point": {"latitude": 30.27}}
        await move(database, tenant, nina, 2)
        assert (await stream.next())["technicianPositions"]["speedKph"] == 2
        await move(database, tenant, nina, 3, quiet=True)
        # No signal: found by looking.
        assert (await stream.next(20))["technicianPositions"]["speedKph"] == 3


async def test_a_slow_reader_is_given_the_latest_alone(world: World, database: Database, setup: Setup) -> None:
    tenant, nina = await tenant_of(world), await on_the_clock(world)
    other = await on_the_clock(world, "Otto Other")
    async with listening_hub(database, setup) as hub:
        slow, quick = hub.positions.values(tenant), hub.positions.values(tenant)
        await move(database, tenant, nina, 0)
        await anext(slow)
        await anext(quick)
        for speed in range(1, 21):
            await move(database, tenant, nina, speed)
            while (seen := (await asyncio.wait_for(anext(quick), 10))[1]) is None or seen.speed_kph != speed:
                pass
        await move(database, tenant, other, 99)
        await asyncio.wait_for(anext(quick), 10)
        given = [await asyncio.wait_for(anext(slow), 10) for _ in range(2)]
        assert [value.speed_kph for _, value in given if value] == [20, 99]
        await slow.aclose()
        await quick.aclose()


async def test_rows_are_read_once_for_all_readers(world: World, database: Database, setup: Setup) -> None:
    tenant, nina = await tenant_of(world), await on_the_clock(world)
    async with listening_hub(database, setup) as hub:
        reads = 0
        plain = hub.positions._read

        async def counted(session: Any, keys: Any) -> Any:
            nonlocal reads
            reads += 1
            return await plain(session, keys)

        hub.positions._read = counted
        await move(database, tenant, nina, 1)
        streams = [hub.positions.values(tenant) for _ in range(50)]
        await asyncio.gather(*(anext(each) for each in streams))
        at_first = reads
        await move(database, tenant, nina, 2)
        await asyncio.gather(*(asyncio.wait_for(anext(each), 10) for each in streams))
        assert at_first <= 2
        # One for the signal, and perhaps one more of the sweep.
        assert reads - at_first <= 2
        for each in streams:
            await each.aclose()


async def test_nobody_sees_other_businesses_or_who_is_off_duty(world: World, database: Database) -> None:
    tenant, nina = await tenant_of(world), await on_the_clock(world)
    away, gone = await on_the_clock(world, "Adam Away"), await on_the_clock(world, "Gina Gone")
    now = datetime.now(UTC)
    window = {"start": (now - timedelta(hours=1)).isoformat(), "end": (now + timedelta(hours=1)).isoformat()}
    made = await world.api.do("timeOffAdd", technicianId=away, window=window)
    assert made["userErrors"] == []
    made = await world.api.do("technicianUpdate", technicianId=gone, active=False)
    assert made["userErrors"] == []
    async with new_world(world.service) as other, world.api.subscribe(POSITIONS) as stream:
        foreign = await on_the_clock(other)
        await move(database, await tenant_of(other), foreign, 7)
        for technician in (away, gone, nina):
            await move(database, tenant, technician, 5)
        assert (await stream.next())["technicianPositions"]["technicianId"] == nina
        await move(database, tenant, away, 6)
        await move(database, tenant, nina, 6)
        assert (await stream.next())["technicianPositions"]["technicianId"] == nina


async def test_technicians_see_their_own_alone(world: World, database: Database) -> None:
    tenant, nina = await tenant_of(world), await on_the_clock(world)
    other = await on_the_clock(world, "Otto Other")
    person = await add_user(world, Mailbox(), "TECHNICIAN", "Nina Night", technicianId=nina)
    async with person.api.subscribe(POSITIONS) as stream:
        await move(database, tenant, other, 5)
        await move(database, tenant, nina, 5)
        assert (await stream.next())["technicianPositions"]["technicianId"] == nina


async def test_presence_comes_renews_and_ends_by_itself(world: World, owner_url: str) -> None:
    appointment = (await world.book())["id"]
    query = "subscription { appointmentPresences { appointmentId colleagues { name } } }"
    async with world.api.subscribe(query) as stream:
        made = await world.api.do(
            "appointmentPresence", "presence { colleagues { name } } userErrors { code }",
            appointmentId=appointment, editing=True,
        )  # fmt: skip
        assert made["presence"]["colleagues"] == [{"name": "Olive Owner"}]
        told = {"appointmentId": appointment, "colleagues": [{"name": "Olive Owner"}]}
        assert (await stream.next())["appointmentPresences"] == told
        await world.api.do("appointmentPresence", appointmentId=appointment, editing=False)
        assert (await stream.next())["appointmentPresences"]["colleagues"] == []
        await world.api.do("appointmentPresence", appointmentId=appointment, editing=True)
        assert (await stream.next())["appointmentPresences"] == told
        # Its page has died half a minute ago.
        tenant = await tenant_of(world)
        async with await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as connection:
            await connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant),))
            await connection.execute("UPDATE presences SET expires_at = now() + interval '1 second'")
        while (await stream.next(20))["appointmentPresences"]["colleagues"]:
            pass
    refused = await world.api.do("appointmentPresence", appointmentId=world.customer, editing=True)
    assert refused["userErrors"] == [{"code": "NOT_FOUND", "path": ["input", "appointmentId"]}]


@pytest.mark.parametrize(
    ("moment", "rest", "expected"),
    [
        ("2026-03-02T14:00", {}, True),
        # A job that runs late, on a working day.
        ("2026-03-03T02:00", {}, True),
        # Sunday in Chicago, Monday in London.
        ("2026-03-02T02:00", {}, False),
        ("2026-03-02T02:00", {"visiting": True}, True),
        ("2026-03-02T02:00", {"hours": ()}, True),
        ("2026-03-02T14:00", {"time_off": True}, False),
        ("2026-03-02T14:00", {"active": False, "visiting": True}, False),
    ],
)
def test_duty(moment: str, rest: dict[str, Any], expected: bool) -> None:
    hours = tuple(OpeningHours(day, 480, 1020) for day in range(5))
    values = {"active": True, "hours": hours, "zone": "America/Chicago", "time_off": False, "visiting": False} | rest
    assert on_duty(datetime.fromisoformat(moment).replace(tzinfo=UTC), **values) is expected  # type: ignore[arg-type]


async def test_a_change_stands_though_nobody_can_be_told() -> None:
    backend = RedisBackend("redis://127.0.0.1:1/0")
    await backend.publish(POSITION_CHANNEL, "x:y")
    await backend.disconnect()
