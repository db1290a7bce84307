"""What still points at events that are kept no longer is told so, and holds nothing up."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import websockets

from domain.event_cursor import encode_cursor
from domain.ids import Prefix, decode
from tests.conftest import APP_ROLE
from tests.databases import as_superuser
from tests.events.conftest import Setup
from tests.events.test_stream import EVENTS, tenant_of
from tests.events.test_webhooks import Bench, bench
from tests.partitions.conftest import QUARTERS, name, quarter
from tests.partitions.rows import Connection
from tests.service import running_service
from tests.world import World, new_world

__all__ = ["bench"]


@pytest.fixture(scope="module")
def setup(database_url: str) -> Setup:
    """What `bench` runs in: one server and nothing between."""
    return Setup({"DATABASE_URL": database_url}, database_url)


BUSY = ("busy", None)
DROPPED = ("dropped", name("events", -QUARTERS))


async def _answer(world: World, cursor: str) -> Any:
    """What a subscription that goes on from a cursor is answered first."""
    async with websockets.connect(
        world.api.url.replace("http", "ws", 1),
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers=world.api.cookie_header,
    ) as socket:
        await socket.send('{"type":"connection_init"}')
        await socket.recv()
        payload = {"query": EVENTS, "variables": {"after": cursor}}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def test_a_cursor_older_than_what_is_kept_is_refused(
    cut_url: str, connected: Callable[[str], Connection]
) -> None:
    everything, app = connected("postgres"), connected(APP_ROLE)
    async with (
        running_service(cut_url.replace("sps_owner", APP_ROLE)) as service,
        new_world(service) as world,
    ):
        tenant = decode(Prefix.TENANT, await tenant_of(world))
        assert tenant is not None
        for _ in range(3):
            await world.book()
        # Two years ago, as time would have it.
        everything.execute("UPDATE events SET occurred_at = %s WHERE seq <= 2", (quarter(-QUARTERS),))
        assert "next" in str(await _answer(world, encode_cursor(tenant, 0)))
        # Busy while the reader of a moment ago still ends: the worker asks again, too.
        async with asyncio.timeout(20):
            while (done := app.execute("SELECT done, partition FROM tend_partitions('events', 13)").fetchone()) == BUSY:
                await asyncio.sleep(0.2)
        assert done == DROPPED
        for missed in (0, 1):
            refused = await _answer(world, encode_cursor(tenant, missed))
            assert refused["type"] == "error"
            [error] = refused["payload"]
            assert "older than the events that are kept" in error["message"]
            told = error["extensions"]
            assert (told["code"], told["reason"], told["inputPath"]) == ("BAD_USER_INPUT", "INVALID_INPUT", ["after"])
        # Nothing was missed behind the last one that is gone, nor behind the last one of all.
        assert "next" in str(await _answer(world, encode_cursor(tenant, 2)))
        async with world.api.subscribe(EVENTS, after=encode_cursor(tenant, 3)) as stream:
            await world.book()
            assert (await stream.next())["appointmentEvents"]["cursor"] == encode_cursor(tenant, 4)


async def test_a_delivery_whose_event_is_gone_fails_and_the_next_is_made(bench: Bench) -> None:
    await bench.connect()
    visit = (await bench.world.book())["id"]
    await bench.world.api.do("appointmentCancel", appointmentId=visit)
    bench.partner.answer = lambda _event: "503 No"
    await bench.work()
    bench.partner.answer = lambda _event: "200 OK"
    with psycopg.connect(as_superuser(bench.owner_url)) as everything:
        everything.execute("DELETE FROM events WHERE tenant_id = %s AND type = 'CREATED'", (bench.tenant,))
    await bench.sql("UPDATE webhook_deliveries SET relay_at = now() WHERE relay_at IS NOT NULL")
    await bench.work()
    log = (await bench.log())["deliveries"]["nodes"]
    assert {each["eventType"]: each["state"] for each in log} == {
        "appointment.created": "FAILED", "appointment.cancelled": "DELIVERED",
    }  # fmt: skip
    assert [type_ for _, type_ in bench.partner.taken][-1] == "appointment.cancelled"
