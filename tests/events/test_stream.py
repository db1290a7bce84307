"""The event stream: numbered without gaps in the order of commits; who comes back with a cursor sees each event once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest
import websockets

from domain.appointment import AppointmentEventType
from domain.event_cursor import decode_cursor, encode_cursor
from domain.ids import Prefix, decode
from models.database import Database, record_event
from models.event import events_after
from subscriptions.backends import ReconnectingBackend
from subscriptions.crowd import MOST_WAITING
from subscriptions.errors import Lagged
from subscriptions.hub import SWEEP_S, Hub
from tests.events.conftest import Setup
from tests.process import free_port, kill, process, wait_until_ready
from tests.service import TLS, Client, Service
from tests.wire import tapped
from tests.world import World, new_world

EVENTS = "subscription ($after: String) { appointmentEvents(after: $after) { cursor type appointment { version } } }"


class DeafBackend(ReconnectingBackend):
    """Listens and hears nothing: every signal is lost."""

    async def listen(self) -> None:
        self.stands()
        await asyncio.Event().wait()

    async def publish(self, channel: str, message: object) -> None:
        raise AssertionError("nobody publishes here")


@asynccontextmanager
async def deaf_hub(database: Database) -> AsyncIterator[Hub]:
    hub = Hub(database, DeafBackend("nowhere://"))
    await hub.start()
    yield hub
    await hub.stop()


async def tenant_of(world: World) -> str:
    return str((await world.api.ask("{ tenant { id } }"))["tenant"]["id"])


async def test_lost_signals_delay_events_and_lose_none(world: World, database: Database) -> None:
    tenant = decode(Prefix.TENANT, await tenant_of(world))
    assert tenant is not None
    async with deaf_hub(database) as hub:
        stream = hub.events(tenant, 0)
        await world.book()
        assert (await anext(stream)).seq == 1
        await world.book()
        await world.book()
        assert [(await asyncio.wait_for(anext(stream), 10)).seq for _ in range(2)] == [2, 3]
        await stream.aclose()


async def test_whoever_looks_for_lost_signals_asks_once_for_all_businesses(database_url: str, service: Service) -> None:
    async with tapped(database_url) as (url, wire):
        database = Database(url)
        async with deaf_hub(database) as hub, new_world(service) as one, new_world(service) as other:
            tenants = [decode(Prefix.TENANT, await tenant_of(world)) for world in (one, other)]
            streams = [hub.events(tenant, 0) for tenant in tenants if tenant is not None]
            for world, stream in zip((one, other), streams, strict=True):
                await world.book()
                await anext(stream)
            waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
            # What each has read itself is behind them.
            await asyncio.sleep(SWEEP_S + 0.5)
            wire.clear()
            await asyncio.sleep(SWEEP_S + 0.2)
            asked = [text for text in wire.statements if "set_config" not in text]
            assert asked
            assert all("event_heads" in text for text in asked), asked
            assert len(asked) <= 3
            await other.book()
            assert (await asyncio.wait_for(waiting[1], 10)).seq == 2
            assert not waiting[0].done()
            waiting[0].cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            for stream in streams:
                await stream.aclose()
        await database.close()


async def test_a_reader_far_behind_is_told_so(world: World, database: Database) -> None:
    tenant = decode(Prefix.TENANT, await tenant_of(world))
    assert tenant is not None
    made = await world.book()
    async with deaf_hub(database) as hub:
        stream = hub.events(tenant, 0)
        assert (await anext(stream)).seq == 1
        async with database.tenant(tenant) as session:
            for number in range(MOST_WAITING + 2):
                record_event(
                    session,
                    type=AppointmentEventType.UPDATED,
                    appointment_id=decode(Prefix.APPOINTMENT, made["id"]),
                    actor="test",
                    changes=[{"field": "notes", "before": None, "after": str(number)}],
                )
        while hub.read_up_to(tenant) != MOST_WAITING + 3:
            await asyncio.sleep(0.05)
        with pytest.raises(Lagged):
            await _read_to_the_end(stream)


async def _read_to_the_end(stream: AsyncIterator[object]) -> None:
    while True:
        await asyncio.wait_for(anext(stream), 20)


async def test_a_foreign_or_broken_cursor_is_refused(world: World) -> None:
    foreign = encode_cursor(decode(Prefix.APPOINTMENT, (await world.book())["id"]), 1)  # type: ignore[arg-type]
    for cursor in ("", "nonsense", foreign):
        async with world.api.subscribe(EVENTS, after=cursor) as stream:
            answer = await stream.socket.recv()
            assert '"error"' in str(answer)
            assert "BAD_USER_INPUT" in str(answer)


async def _once(world: World, mutation: str, **input_: object) -> str:
    """Change something, again while the machine is too busy: BUSY says that nothing was changed. The appointment's id."""
    while True:
        answer = await world.api.do(mutation, "appointment { id } userErrors { code }", **input_)
        if [each["code"] for each in answer["userErrors"]] != ["BUSY"]:
            assert answer["userErrors"] == []
            return str(answer["appointment"]["id"])


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.soak)])
async def test_sixteen_writers_reconnects_and_a_killed_server(
    world: World, setup: Setup, database: Database, rounds: int
) -> None:
    """Another server than the writers' is killed and started again, while its subscriber comes and goes."""
    tenant = decode(Prefix.TENANT, await tenant_of(world))
    assert tenant is not None
    port = free_port()
    reader = Client(f"http://127.0.0.1:{port}/graphql", httpx.AsyncClient(verify=TLS, cookies=world.api.http.cookies))
    writers = 16
    expected = writers * rounds * 2
    seen: list[int] = []
    done = asyncio.Event()

    async def write() -> None:
        for _ in range(rounds):
            made = await _once(world, "appointmentCreate", **world.defaults())
            await _once(world, "appointmentUpdate", appointmentId=made, notes="Ring twice")

    async def read() -> None:
        cursor = encode_cursor(tenant, 0)
        while len(seen) < expected:
            patience = random.randint(1, 20)
            try:
                async with reader.subscribe(EVENTS, after=cursor) as stream:
                    for _ in range(patience):
                        event = (await stream.next(1))["appointmentEvents"]
                        cursor = event["cursor"]
                        seen.append(decode_cursor(tenant, cursor))
            except (OSError, websockets.WebSocketException, TimeoutError):
                await asyncio.sleep(0.05)
        done.set()

    async def murder() -> None:
        # At least once in the middle, whatever the machine's speed.
        while not done.is_set():
            with process("serve", "--port", str(port), **setup.environment) as server:
                await asyncio.to_thread(wait_until_ready, port)
                half = len(seen) + max(1, (expected - len(seen)) // 2)
                while len(seen) < half and not done.is_set():
                    await asyncio.sleep(0.01)
                if len(killed) < 2:
                    kill(server)
                    killed.append(len(seen))
                else:
                    await done.wait()

    killed: list[int] = []
    await asyncio.gather(*(write() for _ in range(writers)), read(), murder())
    await reader.http.aclose()
    assert seen == list(range(1, expected + 1))
    assert killed
    async with database.tenant(tenant) as session:
        rows = await events_after(session, 0, expected + 1)
    assert [row.seq for row in rows] == seen
    assert sorted(row.occurred_at for row in rows) == [row.occurred_at for row in rows]


async def test_a_plain_sequence_would_lose_events(owner_url: str) -> None:
    """What the counter's lock is there for: with a sequence, a later number is visible before an earlier one."""
    async with (
        await psycopg.AsyncConnection.connect(owner_url) as slow,
        await psycopg.AsyncConnection.connect(owner_url, autocommit=True) as quick,
    ):
        await quick.execute("CREATE TABLE plain (id bigserial)")
        try:
            await slow.execute("INSERT INTO plain DEFAULT VALUES")
            await quick.execute("INSERT INTO plain DEFAULT VALUES")
            found = await quick.execute("SELECT max(id) FROM plain")
            position = (await found.fetchone())[0]  # type: ignore[index]
            await slow.commit()
            found = await quick.execute("SELECT count(*) FROM plain WHERE id > %s", (position,))
            behind = (await found.fetchone())[0]  # type: ignore[index]
            assert (position, behind) == (2, 0)
        finally:
            await slow.rollback()
            await quick.execute("DROP TABLE plain")
