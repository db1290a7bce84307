"""A small set of the board's benchmark, and its servers in this process."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from benchmarks.board import furnish
from benchmarks.board_data import Business, fill
from cli.listen import listen
from models.migrate import upgrade
from tests.conftest import APP_ROLE
from tests.databases import as_superuser, create_database, drop_database

SECRET = "benchmark " * 4


@pytest.fixture(scope="package")
def filled(server_url: str, worker_id: str) -> Iterator[tuple[str, str, list[Business]]]:
    """A database of its own with three businesses of two days each: as the app's role, as the superuser, and they."""
    superuser, name = as_superuser(server_url), f"test_benchmark_{worker_id}"
    drop_database(server_url, name)
    create_database(superuser, name)
    url = superuser.replace("/postgres?", f"/{name}?")
    upgrade(url, APP_ROLE)
    businesses = fill(url, tenants=3, appointments=600, secret=SECRET)
    furnish(url)
    yield url.replace("postgres@", f"{APP_ROLE}@"), url, businesses
    drop_database(server_url, name)


@asynccontextmanager
async def running(app: Starlette) -> AsyncIterator[int]:
    """Serve on a free port; the port."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan="on", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield int(listener.getsockname()[1])
    finally:
        await server.shutdown(sockets=[listener])
