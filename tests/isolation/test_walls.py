"""Each of the two walls alone: rows without any guard in front, and guards and scoped queries without any row security."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from domain.ids import new_id
from models.row_security import EVERYTHING, PRIVILEGES
from tests.isolation.filling import fill
from tests.isolation.operations import Maker, has_ids, root_fields
from tests.isolation.scene import CANARY, SEED, Scene, open_scene, run
from tests.isolation.tenants import checksums, tables_of_tenants

pytestmark = pytest.mark.asyncio(loop_scope="module")
Connection = psycopg.Connection[Any]
CASES = 50


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_gates(superuser_url: str) -> AsyncIterator[Scene]:
    """The product on a role that row-level security does not bind: what is left is the first wall."""
    async with open_scene(superuser_url, superuser_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def two(superuser_url: str) -> tuple[UUID, UUID]:
    """Two tenants with a row in every table."""
    ids = new_id(), new_id()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for number, tenant_id in enumerate(ids):
            word = f"{CANARY}{number}{tenant_id.hex[-6:]}"
            connection.execute(
                "INSERT INTO tenants (id, name, email, status) VALUES (%s, %s, 'x@example.com', 'ACTIVE')",
                (tenant_id, word),
            )
            for table in tables_of_tenants(connection):
                fill(connection, table, tenant_id, word)
    return ids


async def test_without_guards_rows_are_hidden(
    database_url: str, as_superuser: Connection, two: tuple[UUID, UUID]
) -> None:
    """Plain SQL as the app's role, which no resolver or guard stands before."""
    mine, theirs = two
    before = checksums(as_superuser, theirs)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, column in tables_of_tenants(as_superuser).items():
            allowed = PRIVILEGES.get(table, EVERYTHING) or ""
            name, of = sql.Identifier(table), sql.Identifier(column)
            for tenant_id, visible in ((mine, 1), (theirs, 0)):
                with connection.transaction():
                    connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(mine),))
                    query = sql.SQL("SELECT count(*) FROM {} WHERE {} = %s").format(name, of)
                    count = connection.execute(query, (tenant_id,)).fetchone()
                    assert count, table
                    assert min(count[0], 1) == visible, table
                    if visible:
                        continue
                    if "UPDATE" in allowed:
                        change = sql.SQL("UPDATE {} SET {} = {} WHERE {} = %s").format(name, of, of, of)
                        assert connection.execute(change, (theirs,)).rowcount == 0, table
                    if "DELETE" in allowed:
                        delete = sql.SQL("DELETE FROM {} WHERE {} = %s").format(name, of)
                        assert connection.execute(delete, (theirs,)).rowcount == 0, table
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _copy_as(connection, table, column, mine, theirs)
    assert checksums(as_superuser, theirs) == before


def _copy_as(connection: Connection, table: str, column: str, mine: UUID, theirs: UUID) -> None:
    """Write a copy of an own row that claims to be the other's."""
    columns = [
        row[0]
        for row in connection.execute(
            """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
               AND attgenerated = '' ORDER BY attnum""",
            (table,),
        ).fetchall()
    ]
    values = [sql.Literal(theirs) if each == column else sql.Identifier(each) for each in columns]
    with connection.transaction():
        connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(mine),))
        connection.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} LIMIT 1").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(values),
                sql.Identifier(table),
            )
        )


async def test_without_a_tenant_nothing_is_there(
    database_url: str, as_superuser: Connection, two: tuple[UUID, UUID]
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table in tables_of_tenants(as_superuser):
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            assert found == (0,), table


async def test_a_foreign_key_accepts_no_row_of_another(as_superuser: Connection, two: tuple[UUID, UUID]) -> None:
    """Also for a role that sees everything: the keys themselves begin with the tenant."""
    mine, theirs = two
    keys = as_superuser.execute(
        """SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text
           FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[2]
           WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND cardinality(c.conkey) = 2
             AND c.conparentid = 0"""
    ).fetchall()
    assert len(keys) > 20
    for table, column, target in keys:
        foreign = as_superuser.execute(
            sql.SQL("SELECT id FROM {} WHERE tenant_id = %s LIMIT 1").format(sql.Identifier(target)), (theirs,)
        ).fetchone()
        assert foreign, target
        with pytest.raises(psycopg.errors.ForeignKeyViolation), as_superuser.transaction():
            as_superuser.execute(
                sql.SQL("UPDATE {} SET {} = %s WHERE tenant_id = %s").format(
                    sql.Identifier(table), sql.Identifier(column)
                ),
                (foreign[0], mine),
            )


async def test_without_row_security_the_first_wall_holds(open_gates: Scene, as_superuser: Connection) -> None:
    """The same property as in test_two_tenants, on a role for which every row of every tenant is there."""
    role = as_superuser.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    assert role == (True,)
    await run(open_gates, as_superuser, CASES)
    assert CANARY not in open_gates.log.getvalue()


async def test_without_row_security_each_place_for_an_id_is_scoped(open_gates: Scene) -> None:
    attacker = open_gates.attackers(random.Random(SEED))[0]
    for kind, name, definition in root_fields():
        if has_ids(definition):
            for seed in (0, 2):
                operation = Maker(random.Random(seed), every=True).operation(kind, name, definition, 1)
                for slot in operation.slots:
                    difference = await attacker.compare(operation, {slot.path})
                    assert difference is None, difference


async def test_without_row_security_lists_and_streams_hold_the_own_only(open_gates: Scene) -> None:
    attacker = open_gates.attackers(random.Random(SEED))[0]
    for kind, name, definition in root_fields():
        if kind == "query" and not has_ids(definition):
            for seed in range(4):
                operation = Maker(random.Random(seed), every=False).operation(kind, name, definition, 2)
                await attacker.send(operation, operation.filled(lambda slot: "", lambda: None))
    events = "subscription { appointmentEvents { appointment { notes customer { name } } } }"
    async with open_gates.mine.world.api.subscribe(events) as stream:
        await open_gates.theirs.world.book(notes=f"{CANARY} live")
        await open_gates.mine.world.book(notes="mine")
        event = (await stream.next())["appointmentEvents"]
        assert event["appointment"]["notes"] == "mine"
        with pytest.raises((TimeoutError, asyncio.TimeoutError)):
            await stream.next(0.3)
