"""Fan-out: deliveries a second, and commit → client, of many sockets beside a bare websocket broadcast and stock Strawberry.

    python -m benchmarks.fan_out [--tenants 1] [--sockets 1000] [--events 20] [--rate 2] [--seconds 10]

Starts a PostgreSQL and a server of ours; the sockets are this process's. Events are written to the table, so that no mutation takes the
server's time. Then a bare server sends the same bytes to as many sockets, and Strawberry's own endpoint executes the same subscription for
each of them, both from memory: see `benchmarks.fan_out_beside`. The rate holds the sockets' end too; what a delivery takes of the server's
CPU is its own, and less shaken by whatever else the machine does. With several tenants the sockets are dealt out among them, and each event
goes to one tenant's. At the end the server's CPU time is taken with 1, 2 and 101 viewers of one business.
"""

import argparse
import asyncio
import os
import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from benchmarks.board_data import BOARD_SIZE, Business, fill
from benchmarks.fan_out_beside import APART, AT_ONCE, beside
from benchmarks.fan_out_client import Count, Socket, connect
from domain.appointment import AppointmentEventType
from integrations.embedded_postgres import temporary_postgres
from models.database import Database, record_event
from models.migrate import upgrade
from tests.process import free_port, process, wait_until_ready

EVENTS = """subscription { appointmentEvents { cursor type occurredAt actor appointment { id number version status
  scheduled { start end } technician { name } customer { name } } } }"""
SECRET = "benchmark " * 4
# How many tenants' events are written side by side.
WRITERS = 8
ROUNDS = 3


async def write(database: Database, businesses: Sequence[Business], number: int) -> None:
    """Commit so many events for each business, in one transaction each."""
    free = asyncio.Semaphore(WRITERS)

    async def one(business: Business) -> None:
        appointment = UUID(f"01970000-0000-7007-8000-{business.number * 1_000_000 + 1:012x}")
        async with free, database.tenant(business.tenant_id) as session:
            for _ in range(number):
                record_event(
                    session,
                    type=AppointmentEventType.UPDATED,
                    appointment_id=appointment,
                    actor="benchmark",
                    changes=[],
                )

    await asyncio.gather(*(one(each) for each in businesses))


def memory(pid: int) -> float:
    """Resident MB of a process."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024


def cpu(pid: int) -> float:
    """Seconds of CPU time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Ours:
    """The product with its sockets."""

    def __init__(self, database: Database, port: int, pid: int, businesses: Sequence[Business]) -> None:
        self.database, self.port, self.pid, self.businesses = database, port, pid, businesses
        self.count = Count()

    async def open(self, sockets: int) -> list[Socket]:
        """That many, dealt out among the businesses; each has had an event when this ends."""
        dealt = [self.businesses[at % len(self.businesses)] for at in range(sockets)]
        opened = await connect(self.port, "/graphql", self.count, [{"apiKey": each.key} for each in dealt], EVENTS)
        # Each must stand before the first event that counts.
        await asyncio.sleep(3)
        await self.events(1, sockets)
        return opened

    async def events(self, number: int, sockets: int) -> float:
        """So many for each business; the seconds until all sockets have them."""
        self.count.expect(number * sockets)
        began = time.perf_counter()
        await write(self.database, self.businesses, number)
        await asyncio.wait_for(self.count.full.wait(), 120)
        return time.perf_counter() - began


async def latencies(ours: Ours, options: argparse.Namespace) -> None:
    """Print commit → client at a steady rate; the first round warms up."""
    steps = int(options.rate * options.seconds)
    for _ in range(2):
        ours.count.expect(steps * options.sockets)
        for _ in range(steps):
            await write(ours.database, ours.businesses, 1)
            await asyncio.sleep(1 / options.rate)
        await asyncio.wait_for(ours.count.full.wait(), 60)
    told = sorted(ours.count.latencies)
    print(
        f"commit → client at {options.rate:g}/s for each of {options.tenants}: p50 {statistics.median(told):.0f} ms,"
        f" p99 {told[int(len(told) * 0.99)]:.0f} ms"
    )


