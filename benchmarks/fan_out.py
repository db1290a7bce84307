"""Fan-out: deliveries a second, and commit → client, with many sockets of one business beside a bare websocket broadcast.

    python -m benchmarks.fan_out [--sockets 1000] [--events 20] [--rate 2] [--seconds 10]

Starts a PostgreSQL, a server of ours and a bare one, each in a process of its own; the sockets are this process's, read without a
websocket library so that the client is not what is measured. Events are written to the table, so that no mutation takes the server's
time. The bare server sends the same bytes to as many sockets of the same uvicorn with the same options, from memory; events one by
one, as they come, and then all of them at once, which no stream of single events can do.
"""

import argparse
import asyncio
import base64
import os
import resource
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import uvicorn

from domain.appointment import AppointmentEventType
from domain.ids import Prefix, decode
from integrations.embedded_postgres import temporary_postgres
from models.database import Database, record_event
from models.migrate import upgrade
from tests.process import ROOT, environment, free_port, process, wait_until_ready
from tests.service import Service
from tests.world import new_world
from web.websocket_protocol import uvicorn_options

EVENTS = """subscription { appointmentEvents { cursor type occurredAt actor appointment { id number version status
  scheduled { start end } technician { name } customer { name } } } }"""
PROTOCOL = "graphql-transport-ws"
# How the bare server sends events: each before it hears of the next, or all of them to a socket in one go, which the kernel gets as one.
APART, AT_ONCE = "apart", "at-once"


class Socket(asyncio.Protocol):
    """A websocket client that does no more than it must."""

    def __init__(self, port: int, path: str, headers: str, heard: Callable[[bytes], None]) -> None:
        self.port, self.path, self.headers, self.heard = port, path, headers, heard
        self.buffer = bytearray()
        self.open = asyncio.get_running_loop().create_future()
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n{self.headers}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open.done():
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.buffer.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(self.buffer[:end]))
            del self.buffer[: end + 4]
            self.open.set_result(None)
        while len(self.buffer) >= 2:
            length, start = self.buffer[1] & 127, 2
            if length == 126:
                length, start = struct.unpack_from(">H", self.buffer, 2)[0] if len(self.buffer) >= 4 else 1 << 30, 4
            elif length == 127:
                length, start = struct.unpack_from(">Q", self.buffer, 2)[0] if len(self.buffer) >= 10 else 1 << 30, 10
            if len(self.buffer) < start + length:
                return
            opcode, payload = self.buffer[0] & 15, bytes(self.buffer[start : start + length])
            del self.buffer[: start + length]
            if opcode == 9:
                self.send(payload, 10)
            elif opcode == 1:
                if not self.first.done():
                    self.first.set_result(payload)
                else:
                    self.heard(payload)
            elif opcode == 8:
                raise ConnectionError(payload)

    def send(self, payload: bytes, opcode: int = 1) -> None:
        """Send a frame; its mask is zero, which changes nothing."""
        size = len(payload)
        head = bytes([128 | opcode, 128 | size]) if size < 126 else bytes([128 | opcode, 254]) + struct.pack(">H", size)
        self.transport.write(head + bytes(4) + payload)


class Count:
    """What all sockets heard together."""

    def __init__(self) -> None:
        self.heard = 0
        self.wanted = 0
        self.full = asyncio.Event()
        self.latencies: list[float] = []
        self.moments: dict[bytes, float] = {}
        self.last = b""

    def expect(self, number: int) -> None:
        self.heard, self.wanted = 0, number
        self.full.clear()
        self.latencies = []

    def __call__(self, payload: bytes) -> None:
        self.heard += 1
        self.last = payload
        at = payload.find(b'"occurredAt":"')
        if at >= 0:
            text = payload[at + 14 : payload.index(b'"', at + 14)]
            moment = self.moments.get(text)
            if moment is None:
                moment = self.moments[text] = datetime.fromisoformat(text.decode()).timestamp()
            self.latencies.append((time.time() - moment) * 1000)
        if self.heard >= self.wanted:
            self.full.set()


async def connect(port: int, path: str, headers: str, count: Count, sockets: int, *, graphql: bool) -> list[Socket]:
    """Open them in lots, so that no listen queue overflows."""
    loop, made = asyncio.get_running_loop(), []
    for start in range(0, sockets, 50):
        lot = []
        for _ in range(min(50, sockets - start)):
            _, one = await loop.create_connection(lambda: Socket(port, path, headers, count), "127.0.0.1", port)
            lot.append(one)
        await asyncio.gather(*(each.open for each in lot))
        if graphql:
            for each in lot:
                each.send(b'{"type":"connection_init"}')
            await asyncio.gather(*(each.first for each in lot))
            payload = {"id": "1", "type": "subscribe", "payload": {"query": EVENTS}}
            for each in lot:
                each.send(orjson.dumps(payload))
        else:
            for each in lot:
                each.first.set_result(b"")
        made += lot
    return made


