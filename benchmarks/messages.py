"""Messages: commit → Twilio request at a steady rate, messages a second beside bare Dramatiq, and what planning costs.

    python -m benchmarks.messages [latency] [throughput] [planning] [--broker URL]

Starts a PostgreSQL, a server and workers of its own, with a stand-in for Twilio in this process: one machine, one clock.
"""

import argparse
import asyncio
import importlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg

from domain.ids import Prefix, decode
from domain.local_time import to_utc
from domain.tenant import Role
from domain.window import Window
from integrations.embedded_postgres import temporary_postgres
from models.database import Database
from models.migrate import upgrade
from permissions.principal import Principal
from permissions.scopes import ROLES
from resolvers.appointment_plan import schedule_appointment
from resolvers.caller import Caller
from settings import Settings
from tests.messages.conftest import SECRET, start_worker
from tests.messages.steps import clone_messages
from tests.process import ROOT, environment, free_port, process, wait_until_ready
from tests.service import Service
from tests.standins.twilio import TwilioStandIn, twilio_stand_in
from tests.world import World, new_world

# An empty actor on the same broker, with as many threads: sent and worked off by one process, as the relay and the worker do.
BARE = """
import sys, threading, time, dramatiq
from dramatiq.worker import Worker
from settings import Settings
from workers.broker import make_broker
settings, count = Settings(), int(sys.argv[1])
broker, done, lock, seen = make_broker(settings), threading.Event(), threading.Lock(), [0]
@dramatiq.actor(broker=broker, queue_name="bare")
def empty(tenant, message):
    with lock:
        seen[0] += 1
        if seen[0] == count:
            done.set()
worker = Worker(broker, worker_threads=settings.worker_threads)
worker.start()
time.sleep(1)
began = time.perf_counter()
for _ in range(count):
    empty.send("01a20cdc-4553-7225-a447-167e1f2c8603", "01a20cdc-47bc-76b6-b067-4fa73e53747a")
done.wait()
print(count / (time.perf_counter() - began))
worker.stop(timeout=5000)
"""


@asynccontextmanager
async def business(database_url: str, twilio: TwilioStandIn) -> AsyncIterator[World]:
    """A server in a process of its own, and a business on it."""
    port = free_port()
    settings = {"DATABASE_URL": database_url, "SPS_SECRET_KEY": SECRET} | twilio.environment()
    with process("serve", "--port", str(port), **settings):
        await asyncio.to_thread(wait_until_ready, port)
        service = Service(port, app=None)  # type: ignore[arg-type]
        async with new_world(service) as world:
            yield world
        for client in service.clients:
            await client.http.aclose()


async def book(world: World, count: int) -> list[str]:
    """So many appointments of one technician."""
    ids = []
    for n in range(count):
        day = f"2027-03-{2 + n // 8:02}T"
        made = await world.book(
            f"{day}{8 + n % 8:02}:00:00-06:00", f"{day}{9 + n % 8:02}:00:00-06:00", technicianId=world.technician
        )
        ids.append(made["id"])
    return ids


