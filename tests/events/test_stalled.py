"""Readers that stop reading: they are closed within bounds, cost the server little and the others nothing, and come back."""

import asyncio
import json
import logging
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import websockets

from domain.appointment import AppointmentEventType
from domain.event_cursor import decode_cursor, encode_cursor
from domain.ids import Prefix, decode
from models.database import Database, record_event
from tests.events.conftest import Setup
from tests.process import free_port, process, wait_until_ready
from tests.service import Client
from tests.world import World

log = logging.getLogger(__name__)
EVENTS = """subscription ($after: String) { appointmentEvents(after: $after) { cursor type occurredAt actor
  changes { field before after } appointment { id number version status customer { name } } } }"""
AT_ONCE, READERS, STALLED = 10, 10, 5
# What DESIGN promises: the growth of the server's memory over ten thousand events.
MOST_GROWTH_KB = 50 * 1024


def resident_kb(pid: int) -> int:
    """Resident memory of a process and its children, in KiB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own + sum(resident_kb(int(child)) for child in children)


async def write(database: Database, tenant: UUID, appointment: UUID, events: int, rate: float, size: int) -> None:
    """So many events at so many a second, of so many bytes each."""
    began = time.monotonic()
    for number in range(events // AT_ONCE):
        await asyncio.sleep(max(0.0, began + number * AT_ONCE / rate - time.monotonic()))
        async with database.tenant(tenant) as session:
            for _ in range(AT_ONCE):
                record_event(
                    session, type=AppointmentEventType.UPDATED, appointment_id=appointment, actor="test",
                    changes=[{"field": "notes", "before": "a" * (size // 2), "after": "b" * (size // 2)}],
                )  # fmt: skip


async def read(client: Client, after: str, last: int, tenant: UUID) -> list[float]:
    """Read up to an event; the seconds from each one's commit until it was here."""
    late = []
    async with client.subscribe(EVENTS, after=after) as stream:
        while True:
            event = (await stream.next(60))["appointmentEvents"]
            late.append((datetime.now(UTC) - datetime.fromisoformat(event["occurredAt"])).total_seconds())
            if decode_cursor(tenant, event["cursor"]) == last:
                return late


async def stall(client: Client, after: str, seconds: float) -> tuple[int, str]:
    """Subscribe, read nothing for so long, then read to the end: the code of the close, and the last cursor."""
    narrow = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.setblocking(False)
    host, _, port = client.url.removeprefix("http://").partition("/")[0].partition(":")
    await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
    async with websockets.connect(
        client.url.replace("http", "ws", 1), sock=narrow, max_queue=1, ping_interval=None, close_timeout=1,
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")], additional_headers=client.cookie_header,
    ) as stuck:  # fmt: skip
        await stuck.send(json.dumps({"type": "connection_init"}))
        await stuck.recv()
        payload = {"query": EVENTS, "variables": {"after": after}}
        await stuck.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        await asyncio.sleep(seconds)
        cursor = after
        try:
            while True:
                cursor = json.loads(await stuck.recv())["payload"]["data"]["appointmentEvents"]["cursor"]
        except websockets.ConnectionClosed:
            return stuck.close_code or 0, cursor


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


@pytest.mark.parametrize(
    ("events", "rate", "size", "crowds"),
    # The few are long, so that the buffers between are soon full.
    [
        pytest.param(120, 60.0, 60_000, (STALLED,), marks=pytest.mark.soak),
        pytest.param(10_000, 100.0, 1_000, (0, STALLED), marks=pytest.mark.soak),
    ],
)
async def test_one_who_stops_reading_is_closed_and_comes_back(
    world: World, setup: Setup, database: Database, events: int, rate: float, size: int, crowds: tuple[int, ...]
) -> None:
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    visit = decode(Prefix.APPOINTMENT, (await world.book())["id"])
    assert tenant is not None
    assert visit is not None
    port = free_port()
    # At full size without and with readers that are stuck: what the others wait is told side by side.
    waits: list[float] = []
    with process("serve", "--port", str(port), **setup.environment) as server:
        await asyncio.to_thread(wait_until_ready, port)
        clients = [Client(f"http://127.0.0.1:{port}/graphql", world.api.http) for _ in range(READERS + STALLED)]
        first, stuck = 1, []
        for stalled in crowds:
            after, last = encode_cursor(tenant, first), first + events
            readers = [asyncio.create_task(read(each, after, last, tenant)) for each in clients[:READERS]]
            stuck = [
                asyncio.create_task(stall(each, after, 12 + events / rate / 2)) for each in clients[READERS:][:stalled]
            ]
            await asyncio.sleep(1)
            before = resident_kb(server.pid)
            await write(database, tenant, visit, events, rate, size)
            late = [each for reader in await asyncio.gather(*readers) for each in reader]
            waits.append(p99(late))
            grown = resident_kb(server.pid) - before
            assert grown < MOST_GROWTH_KB
            log.info("%s events, %s stalled: p99 %.1f ms, grown %s KiB", events, stalled, 1000 * waits[-1], grown)
            first = last
            for client, (code, cursor) in zip(clients[READERS:], await asyncio.gather(*stuck), strict=False):
                seen = decode_cursor(tenant, cursor)
                # One who begins to read long after that finds the connection gone.
                assert code in ({4410} if events < 1_000 else {4410, 1006})
                assert seen < last
                assert len(await read(client, cursor, last, tenant)) == last - seen
        assert first == 1 + events * len(crowds)