async def further_viewers(ours: Ours, events: int) -> None:
    """Print what an event costs the server with ever more viewers of one business."""
    costs = {}
    ours.businesses = ours.businesses[:1]
    for viewers in (1, 2, 101):
        opened = await ours.open(viewers)
        before = cpu(ours.pid)
        for _ in range(events):
            await ours.events(1, viewers)
        costs[viewers] = (cpu(ours.pid) - before) / events * 1000
        await close(opened)
    print(
        f"CPU of the server for an event: {costs[1]:.2f} ms with one viewer, {costs[2]:.2f} with 1 further,"
        f" {costs[101]:.2f} with 100 further: {(costs[101] - costs[1]) / 100 * 1000:.0f} µs for each"
    )


async def close(sockets: Sequence[Socket]) -> None:
    """Hang up, and let the server see it."""
    for each in sockets:
        each.transport.abort()
    await asyncio.sleep(1)


async def measure_ours(
    url: str, businesses: Sequence[Business], options: argparse.Namespace
) -> tuple[float, float, bytes]:
    """Deliveries a second, µs of the server's CPU for each, and one payload."""
    port = free_port()
    settings = {"DATABASE_URL": url, "SPS_SECRET_KEY": SECRET, "SPS_BUDGET_FACTOR": "1000000"}
    with process("serve", "--port", str(port), **settings) as server:
        await asyncio.to_thread(wait_until_ready, port)
        database = Database(url, pool_size=WRITERS)
        ours = Ours(database, port, server.pid, businesses)
        before = memory(server.pid)
        opened = await ours.open(options.sockets)
        print(f"memory a socket: {(memory(server.pid) - before) * 1024 / options.sockets:.0f} kB")
        await latencies(ours, options)
        each, used = options.events * options.sockets, cpu(server.pid)
        rates = [each / await ours.events(options.events, options.sockets) for _ in range(ROUNDS)]
        used = (cpu(server.pid) - used) / (each * ROUNDS) * 1e6
        payload = ours.count.last
        await close(opened)
        await further_viewers(ours, 50)
        await database.close()
    return statistics.median(rates), used, payload


async def measure_beside(name: str, payload: bytes, options: argparse.Namespace, how: str) -> tuple[float, float]:
    """Deliveries a second of another server to as many sockets, and µs of its CPU for each."""
    port, count = free_port(), Count()
    query = EVENTS if name == "stock" else None
    with beside(name, port) as pid:
        while True:
            try:
                control = await connect(port, "/control", Count(), [{}], None)
                break
            except OSError:
                await asyncio.sleep(0.1)
        sockets = await connect(port, "/", count, [{}] * options.sockets, query)
        await asyncio.sleep(1)
        rates, used = [], 0.0
        for lot, events in enumerate((1, *[options.events] * ROUNDS)):
            if lot == 1:
                used = cpu(pid)
            count.expect(events * options.sockets)
            began = time.perf_counter()
            control[0].send(f"{how} {events} ".encode() + payload)
            await asyncio.wait_for(count.full.wait(), 120)
            rates.append(count.heard / (time.perf_counter() - began))
        used = (cpu(pid) - used) / (options.events * options.sockets * ROUNDS) * 1e6
        for each in [*sockets, *control]:
            each.transport.abort()
        return statistics.median(rates[1:]), used


async def main(options: argparse.Namespace) -> None:
    """Measure and print."""
    with temporary_postgres() as postgres:
        upgrade(postgres.url("sps", "sps_owner"), "sps_app")
        superuser = postgres.url("sps", postgres.superuser)
        businesses = fill(superuser, options.tenants, options.tenants * BOARD_SIZE, SECRET)
        rate, used, payload = await measure_ours(postgres.url("sps", "sps_app"), businesses, options)
    print(
        f"{options.sockets} sockets of {options.tenants} businesses, {len(payload)} bytes: {rate:,.0f} deliveries/s,"
        f" {used:.1f} µs of CPU for each"
    )
    for name, how in (("bare", APART), ("bare", AT_ONCE), ("stock", APART)):
        other, its = await measure_beside(name, payload, options, how)
        print(
            f"{name}, events {how}: {other:,.0f}/s, {its:.1f} µs; ours {rate / other:.2f} × that,"
            f" and {its / used:.2f} × by CPU"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1)
    parser.add_argument("--sockets", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    asyncio.run(main(parser.parse_args()))
