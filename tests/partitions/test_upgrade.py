"""The upgrade of a database that has years of rows, while servers of the version before go on."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from alembic import command

from models.migrate import config, upgrade
from tests.conftest import APP_ROLE
from tests.databases import as_superuser
from tests.partitions.before import OldServer, contents, migrate_to_before, of_several_years
from tests.partitions.rows import Business, Connection, partitions, places

# Of an id that is no UUIDv7, or of a clock that was years ahead.
LATE_ID = UUID("f2345678-1234-4234-8234-123456789abc")


@pytest.fixture
def everything(empty_url: str) -> Iterator[Connection]:
    """A connection that sees all rows of a database of the version before."""
    migrate_to_before(empty_url)
    with psycopg.connect(as_superuser(empty_url), autocommit=True) as connection:
        yield connection


def test_every_row_is_there_afterwards_as_it_was(empty_url: str, everything: Connection) -> None:
    of_several_years(everything)
    before = contents(everything)
    assert {table: len(rows) for table, rows in before.items()} == {"events": 32, "messages": 34}
    upgrade(empty_url, APP_ROLE)
    assert contents(everything) == before
    for table, rows in before.items():
        assert places(everything, table) == {f"{table}_first": len(rows)}
        assert partitions(everything, table) == [f"{table}_first", f"{table}_default"]
    # Nothing is left of what helped, and the schema is that of the models.
    left = "SELECT count(*) FROM pg_constraint WHERE conname = 'before_the_next'"
    assert everything.execute(left).fetchone() == (0,)
    command.check(config(empty_url))


def test_servers_of_the_version_before_go_on_and_lose_nothing(empty_url: str, everything: Connection) -> None:
    businesses = of_several_years(everything)
    before = contents(everything)
    with OldServer(empty_url.replace("sps_owner", APP_ROLE), businesses[0]) as server:
        _wait_for(server, 5)
        begun = server.rounds
        upgrade(empty_url, APP_ROLE)
        assert server.rounds > begun
        _wait_for(server, server.rounds + 5)
    assert server.failures == []
    assert server.longest < timedelta(seconds=10)
    after = contents(everything)
    mine = businesses[0].tenant
    told = everything.execute("SELECT seq, changes->0->>'after' FROM events WHERE tenant_id = %s AND seq > 16", (mine,))
    assert dict(told.fetchall()) == server.events
    states = dict(everything.execute("SELECT id, state FROM messages WHERE tenant_id = %s", (mine,)).fetchall())
    assert {each: states[each] for each in server.messages} == server.messages
    # And what was there before is as it was.
    for table, rows in before.items():
        kept = {row[:2]: row for row in after[table]}
        assert [kept[row[:2]] for row in rows] == rows
        assert len(after[table]) == len(rows) + server.rounds


def test_rows_of_the_far_future_are_moved_out_of_the_first_partition(empty_url: str, everything: Connection) -> None:
    businesses = of_several_years(everything)
    ahead = datetime.now(UTC) + timedelta(days=800)
    for each in businesses:
        each.event(ahead)
        each.message(ahead)
    everything.execute(
        "UPDATE messages SET id = %s WHERE state = 'QUEUED' AND tenant_id = %s", (LATE_ID, businesses[0].tenant)
    )
    before = contents(everything)
    upgrade(empty_url, APP_ROLE)
    assert contents(everything) == before
    assert places(everything, "events") == {"events_first": 32, "events_default": 2}
    assert places(everything, "messages") == {"messages_first": 33, "messages_default": 3}
    command.check(config(empty_url))
    # Both are closed again behind the move, the owner's own reads included.
    with psycopg.connect(empty_url) as owner:
        for table in ("events", "messages"):
            assert owner.execute(f"SELECT count(*) FROM {table}_first").fetchone() == (0,)  # noqa: S608
    forced = "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r' AND NOT relforcerowsecurity"
    assert everything.execute(forced).fetchone() == (0,)
    _its_own_alone(empty_url, businesses[0])


def test_an_interrupted_upgrade_is_begun_again(empty_url: str, everything: Connection) -> None:
    """What was killed after its index and its checks has left them."""
    of_several_years(everything)
    before = contents(everything)
    everything.execute("CREATE UNIQUE INDEX events_first_key ON events (tenant_id, seq, occurred_at)")
    for table in ("events", "messages"):
        everything.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT before_the_next CHECK (tenant_id IS NOT NULL) NOT VALID"
        )
    upgrade(empty_url, APP_ROLE)
    assert contents(everything) == before
    command.check(config(empty_url))


def _its_own_alone(url: str, business: Business) -> None:
    with psycopg.connect(url.replace("sps_owner", APP_ROLE)) as app:
        app.execute("SELECT set_config('app.tenant_id', %s, true)", (str(business.tenant),))
        assert app.execute("SELECT count(*), count(DISTINCT tenant_id) FROM events").fetchone() == (17, 1)
        assert app.execute("SELECT count(*), count(DISTINCT tenant_id) FROM messages").fetchone() == (18, 1)


def _wait_for(server: OldServer, rounds: int) -> None:
    until = time.monotonic() + 20
    while server.rounds < rounds and not server.failures and time.monotonic() < until:
        time.sleep(0.02)
    assert server.failures == []
    assert server.rounds >= rounds