async def write(database: Database, tenant: Any, appointment: Any, number: int) -> None:
    """Commit events."""
    async with database.tenant(tenant) as session:
        for _ in range(number):
            record_event(
                session, type=AppointmentEventType.UPDATED, appointment_id=appointment, actor="benchmark", changes=[]
            )


def memory(pid: int) -> float:
    """Resident MB of a process group."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == pid:
                status = (folder / "status").read_text()
                total += int(status.partition("VmRSS:")[2].split()[0])
        except (OSError, IndexError):
            continue
    return total / 1024


async def ours(url: str, options: argparse.Namespace) -> tuple[float, bytes]:
    """Deliveries a second, and one payload."""
    port, count = free_port(), Count()
    with process("serve", "--port", str(port), DATABASE_URL=url) as server:
        await asyncio.to_thread(wait_until_ready, port)
        async with new_world(Service(port, app=None)) as world:  # type: ignore[arg-type]
            tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
            appointment = decode(Prefix.APPOINTMENT, (await world.book())["id"])
            database = Database(url, pool_size=2)
            before = memory(server.pid)
            cookie = f"Cookie: {world.api.cookie_header['cookie']}\r\n"
            sockets = await connect(port, "/graphql", cookie, count, options.sockets, graphql=True)
            # Each must stand before the first event that counts.
            count.expect(options.sockets)
            await asyncio.sleep(3)
            await write(database, tenant, appointment, 1)
            await asyncio.wait_for(count.full.wait(), 60)
            print(f"memory a socket: {(memory(server.pid) - before) * 1024 / options.sockets:.0f} kB")
            for viewers in (1, options.sockets):
                steps = int(options.rate * options.seconds)
                count.expect(steps * options.sockets)
                for _ in range(steps):
                    await write(database, tenant, appointment, 1)
                    await asyncio.sleep(1 / options.rate)
                await asyncio.wait_for(count.full.wait(), 60)
                if viewers == 1:
                    # The first round warms up.
                    continue
                told = sorted(count.latencies)
                print(
                    f"commit → client at {options.rate:g}/s × {options.sockets}: p50 {statistics.median(told):.0f} ms,"
                    f" p99 {told[int(len(told) * 0.99)]:.0f} ms"
                )
            count.expect(options.events * options.sockets)
            began = time.perf_counter()
            await write(database, tenant, appointment, options.events)
            await asyncio.wait_for(count.full.wait(), 120)
            rate = count.heard / (time.perf_counter() - began)
            for each in sockets:
                each.transport.abort()
            await database.close()
            await world.api.http.aclose()
    return rate, count.last


async def bare(payload: bytes, options: argparse.Namespace, how: str) -> float:
    """Deliveries a second of the bare server, its events `APART` or `AT_ONCE`."""
    port, count = free_port(), Count()
    with bare_process(port):
        while True:
            try:
                control = await connect(port, "/control", "", Count(), 1, graphql=False)
                break
            except OSError:
                await asyncio.sleep(0.1)
        sockets = await connect(port, "/", "", count, options.sockets, graphql=False)
        for events in (1, options.events):
            count.expect(events * options.sockets)
            began = time.perf_counter()
            control[0].send(f"{how} {events} ".encode() + payload)
            await asyncio.wait_for(count.full.wait(), 120)
        for each in [*sockets, *control]:
            each.transport.abort()
        return count.heard / (time.perf_counter() - began)


@contextmanager
def bare_process(port: int) -> Any:
    """The bare server."""
    started = subprocess.Popen(  # noqa: S603 (ourselves)
        [sys.executable, "-m", "benchmarks.fan_out", "--bare", str(port)], cwd=ROOT, env=environment()
    )
    try:
        yield
    finally:
        started.kill()
        started.wait()


class Bare:
    """Sends what it is told to, to everybody, as often as it is told to."""

    def __init__(self) -> None:
        self.sends: set[Any] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        if scope["path"] != "/control":
            self.sends.add(send)
        while (message := await receive())["type"] != "websocket.disconnect":
            how, events, payload = message["text"].split(" ", 2)
            for _ in range(int(events)):
                for each in self.sends:
                    await each({"type": "websocket.send", "text": payload})
                if how == APART:
                    await asyncio.sleep(0)
        self.sends.discard(send)


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    with temporary_postgres() as postgres:
        upgrade(postgres.url("sps", "sps_owner"), "sps_app")
        rate, payload = await ours(postgres.url("sps", "sps_app"), options)
    print(f"{options.sockets} sockets, {len(payload)} bytes: {rate:,.0f} deliveries/s")
    for how in (APART, AT_ONCE):
        plain = await bare(payload, options, how)
        print(f"bare broadcast, events {how}: {plain:,.0f}/s, {rate / plain:.2f} of it")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if given.bare:
        uvicorn.run(Bare(), port=given.bare, lifespan="off", loop="uvloop", **uvicorn_options(100_000))
    else:
        asyncio.run(main(given))