async def latency(urls: "Urls", twilio: TwilioStandIn, rate: float, seconds: float) -> None:
    """Transitions at a steady rate, every other of which tells that the technician is on the way."""
    async with business(urls.app, twilio) as world:
        ids = await book(world, 40)
        worker = start_worker(urls.app, world.service.port, **twilio.environment(), **urls.broker)
        try:
            await urls.settled()
            texts = len(twilio.texts)
            began, moves = time.monotonic(), []
            for number in range(int(rate * seconds)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                there = number // len(ids) % 2 == 0
                mutation = "appointmentMarkOnTheWay" if there else "appointmentReopen"
                extra: dict[str, Any] = {"etaMinutes": 10} if there else {}
                moves.append(asyncio.create_task(world.api.do(mutation, appointmentId=ids[number % len(ids)], **extra)))
            answers = await asyncio.gather(*moves)
            assert all(answer["userErrors"] == [] for answer in answers), answers
            await asyncio.sleep(2)
            await urls.settled()
        finally:
            worker.terminate()
            worker.wait()
    arrived = {text.sid: text.arrived for text in twilio.texts[texts:]}
    found = sorted((arrived[sid] - committed) * 1000 for sid, committed in urls.commits() if sid in arrived)
    print(
        f"{len(found)} texts at {rate:g} transitions/s: commit → Twilio request p50 {statistics.median(found):.1f} ms,"
        f" p99 {found[int(len(found) * 0.99)]:.1f} ms, max {found[-1]:.1f} ms"
    )


async def throughput(urls: "Urls", twilio: TwilioStandIn, count: int) -> None:
    """So many texts that are all due, beside as many messages to an empty actor."""
    bare = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BARE, str(count),
        cwd=ROOT, env=environment(DATABASE_URL=urls.app, **urls.broker), stdout=subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await bare.communicate()
    async with business(urls.app, twilio) as world:
        (identity,) = await book(world, 1)
        row = urls.rows("SELECT id, tenant_id, appointment_id FROM messages WHERE appointment_id = %s AND channel = 'SMS'"
                        " AND event = 'CONFIRMATION'", decode(Prefix.APPOINTMENT, identity))[0]  # fmt: skip
        clone_messages(urls.owner, dict(zip(("id", "tenant_id", "appointment_id"), row, strict=True)), count - 1)
        first = threading.Event()
        twilio.on_request = lambda _form: first.set()
        worker = start_worker(urls.app, world.service.port, **twilio.environment(), **urls.broker)
        try:
            await asyncio.to_thread(first.wait)
            began = time.perf_counter()
            await urls.settled()
            ours = count / (time.perf_counter() - began)
        finally:
            worker.terminate()
            worker.wait()
    rate = float(printed.split()[-1])
    print(
        f"{count} texts end to end {ours:.0f}/s; bare Dramatiq with an empty actor {rate:.0f}/s; ratio {ours / rate:.2f}"
    )


async def planning(urls: "Urls", twilio: TwilioStandIn, rounds: int) -> None:
    """`appointmentSchedule` below GraphQL: with planning, with everything switched off, and with none at all."""
    async with business(urls.app, twilio) as world:
        ids = await book(world, 30)
        tenant, owner = urls.rows("SELECT tenant_id, id FROM users WHERE email = %s", world.email)[0]
        principal = Principal(tenant_id=tenant, actor="Olive", scopes=ROLES[Role.OWNER], user_id=owner, role=Role.OWNER)
        database = Database(urls.app, pool_size=2)
        caller = Caller(principal, database, Settings(database_url=urls.app))
        changes: Any = importlib.import_module("resolvers.appointment")
        planned = changes.plan_messages

        async def nothing(*_: Any) -> None:
            return

        found: dict[str, list[float]] = {"planned": [], "off": [], "none": []}
        for number in range(rounds):
            for hour, mode in enumerate(found):
                await world.api.do(
                    "notificationSettingsUpdate",
                    locationId=world.location,
                    smsEnabled=mode != "off",
                    emailEnabled=mode != "off",
                )
                changes.plan_messages = nothing if mode == "none" else planned
                for place, identity in enumerate(ids):
                    appointment = decode(Prefix.APPOINTMENT, identity)
                    assert isinstance(appointment, UUID)
                    began = time.perf_counter()
                    await schedule_appointment(caller, appointment, None, _window(3 * number + hour, place), None, None)
                    found[mode].append((time.perf_counter() - began) * 1000)
        changes.plan_messages = planned
        await database.close()
    medians = {mode: statistics.median(times) for mode, times in found.items()}
    print(
        f"appointmentSchedule without planning {medians['none']:.2f} ms, with all switched off {medians['off']:.2f} ms"
        f" (×{medians['off'] / medians['none']:.2f}), planned {medians['planned']:.2f} ms"
        f" (×{medians['planned'] / medians['none']:.2f})"
    )


def _window(number: int, place: int) -> Window:
    from datetime import datetime, timedelta

    start = to_utc(datetime(2027, 4, 1, 8), "America/Chicago") + timedelta(days=place, minutes=20 * number)  # noqa: DTZ001
    return Window(start, start + timedelta(hours=1))


class Urls:
    """One database under its two roles, and the broker."""

    def __init__(self, app: str, owner: str, broker: str | None) -> None:
        self.app, self.owner = app, owner
        self.broker = {"BROKER_URL": broker} if broker else {}

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement finds, as the tables' owner."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    async def settled(self) -> None:
        """Wait until no text is due or on its way."""
        due = "SELECT FROM messages WHERE state = 'SENDING' OR state = 'QUEUED' AND next_attempt_at <= now() LIMIT 1"
        while self.rows(due):  # noqa: ASYNC110 (the database's state, not ours)
            await asyncio.sleep(0.1)

    def commits(self) -> list[tuple[str, float]]:
        """Twilio's id of each on-the-way text, and when its change was committed: its event is written last before that."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            (tenant,) = connection.execute("SELECT tenant_id FROM messages LIMIT 1").fetchall()[0]
            connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant),))
            found = connection.execute(
                "SELECT m.provider_id, extract(epoch FROM e.occurred_at)::float8 FROM"
                " (SELECT *, row_number() OVER (PARTITION BY appointment_id ORDER BY send_at) AS n FROM messages"
                "  WHERE event = 'ON_THE_WAY' AND channel = 'SMS') m JOIN"
                " (SELECT *, row_number() OVER (PARTITION BY appointment_id ORDER BY seq) AS n FROM events"
                "  WHERE type = 'ON_THE_WAY') e USING (appointment_id, n) WHERE m.provider_id IS NOT NULL"
            ).fetchall()
        return [(str(sid), float(moment)) for sid, moment in found]


async def run(options: argparse.Namespace, app: str, owner: str) -> None:
    """Measure what is asked for."""
    urls = Urls(app, owner, options.broker)
    with twilio_stand_in() as twilio:
        if "planning" in options.what:
            await planning(urls, twilio, 8)
        if "throughput" in options.what:
            await throughput(urls, twilio, options.count)
        if "latency" in options.what:
            await latency(urls, twilio, options.rate, options.seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["latency", "throughput", "planning"])
    parser.add_argument("--broker", default=None)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--count", type=int, default=2_000)
    options = parser.parse_args()
    for each in options.what:
        with temporary_postgres() as server:
            upgrade(server.url("sps", "sps_owner"), "sps_app")
            one = argparse.Namespace(**{**vars(options), "what": [each]})
            asyncio.run(run(one, server.url("sps", "sps_app"), server.url("sps", "sps_owner")))


if __name__ == "__main__":
    main()
