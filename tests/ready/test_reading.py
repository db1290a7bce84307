"""Transactions for reads alone: whose rows they see, and what becomes of the statements that PostgreSQL keeps."""

from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import QueryCanceled
from sqlalchemy import Select, func, select
from sqlalchemy.exc import DBAPIError

from domain.ids import split
from models.database import Database
from models.location import Location
from models.prepared import Prepared, driver_of
from models.reading import MOST_KEPT, Reading
from tests.wire import Wire, tapped
from tests.world import World, new_world


def read_names() -> Prepared[Any]:
    """A read of its own, which no connection keeps yet."""
    return Prepared(Location, lambda: select(Location.__table__.c.id, Location.__table__.c.name), light=True)


@pytest.fixture
async def tap(database_url: str) -> AsyncIterator[tuple[Database, Wire]]:
    async with tapped(database_url) as (url, wire):
        made = Database(url, pool_size=1)
        await made.ping()
        yield made, wire
        await made.close()


@pytest.fixture
async def other(world: World) -> AsyncIterator[World]:
    async with new_world(world.service) as made:
        yield made


async def tenant_of(world: World) -> UUID:
    parsed = split((await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert parsed is not None
    return parsed[1]


async def names(database: Database, read: Prepared[Any], tenant_id: UUID, *, one_moment: bool = False) -> list[str]:
    async with database.reading(tenant_id, one_moment=one_moment) as session:
        return [row.name for row in await read(session)]


async def read_and_fail(database: Database, read: Prepared[Any], tenant_id: UUID, *, one_moment: bool) -> None:
    async with database.reading(tenant_id, one_moment=one_moment) as session:
        await read(session)
        raise LookupError


@pytest.mark.parametrize("one_moment", [False, True])
async def test_each_transaction_sees_its_tenant(
    tap: tuple[Database, Wire], world: World, other: World, one_moment: bool
) -> None:
    database, _ = tap
    read = read_names()
    tenants = [await tenant_of(each) for each in (world, other)]
    for tenant_id, each in [*zip(tenants, (world, other), strict=True)] * 3:
        assert await names(database, read, tenant_id, one_moment=one_moment) == [each.name]
    assert await names(database, read, UUID(int=1), one_moment=one_moment) == []


async def test_row_level_security_stands_behind_it(tap: tuple[Database, Wire], world: World, other: World) -> None:
    """A statement that names another tenant than the transaction's finds nothing."""
    database, _ = tap
    read, theirs = read_names(), await tenant_of(other)
    for _ in range(3):
        async with database.reading(await tenant_of(world)) as session:
            session.info["tenant_id"] = theirs
            assert await read(session) == []


async def test_a_read_takes_one_message_from_its_second_use_on(tap: tuple[Database, Wire], world: World) -> None:
    database, wire = tap
    read, tenant_id = read_names(), await tenant_of(world)
    seen = []
    for _ in range(3):
        wire.clear()
        await names(database, read, tenant_id)
        seen.append((len(wire.statements), wire.transactions))
    assert seen == [(1, 1), (1, 0), (1, 0)]


async def test_all_reads_of_one_moment_see_it(tap: tuple[Database, Wire], world: World) -> None:
    database, _ = tap
    read, tenant_id = read_names(), await tenant_of(world)
    for number in range(3):
        async with database.reading(tenant_id, one_moment=True) as session:
            before = await read(session)
            done = await world.api.do("locationUpdate", locationId=world.location, name=f"Place {number}")
            assert done["userErrors"] == []
            assert await read(session) == before
        assert await names(database, read, tenant_id) == [f"Place {number}"]


async def test_statements_that_are_gone_are_made_again(tap: tuple[Database, Wire], world: World) -> None:
    database, _ = tap
    read, tenant_id = read_names(), await tenant_of(world)
    for one_moment in (False, True):
        for _ in range(3):
            assert await names(database, read, tenant_id, one_moment=one_moment) == [world.name]
            async with database.reading(tenant_id) as session:
                await (await driver_of(session)).execute("DEALLOCATE ALL")
    assert database.executes


async def test_a_failure_leaves_the_connection_whole(tap: tuple[Database, Wire], world: World) -> None:
    database, _ = tap
    read, tenant_id = read_names(), await tenant_of(world)
    for one_moment in (False, True):
        for _ in range(3):
            with pytest.raises(LookupError):
                await read_and_fail(database, read, tenant_id, one_moment=one_moment)
            assert await names(database, read, tenant_id, one_moment=one_moment) == [world.name]
    async with database.tenant(tenant_id) as written:
        assert (await written.execute(select(Location.name))).scalars().all() == [world.name]


async def test_a_connection_that_is_lost_is_replaced(tap: tuple[Database, Wire], world: World, owner_url: str) -> None:
    database, _ = tap
    read, tenant_id = read_names(), await tenant_of(world)
    for _ in range(2):
        await names(database, read, tenant_id)
    async with database.reading(tenant_id) as session:
        pid = (await driver_of(session)).info.backend_pid
    with psycopg.connect(owner_url.replace("sps_owner", "postgres"), autocommit=True) as everything:
        everything.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with pytest.raises(DBAPIError):
        await names(database, read, tenant_id)
    assert await names(database, read, tenant_id) == [world.name]


async def test_it_is_stopped_when_it_takes_too_long(database: Database, world: World) -> None:
    def build() -> Select[Any]:
        return select(Location.__table__.c.id, func.pg_sleep(30).label("name"))

    read: Prepared[Any] = Prepared(Location, build, light=True)
    tenant_id = await tenant_of(world)
    async with database.reading(tenant_id) as session:
        driver = await driver_of(session)
        for _ in range(2):
            short = Reading(tenant_id, driver, database, 50, one_moment=False)
            with pytest.raises(DBAPIError) as caught:
                await read(cast("Any", short))
            assert isinstance(caught.value.orig, QueryCanceled)
            await driver.rollback()


async def test_a_connection_keeps_so_many_statements(tap: tuple[Database, Wire], world: World) -> None:
    database, _ = tap
    tenant_id = await tenant_of(world)
    reads = [read_names() for _ in range(MOST_KEPT + 5)]
    for _ in range(3):
        for read in reads:
            assert await names(database, read, tenant_id) == [world.name]
    async with database.reading(tenant_id) as session:
        found = await (await driver_of(session)).execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE starts_with(name, 'sps_')"
        )
        assert await found.fetchone() == (MOST_KEPT,)
