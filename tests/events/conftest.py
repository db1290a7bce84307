"""Two set-ups for the tests of the stream: one server beside its database, and two of them behind PgBouncer and Redis.

In the second a client's requests go to a server process that lives as long as the tests do, and its sockets to another, the one in
the test's process: whatever a test sees of what it wrote has crossed from one to the other. Transactions of all share four
connections of PostgreSQL.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.database import Database
from settings import Settings
from subscriptions.backends import backend_for
from subscriptions.hub import Hub
from tests.messages.brokers import running
from tests.pooler import pooler
from tests.process import free_port, process, wait_until_ready
from tests.service import Service, running_service

SECRET = "a secret that both servers know, and nobody else does"
# Both servers may reach the tests' partner; and one that serves all tests is asked more than a person would.
OTHER = {"SPS_SECRET_KEY": SECRET, "SPS_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1", "SPS_BUDGET_FACTOR": "1000"}


@dataclass(frozen=True)
class Setup:
    """What the product's processes are told, and where the other server is, if there is one."""

    #: Of a process that a test starts.
    environment: dict[str, str]
    #: Where signals are heard.
    broadcast: str
    other: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def serving(self, **settings: Any) -> AbstractAsyncContextManager[Service]:
        """The product in the test's process."""
        return self._serving(settings)

    @asynccontextmanager
    async def _serving(self, settings: dict[str, Any]) -> AsyncIterator[Service]:
        async with running_service(self.environment["DATABASE_URL"], **(self.settings | settings)) as service:
            service.other = self.other
            yield service

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The app's way to the database, which tells of its changes as a server's does."""
        settings = Settings(database_url=self.environment["DATABASE_URL"], **self.settings)
        made, backend = Database.of(settings, pool_size=10), backend_for(self.broadcast)
        if self.other:
            hub = Hub(made, backend)
            made.after_events.append(hub.publish)
            made.after_signals.append(hub.publish_signal)
        yield made
        await backend.disconnect()
        await made.close()


@pytest.fixture(scope="session", params=["plain", pytest.param("scaled", marks=pytest.mark.services)])
def setup(request: pytest.FixtureRequest, database_url: str) -> Iterator[Setup]:
    """Each test of this folder that uses the product runs in both."""
    if request.param == "plain":
        yield Setup({"DATABASE_URL": database_url}, database_url)
        return
    with ExitStack() as stack:
        redis = stack.enter_context(running("redis", database_url)).url
        assert redis is not None
        pooled, port = stack.enter_context(pooler(database_url)).url, free_port()
        # No DATABASE_DIRECT_URL: nothing of the servers' needs one.
        environment = {"DATABASE_URL": pooled, "BROADCAST_URL": redis, "SPS_PREPARED_STATEMENTS": "off"}
        stack.enter_context(process("serve", "--port", str(port), **(environment | OTHER)))
        wait_until_ready(port)
        settings = {"broadcast_url": redis, "prepared_statements": False, "secret_key": SECRET}
        yield Setup(environment, redis, f"http://127.0.0.1:{port}", settings)


@pytest.fixture
async def service(setup: Setup) -> AsyncIterator[Service]:
    """The product on loopback."""
    async with setup.serving() as running:
        yield running


@pytest.fixture
async def database(setup: Setup) -> AsyncIterator[Database]:
    """The app's way to the database."""
    async with setup.database() as made:
        yield made
