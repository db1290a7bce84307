"""The server, its database and the bus are killed under a crowd of subscribers: all are back soon, and have missed nothing."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from domain.ids import Prefix, decode
from integrations.embedded_postgres import PostgresServer, embedded_postgres
from integrations.embedded_postgres_cluster import APP, DATABASE, OWNER, SUPERUSER
from models.migrate import upgrade
from tests.events.crowd import Crowd, Subscriber
from tests.messages.brokers import Child, RedisServer
from tests.pooler import PgBouncer
from tests.process import free_port, kill, process, wait_until_ready
from tests.service import Client, Service, running_service
from tests.world import World, new_world

log = logging.getLogger(__name__)
SECRET = "a secret that both servers know, and nobody else does"
UPDATE = """mutation ($id: ID!, $notes: String) {
  appointmentUpdate(input: { appointmentId: $id, notes: $notes }) { userErrors { code } } }"""
# Within this many seconds 99 of 100 are back; the rest after it.
SOON_S, PATIENCE_S = 10.0, 60.0


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[tuple[PostgresServer, Path]]:
    """A server of the test's own, which it may kill."""
    with embedded_postgres(tmp_path) as server:
        upgrade(server.url(DATABASE, OWNER), APP)
        yield server, tmp_path


@pytest.fixture
async def quiet(postgres: tuple[PostgresServer, Path]) -> AsyncIterator[tuple[Service, World]]:
    """The product in this process: only for writing down a business and knowing its cookies."""
    url = postgres[0].url(DATABASE, APP)
    async with running_service(url, secret_key=SecretStr(SECRET)) as service, new_world(service) as world:
        yield service, world


class Scene:
    """What can be killed, and started again."""

    def __init__(self, server: PostgresServer, folder: Path, bus: str) -> None:
        self.server = server
        self.folder = folder
        self.stack = ExitStack()
        self.engines: dict[str, Child] = {}
        # Where the crowd reads; and where the writer writes, which nobody kills when there are two.
        self.port = self.writers_port = free_port()
        self._settings = {"DATABASE_URL": server.url(DATABASE, APP), "SPS_SECRET_KEY": SECRET}
        if bus != "postgresql":
            redis = RedisServer()
            self.engines["redis"], self._settings["BROADCAST_URL"] = redis, redis.url
        if bus == "pgbouncer":
            pgbouncer = PgBouncer(database_url=self._settings["DATABASE_URL"])
            self.engines["pgbouncer"], self._settings["DATABASE_URL"] = pgbouncer, pgbouncer.url
            self._settings["SPS_PREPARED_STATEMENTS"] = "off"
            self.writers_port = free_port()

    @property
    def targets(self) -> list[str]:
        return ["server", "postgresql", *self.engines]

    def begin(self) -> None:
        """Start all; the stack ends them."""
        for engine in self.engines.values():
            engine.start()
            self.stack.callback(engine.stop)
        if self.writers_port != self.port:
            self.stack.enter_context(process("serve", "--port", str(self.writers_port), **self._settings))
            wait_until_ready(self.writers_port)
        self.start()

    def start(self) -> None:
        """Start the product's server."""
        self.product = self.stack.enter_context(process("serve", "--port", str(self.port), **self._settings))
        wait_until_ready(self.port)

    def kill(self, what: str) -> None:
        """Kill, and begin again, as an operator's supervisor would."""
        match what:
            case "server":
                kill(self.product)
                self.start()
            case "postgresql":
                pid = int((self.folder / "postgres/data/postmaster.pid").read_text().split()[0])
                os.kill(pid, signal.SIGKILL)
                while not self.server.revive():
                    pass
            case engine:
                self.engines[engine].restart()


@contextmanager
def scene(postgres: tuple[PostgresServer, Path], bus: str) -> Iterator[Scene]:
    made = Scene(*postgres, bus)
    with made.stack:
        made.begin()
        yield made


@pytest.mark.parametrize(
    ("subscribers", "kills", "bus"),
    [
        (10, 2, "postgresql"),
        # Two servers, PgBouncer and Redis: the writer's process is another than the crowd's, and each part is killed once.
        pytest.param(20, 4, "pgbouncer", marks=pytest.mark.services),
        pytest.param(500, 20, "postgresql", marks=pytest.mark.soak),
        pytest.param(500, 20, "redis", marks=[pytest.mark.soak, pytest.mark.services]),
        pytest.param(500, 20, "pgbouncer", marks=[pytest.mark.soak, pytest.mark.services]),
    ],
)
async def test_all_are_back_and_have_missed_nothing(
    postgres: tuple[PostgresServer, Path], quiet: tuple[Service, World], subscribers: int, kills: int, bus: str
) -> None:
    world = quiet[1]
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert tenant is not None
    visit = (await world.book())["id"]
    with scene(postgres, bus) as stage:
        targets = stage.targets
        url = f"http://127.0.0.1:{stage.port}/graphql"
        clients = [Client(url, world.api.http) for _ in range(subscribers)]
        writing = Client(f"http://127.0.0.1:{stage.writers_port}/graphql", world.api.http)
        enough = asyncio.Event()
        writer = asyncio.create_task(_write(writing, visit, enough))
        waits: list[float] = []
        async with Crowd([Subscriber(tenant, client) for client in clients]) as crowd:
            assert len(await crowd.back(datetime.now(UTC), PATIENCE_S)) == subscribers
            for number in range(kills):
                await asyncio.to_thread(stage.kill, targets[number % len(targets)])
                killed = datetime.now(UTC)
                back = await crowd.back(killed, PATIENCE_S)
                assert not writer.done(), writer.exception()
                assert len(back) == subscribers
                assert sum(each <= SOON_S for each in back) >= 0.99 * subscribers, sorted(back)[-10:]
                waits += back
            # Not cancelled: the server would finish what was asked for last, after we have looked what was written.
            enough.set()
            await writer
            with psycopg.connect(stage.server.url(DATABASE, SUPERUSER)) as connection:
                rows = connection.execute("SELECT seq FROM events WHERE tenant_id = %s ORDER BY seq", [tenant])
                written = [row[0] for row in rows]
            async with asyncio.timeout(PATIENCE_S):
                while any(len(each.seen) < len(written) for each in crowd.subscribers):
                    await asyncio.sleep(0.05)
            for each in crowd.subscribers:
                assert each.seen == written
            assert written == list(range(1, len(written) + 1))
            assert min(each.connections for each in crowd.subscribers) >= 1 + kills // len(targets)
    waits.sort()
    log.info(
        "%s subscribers, %s kills: back after p50 %.2f s, p99 %.2f s, last %.2f s; %s events each",
        subscribers, kills, waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1], len(written),
    )  # fmt: skip


async def _write(client: Client, visit: str, enough: asyncio.Event) -> None:
    """Change something a few times a second; what fails is tried again, as a page would."""
    number = 0
    while not enough.is_set():
        number += 1
        with suppress(httpx.HTTPError):
            answer = await client.post(UPDATE, id=visit, notes=f"Ring {number} times")
            # While the database is away, something broke; anything else is a failure of the test.
            codes = {each["extensions"]["code"] for each in answer.json().get("errors", ())}
            assert codes <= {"INTERNAL"}, answer.text
        await asyncio.sleep(0.1)
