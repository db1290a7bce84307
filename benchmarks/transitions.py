"""Commit → websocket: how long until a board hears of a transition, at a steady rate.

    python -m benchmarks.transitions [--rate 20] [--seconds 30]

Starts a PostgreSQL and a server of its own. The time is from the event's `occurredAt`, which the database reads as it writes the
row just before the commit, to its arrival at the client; one machine, one clock.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from integrations.embedded_postgres import temporary_postgres
from models.migrate import upgrade
from tests.process import free_port, process, wait_until_ready
from tests.service import Service
from tests.world import World, new_world

EVENTS = "subscription { appointmentEvents { occurredAt type appointment { number technician { name } customer { name } } } }"
MOVES = ("appointmentMarkOnTheWay", "appointmentStart", "appointmentReopen")


@asynccontextmanager
async def served(database_url: str) -> AsyncIterator[World]:
    """A server in a process of its own, and a business on it."""
    port = free_port()
    with process("serve", "--port", str(port), DATABASE_URL=database_url):
        await asyncio.to_thread(wait_until_ready, port)
        service = Service(port, app=None)  # type: ignore[arg-type]
        async with new_world(service) as world:
            yield world
        for client in service.clients:
            await client.http.aclose()


async def run(database_url: str, rate: float, seconds: float) -> list[float]:
    """Latencies in milliseconds."""
    count = int(rate * seconds)
    found: list[float] = []
    async with served(database_url) as world:
        made = [
            await world.book(f"2027-03-{2 + n // 8:02}T{8 + n % 8:02}:00:00-06:00", f"2027-03-{2 + n // 8:02}T{9 + n % 8:02}:00:00-06:00",
                             technicianId=world.technician)
            for n in range(40)
        ]  # fmt: skip

        async def read() -> None:
            async with world.api.subscribe(EVENTS) as stream:
                ready.set()
                for _ in range(count):
                    event = (await stream.next(30))["appointmentEvents"]
                    now = datetime.now(UTC)
                    found.append((now - datetime.fromisoformat(event["occurredAt"])).total_seconds() * 1000)

        ready = asyncio.Event()
        reader = asyncio.create_task(read())
        await ready.wait()
        await asyncio.sleep(0.5)
        began = time.monotonic()
        moves = []
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            mutation = MOVES[number // len(made) % len(MOVES)]
            extra: dict[str, Any] = {"etaMinutes": 10} if mutation == "appointmentMarkOnTheWay" else {}
            moves.append(
                asyncio.create_task(world.api.do(mutation, appointmentId=made[number % len(made)]["id"], **extra))
            )
        answers = await asyncio.gather(*moves)
        assert all(answer["userErrors"] == [] for answer in answers), answers
        await reader
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    with temporary_postgres() as server:
        upgrade(server.url("sps", "sps_owner"), "sps_app")
        found = sorted(asyncio.run(run(server.url("sps", "sps_app"), options.rate, options.seconds)))
    p99 = found[int(len(found) * 0.99)]
    print(
        f"{len(found)} transitions at {options.rate:g}/s: commit → websocket p50 {statistics.median(found):.1f} ms, p99 {p99:.1f} ms, max {found[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
