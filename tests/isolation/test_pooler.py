"""PgBouncer in transaction mode: transactions share a connection of PostgreSQL, and none meets what another client has set."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cli.doctor_database import database_findings
from cli.doctor_settings import State
from models.database import Database
from models.tenant import counter_value
from settings import Settings
from tests.pooler import PgBouncer, pooler

pytestmark = pytest.mark.services


@pytest.fixture
def one(database_url: str) -> Iterator[PgBouncer]:
    """A pooler that gives all clients one and the same connection of PostgreSQL, by turns."""
    with pooler(database_url, size=1) as made:
        yield made


@asynccontextmanager
async def through(pooled: PgBouncer, *, prepared_statements: bool = False) -> AsyncIterator[Database]:
    database = Database(pooled.url, pool_size=2, prepared_statements=prepared_statements)
    try:
        yield database
    finally:
        await database.close()


async def setting(connection: "psycopg.AsyncConnection[object]", name: str) -> str:
    found = await (await connection.execute("SELECT current_setting(%s, true)", (name,))).fetchone()
    return str(found[0] or "") if isinstance(found, tuple) else ""


async def test_times_are_utc_whatever_another_client_has_set(one: PgBouncer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zone is the one setting that is made for a session: the pooler keeps it for each client."""
    # What our own connections begin with, so that they are not in UTC by chance.
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    async with (
        through(one) as database,
        await psycopg.AsyncConnection.connect(one.url, autocommit=True, prepare_threshold=None) as tokyo,
    ):
        await tokyo.execute("SET TIME ZONE 'Asia/Tokyo'")
        for _ in range(3):
            assert await setting(tokyo, "TimeZone") == "Asia/Tokyo"
            async with database.anonymous() as session:
                server, zone, now = (
                    await session.execute(text("SELECT pg_backend_pid(), current_setting('TimeZone'), now()"))
                ).one()
            assert zone == "UTC"
            assert isinstance(now, datetime)
            assert now.utcoffset() == UTC.utcoffset(None)
            # It was the same connection of PostgreSQL all the time.
            row = await (await tokyo.execute("SELECT pg_backend_pid()")).fetchone()
            assert row == (server,)


async def test_what_a_transaction_sets_ends_with_it(one: PgBouncer) -> None:
    names = ("app.tenant_id", "statement_timeout", "lock_timeout")
    async with (
        through(one) as database,
        await psycopg.AsyncConnection.connect(one.url, autocommit=True, prepare_threshold=None) as other,
    ):
        before = [await setting(other, name) for name in names]
        async with database.tenant(uuid4()) as session:
            await session.execute(text("SELECT 1"))
        async with database.snapshot(uuid4()) as session:
            await session.execute(text("SELECT 1"))
        await database.ask("SELECT * FROM look_up_api_key(%s)", "nobody's")
        assert [await setting(other, name) for name in names] == before
        assert await setting(other, "default_transaction_isolation") == "read committed"
        assert await setting(other, "transaction_isolation") == "read committed"


async def _often(database: Database, tenant: UUID, times: int) -> None:
    for number in range(times):
        async with database.tenant(tenant) as session:
            await counter_value(session, "events")
            await session.execute(text("SELECT :number"), {"number": str(number)})
        await database.ask("SELECT * FROM look_up_api_key(%s)", "nobody's")


async def test_statements_that_recur_on_many_connections(database_url: str) -> None:
    """Four clients on two connections of PostgreSQL."""
    with pooler(database_url, size=2) as pooled:
        async with through(pooled) as first, through(pooled) as second:
            await asyncio.gather(*(_often(each, uuid4(), 25) for each in (first, second, first, second)))
        if pooled.version < (1, 21):
            # What the setting is there for.
            async with (
                through(pooled, prepared_statements=True) as first,
                through(pooled, prepared_statements=True) as second,
            ):
                work = (_often(each, uuid4(), 25) for each in (first, second, first, second))
                failed = [each for each in await asyncio.gather(*work, return_exceptions=True) if each is not None]
            assert failed
            assert all(isinstance(each, DBAPIError) and "prepared statement" in str(each) for each in failed)


def test_the_doctor_sees_a_pooler_and_what_does_not_pass_it(one: PgBouncer, database_url: str) -> None:
    def found(**settings: Any) -> list[tuple[State, str]]:
        findings = database_findings(Settings(database_url=one.url, **settings))
        return [(each.state, each.found) for each in findings if each.name == "pooler"]

    ((state, what),) = found()
    assert state is State.WARN
    assert "LISTEN and the broker in PostgreSQL" in what
    ((state, what),) = found(broadcast_url="redis://127.0.0.1/0")
    assert state is State.WARN
    assert "LISTEN" not in what
    for settings in (
        {"broadcast_url": "redis://127.0.0.1/0", "broker_url": "amqp://127.0.0.1"},
        {"database_direct_url": database_url},
    ):
        for on in (True, False):
            ((state, what),) = found(prepared_statements=on, **settings)
            assert state is State.OK
            assert ("PgBouncer 1.22" in what) is on
    assert [each for each in database_findings(Settings(database_url=database_url)) if each.name == "pooler"] == []
