"""A migrated database for each test process, and the product running on it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from integrations.embedded_postgres import temporary_postgres
from models.database import Database
from models.migrate import upgrade
from tests.databases import create_database, drop_database
from tests.service import Service, running_service
from tests.world import World, new_world

APP_ROLE = "sps_app"
# How soon a busy machine makes examples says nothing about the product.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


# Files go to processes in this order: one that takes long and comes last would keep one of them busy while the others are done.
LONGEST = (
    "tests/backup/test_backup.py",
    "tests/cli/test_up.py",
    "tests/cli/test_embedded_postgres.py",
    "tests/export/test_resume.py",
    "tests/events/test_stream.py",
    "tests/events/test_board_fold.py",
    "tests/messages/test_soak.py",
    "tests/integrations/test_vroom.py",
    "tests/cli/test_postgres.py",
    "tests/billing/test_sweep.py",
    "tests/messages/test_brokers.py",
    "tests/export/test_worker.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONGEST)))


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A server on which databases can be made: that of the test command, or one of our own."""
    with ExitStack() as stack:
        url = os.environ.get("SPS_TEST_DATABASE_URL")
        yield url or stack.enter_context(temporary_postgres()).url("postgres", "sps_owner")


@pytest.fixture(scope="session")
def owner_url(server_url: str, worker_id: str) -> Iterator[str]:
    """A migrated database of this process, as the role that owns its tables."""
    name = f"test_{worker_id}_{os.getpid()}"
    create_database(server_url, name)
    url = server_url.replace("/postgres?", f"/{name}?")
    upgrade(url, APP_ROLE)
    yield url
    drop_database(server_url, name)


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """Which of the processes that run tests this is."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def database_url(owner_url: str) -> str:
    """The same database as the app's role, which owns nothing and cannot bypass row-level security."""
    return owner_url.replace("sps_owner", APP_ROLE)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The app's way to the database."""
    made = Database(database_url, pool_size=10)
    yield made
    await made.close()


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The product on loopback."""
    async with running_service(database_url) as running:
        yield running


@pytest.fixture
async def world(service: Service) -> AsyncIterator[World]:
    """A business of the test's own, with an owner who is logged in."""
    async with new_world(service) as made:
        yield made
