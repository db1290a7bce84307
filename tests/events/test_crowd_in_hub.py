"""A crowd in the hub: however its members read, each gets each event once and in order."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from domain.appointment import AppointmentEventType
from domain.ids import Prefix, decode
from models.database import Database, record_event
from models.event import Event
from subscriptions.backends import backend_for
from subscriptions.crowd import Outlet
from subscriptions.hub import Hub
from tests.events.conftest import Setup
from tests.events.members import Socket, quiet
from tests.events.test_stream import tenant_of
from tests.world import World


async def test_each_of_many_gets_each_event_once_and_in_order(world: World, database: Database, setup: Setup) -> None:
    """Members who refuse, dawdle, leave and come back, beside writers that commit one to several events at once."""
    tenant = decode(Prefix.TENANT, await tenant_of(world))
    appointment = decode(Prefix.APPOINTMENT, (await world.book())["id"])
    assert tenant is not None
    assert appointment is not None
    last = 101
    chance = random.Random(7)
    hub = Hub(database, backend_for(setup.broadcast))
    await hub.start()

    async def payload(item: Any) -> bytes:
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() / 200)
        if chance.random() < 0.05:
            raise TimeoutError
        return str(item.seq).encode()

    async def member(number: int, told: list[int], pushed: list[int]) -> None:
        def write(payload: bytes) -> bool:
            if number % 3 == 1 and chance.random() < 0.3:
                return False
            told.append(int(payload))
            pushed.append(int(payload))
            return True

        while not told or told[-1] < last:
            stream: AsyncGenerator[Event, None] = hub.events(
                tenant, told[-1] if told else 0, Outlet(number % 2, payload, write)
            )
            stay = asyncio.get_running_loop().time() + (chance.random() / 2 if number % 4 == 2 else 60)
            async with aclosing(stream):
                while not told or told[-1] < last:
                    waiting = asyncio.ensure_future(anext(stream))
                    # Whoever waits may have the last one written instead: it looks now and then.
                    while not waiting.done() and asyncio.get_running_loop().time() < stay and told[-1:] != [last]:
                        await asyncio.wait([waiting], timeout=0.05)
                    if not waiting.done():
                        waiting.cancel()
                        await asyncio.gather(waiting, return_exceptions=True)
                        break
                    told.append(waiting.result().seq)
                    if number % 5 == 3:
                        await asyncio.sleep(chance.random() / 20)

    async def write() -> None:
        written = 1
        while written < last:
            lot = min(chance.randint(1, 4), last - written)
            async with database.tenant(tenant) as session:
                for _ in range(lot):
                    record_event(
                        session, type=AppointmentEventType.UPDATED, appointment_id=appointment, actor="test", changes=[]
                    )
            written += lot

    heard: list[list[int]] = [[] for _ in range(30)]
    pushed: list[int] = []
    async with asyncio.timeout(60):
        await asyncio.gather(write(), *(member(number, told, pushed) for number, told in enumerate(heard)))
    await hub.stop()
    assert heard == [list(range(1, last + 1))] * 30
    assert pushed


async def test_a_hub_that_has_stopped_tells_nobody(database: Database, setup: Setup, world: World) -> None:
    tenant = decode(Prefix.TENANT, await tenant_of(world))
    assert tenant is not None
    hub, socket = Hub(database, backend_for(setup.broadcast)), Socket()
    await hub.start()
    socket.making.clear()
    await world.book()
    stream = hub.events(tenant, 0, socket.outlet)
    assert (await anext(stream)).seq == 1
    waiting = asyncio.ensure_future(anext(stream))
    await world.book()
    async with asyncio.timeout(10):
        while not socket.made:
            await asyncio.sleep(0.01)
    await hub.stop()
    socket.making.set()
    await quiet()
    assert (socket.written, waiting.done()) == ([], False)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
