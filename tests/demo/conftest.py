"""Databases of their own for the demo: its addresses are global, so that it fits into each one only once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from models.database import Database
from models.migrate import upgrade
from resolvers.demo import DEMO_EMAIL, DemoSeeded, seed
from tests.conftest import APP_ROLE
from tests.databases import create_database, drop_database

# A Tuesday, ten minutes past ten in Austin.
NOW = datetime(2026, 11, 24, 16, 10, tzinfo=UTC)
MakeDatabase: TypeAlias = Callable[[], str]
Ask: TypeAlias = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="package")
def make_database(server_url: str, worker_id: str) -> Iterator[MakeDatabase]:
    """Makes migrated, empty databases."""
    first = f"demo_{worker_id}_{uuid4().hex[:8]}"
    names = [first]
    template = server_url.replace("/postgres?", f"/{first}?")

    create_database(server_url, first)
    upgrade(template, APP_ROLE)

    def make() -> str:
        name = f"{first}_{len(names)}"
        create_database(server_url, name, first)
        names.append(name)
        return template.replace(first, name).replace("sps_owner", APP_ROLE)

    yield make
    for name in reversed(names):
        drop_database(server_url, name)


@pytest.fixture(scope="package")
def seeded_url(make_database: MakeDatabase) -> str:
    """A database with the demo as of NOW."""
    url = make_database()
    assert run_seed(url).created
    return url


@pytest.fixture(scope="package")
def ask(seeded_url: str) -> Iterator[Ask]:
    """Queries of that demo."""
    with as_demo(seeded_url) as answer:
        yield answer


def run_seed(url: str, **options: Any) -> DemoSeeded:
    """Seed in an event loop of its own, as the command does."""

    async def run() -> DemoSeeded:
        async with opened(url) as database:
            return await seed(database, **({"now": NOW} | options))

    return asyncio.run(run())


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """The app's way to a database."""
    database = Database(url, pool_size=2)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def as_demo(url: str) -> Iterator[Ask]:
    """Answers queries as the app's role within the demo's tenant; they find NOW in the setting demo.now."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.execute(
            "SELECT set_config('demo.now', %s, false),"
            " set_config('app.tenant_id', (SELECT tenant_id::text FROM look_up_log_in(%s)), false)",
            [NOW.isoformat(), DEMO_EMAIL],
        )

        def answer(query: str) -> list[dict[str, Any]]:
            return connection.execute(query.encode()).fetchall()

        yield answer


def number(ask: Ask, query: str) -> int:
    """The one number that a query answers."""
    (row,) = ask(query)
    return int(next(iter(row.values())))
