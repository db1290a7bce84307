"""Fifty tenants on four connections, with transactions that are cancelled at any moment: nobody ever meets another's rows."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import func, select, text

from domain.ids import new_id
from domain.tenant import TenantStatus
from models.customer import Customer
from models.database import Database
from models.errors import UNREACHABLE
from models.tenant import Tenant, count_up

Connection = psycopg.Connection[Any]
TENANTS, CONNECTIONS, AT_ONCE = 50, 4, 16
NORMAL, SOAK = 1_000, 100_000


@pytest.fixture
async def narrow(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=CONNECTIONS)
    yield database
    await database.close()


async def made(database: Database) -> list[UUID]:
    """Tenants with one customer each, whose name is the tenant's id."""
    ids = [new_id() for _ in range(TENANTS)]
    for tenant_id in ids:
        async with database.tenant(tenant_id) as session:
            session.add(Tenant(id=tenant_id, name=str(tenant_id), email="x@example.com", status=TenantStatus.ACTIVE))
            await session.flush()
            session.add(Customer(tenant_id=tenant_id, id=new_id(), name=str(tenant_id), search=""))
    return ids


class Crowd:
    """Callers of all tenants at once. What each sees is checked; what was cancelled is only counted."""

    def __init__(self, database: Database, ids: list[UUID], rng: random.Random) -> None:
        self.database, self.ids, self.rng = database, ids, rng
        self.finished = self.cancelled = self.read = 0
        self.expected = dict.fromkeys(ids, 0)

    async def run(self, transactions: int) -> None:
        left = iter(range(transactions))

        async def caller() -> None:
            for _ in left:
                tenant_id = self.rng.choice(self.ids)
                task = asyncio.create_task(
                    self.one(tenant_id, self.rng.choice((self.reads, self.writes, self.nobodys)))
                )
                if self.rng.random() < 0.25:
                    for _ in range(self.rng.randrange(12)):
                        await asyncio.sleep(0)
                    if self.rng.random() < 0.5:
                        await asyncio.sleep(self.rng.random() * 0.004)
                    task.cancel()
                try:
                    await task
                    self.finished += 1
                except asyncio.CancelledError:
                    self.cancelled += 1

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    async def one(self, tenant_id: UUID, what: Any) -> None:
        # Twenty callers share four connections: one that waits too long for one is refused, and asks again.
        for _ in range(5):
            try:
                await what(tenant_id)
            except UNREACHABLE as error:
                if "QueuePool" not in str(error):
                    raise
            else:
                return

    async def reads(self, tenant_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as session:
            names = set((await session.execute(select(Customer.name))).scalars())
            assert names == {str(tenant_id)}
            assert set((await session.execute(select(Tenant.id))).scalars()) == {tenant_id}
            self.read += 1

    async def writes(self, tenant_id: UUID) -> None:
        async with self.database.tenant(tenant_id) as session:
            await session.execute(text("UPDATE customers SET notes = name"))
            await count_up(session, tenant_id, "crowd")
            if self.rng.random() < 0.2:
                await session.rollback()

    async def nobodys(self, _tenant_id: UUID) -> None:
        """Without a tenant nothing is there: a setting that a connection kept would show here."""
        async with self.database.anonymous() as session:
            assert (await session.execute(select(func.count()).select_from(Customer))).scalar_one() == 0
            assert (await session.execute(text("SELECT current_setting('app.tenant_id', true)"))).scalar_one() == ""


async def crowd(narrow: Database, as_superuser: Connection, transactions: int) -> Crowd:
    ids = await made(narrow)
    running = Crowd(narrow, ids, random.Random(transactions))
    await running.run(transactions)
    assert running.finished + running.cancelled == transactions
    assert running.cancelled > transactions / 20
    assert running.read > transactions / 10
    # What was written bears its own tenant's name, and no connection has kept a tenant.
    wrong = as_superuser.execute(
        "SELECT count(*) FROM customers WHERE tenant_id = ANY (%s) AND notes IS NOT NULL AND notes <> tenant_id::text",
        (ids,),
    ).fetchone()
    assert wrong == (0,)
    for _ in range(CONNECTIONS * 2):
        async with narrow.engine.connect() as connection:
            kept = (await connection.execute(text("SELECT current_setting('app.tenant_id', true)"))).scalar_one()
            assert kept in (None, "")
    return running


async def test_a_crowd_of_tenants_on_few_connections(narrow: Database, as_superuser: Connection) -> None:
    await crowd(narrow, as_superuser, NORMAL)


@pytest.mark.soak
async def test_a_hundred_thousand_transactions(narrow: Database, as_superuser: Connection) -> None:
    await crowd(narrow, as_superuser, SOAK)


async def test_a_tenant_that_was_set_for_good_would_be_seen(narrow: Database) -> None:
    """The check itself: with a session-level SET, as a careless pool would leave it, the crowd's assertion fails."""
    ids = await made(narrow)
    async with narrow.engine.connect() as connection:
        await connection.execute(text("SELECT set_config('app.tenant_id', :id, false)"), {"id": str(ids[0])})
        await connection.commit()
        leaked = (await connection.execute(text("SELECT count(*) FROM customers"))).scalar_one()
        await connection.execute(text("RESET app.tenant_id"))
        await connection.commit()
    assert leaked == 1
