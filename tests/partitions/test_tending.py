"""Partitions are there before their rows, nobody reads one by its name, and what is dropped is what is older than is kept."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.conftest import APP_ROLE
from tests.partitions.conftest import QUARTERS, name, quarter
from tests.partitions.rows import Business, Connection, partitions, places

Connect = Callable[[str], Connection]
TABLES = ("events", "messages")


def tend(connection: Connection, table: str, kept: int = 0) -> tuple[str | None, str | None, int]:
    row = connection.execute("SELECT done, partition, astray FROM tend_partitions(%s, %s)", (table, kept)).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def tend_all(connection: Connection, table: str, kept: int = 0) -> list[str | None]:
    """Tend until nothing is left to do, and tell what was made and dropped."""
    done = []
    while (step := tend(connection, table, kept))[0] in ("made", "dropped"):
        done.append(step[1])
    return done


@pytest.mark.parametrize("table", TABLES)
def test_three_months_are_made_ahead_and_no_more(connected: Connect, table: str) -> None:
    owner, app = connected("sps_owner"), connected(APP_ROLE)
    for number in (0, 1):
        owner.execute(f"DROP TABLE {name(table, number)}")
    made = tend_all(app, table)
    assert made[:2] == [name(table, 0), name(table, 1)]
    newest = owner.execute("SELECT max(ends_at) FROM partitions_of(%s)", (table,)).fetchone()
    assert newest is not None
    assert timedelta(days=89) <= newest[0] - datetime.now(UTC) <= timedelta(days=190)
    assert tend_all(app, table) == []


@pytest.mark.parametrize("table", TABLES)
def test_what_has_no_partition_is_kept_reported_and_moved_into_the_one_that_comes(
    connected: Connect, table: str
) -> None:
    owner, app, everything = connected("sps_owner"), connected(APP_ROLE), connected("postgres")
    owner.execute(f"DROP TABLE {name(table, 1)}")
    business = Business(everything)
    (business.event if table == "events" else business.message)(quarter(1) + timedelta(days=1))
    assert places(everything, table) == {f"{table}_default": 1}
    assert set(app.execute("SELECT * FROM rows_astray()")) == {(each, int(each == table)) for each in TABLES}
    assert tend(app, table) == ("made", name(table, 1), 1)
    assert places(everything, table) == {name(table, 1): 1}
    assert tend(app, table)[2] == 0


def test_rows_land_in_the_partition_of_their_time(connected: Connect) -> None:
    everything = connected("postgres")
    business = Business(everything)
    for number in (-3, 0):
        business.event(quarter(number))
        business.message(quarter(number))
        business.event(quarter(number + 1) - timedelta(milliseconds=1))
        business.message(quarter(number + 1) - timedelta(milliseconds=1))
    for table in TABLES:
        assert places(everything, table) == {name(table, -3): 2, name(table, 0): 2}


def test_a_message_is_looked_for_in_one_partition(connected: Connect) -> None:
    everything, app = connected("postgres"), connected(APP_ROLE)
    business = Business(everything)
    identity = business.message(quarter(-2) + timedelta(days=3))
    with app.transaction():
        app.execute("SELECT set_config('app.tenant_id', %s, true)", (str(business.tenant),))
        statement = f"EXPLAIN SELECT * FROM messages WHERE tenant_id = '{business.tenant}' AND id = '{identity}'"  # noqa: S608
        plan = "\n".join(row[0] for row in app.execute(statement).fetchall())
    touched = [each for each in partitions(everything, "messages") if f" on {each}" in plan]
    assert touched == [name("messages", -2)]


@pytest.mark.parametrize("table", TABLES)
def test_the_apps_role_reaches_no_partition_by_its_name(connected: Connect, table: str) -> None:
    everything, app = connected("postgres"), connected(APP_ROLE)
    # Whatever an operator has made the default, and for partitions that come as for those that are there.
    everything.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE sps_owner GRANT ALL ON TABLES TO {APP_ROLE}")
    everything.execute(f"DROP TABLE {name(table, 1)}")
    assert tend_all(app, table)[0] == name(table, 1)
    for each in partitions(everything, table):
        for statement in (f"SELECT FROM {each}", f"INSERT INTO {each} DEFAULT VALUES", f"DELETE FROM {each}"):  # noqa: S608
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"UPDATE {each} SET tenant_id = NULL")  # noqa: S608
        # And the owner, who has rights, sees no tenant's rows there: the policy is forced.
        forced = everything.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = %s", (each,)).fetchone()
        assert forced == (True,)
    for function in ("add_partition('events', now(), now())", "hide_partition('events_default')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"SELECT {function}")


@pytest.mark.parametrize("table", TABLES)
def test_only_what_is_older_than_is_kept_is_dropped(connected: Connect, table: str) -> None:
    everything, app = connected("postgres"), connected(APP_ROLE)
    before = partitions(everything, table)
    assert tend_all(app, table, 0) == []
    assert partitions(everything, table) == before
    dropped = tend_all(app, table, 13)
    bound = everything.execute("SELECT now() - interval '13 months'").fetchone()
    assert bound is not None
    expected = [name(table, back) for back in range(-QUARTERS, 0) if quarter(back + 1) <= bound[0]]
    assert dropped == expected != []
    assert partitions(everything, table) == [each for each in before if each not in expected]
    gone = everything.execute("SELECT count(*) FROM pg_class WHERE relname = ANY (%s)", (expected,)).fetchone()
    assert gone == (0,)


@pytest.mark.parametrize("kept", [1, 12, -1, None])
def test_the_app_cannot_take_away_what_is_younger_than_the_least(connected: Connect, kept: int | None) -> None:
    app = connected(APP_ROLE)
    for table in TABLES:
        with pytest.raises(psycopg.errors.RaiseException, match="at least 13 months"):
            app.execute("SELECT tend_partitions(%s, %s)", (table, kept))
    with pytest.raises(psycopg.errors.RaiseException, match="no partitioned table"):
        app.execute("SELECT tend_partitions('customers', 13)")


@pytest.mark.parametrize(
    ("state", "sent_days_ago"),
    [("QUEUED", 700), ("SENDING", 700), ("DELIVERED", 30)],
    ids=["queued", "sending", "late"],
)
def test_a_message_that_is_not_over_keeps_its_partition(connected: Connect, state: str, sent_days_ago: int) -> None:
    everything, app = connected("postgres"), connected(APP_ROLE)
    business = Business(everything)
    sent_at = datetime.now(UTC) - timedelta(days=sent_days_ago)
    identity = business.message(quarter(-QUARTERS) + timedelta(days=1), state, sent_at)
    assert tend_all(app, "messages", 13)[0] == name("messages", 1 - QUARTERS)
    assert name("messages", -QUARTERS) in partitions(everything, "messages")
    everything.execute(
        "UPDATE messages SET state = 'DELIVERED', sent_at = now() - interval '400 days' WHERE id = %s", (identity,)
    )
    assert tend_all(app, "messages", 13) == [name("messages", -QUARTERS)]


def test_two_at_once_do_it_once(connected: Connect) -> None:
    owner, app, other = connected("sps_owner"), connected(APP_ROLE), connected(APP_ROLE)
    owner.execute(f"DROP TABLE {name('events', 1)}")
    with app.transaction():
        assert tend(app, "events")[0] == "made"
        assert tend(other, "events")[0] == "elsewhere"
        assert tend(other, "messages")[0] != "elsewhere"
    assert tend_all(other, "events") == []


@pytest.mark.parametrize("table", TABLES)
def test_nobody_waits_behind_one_that_waits(connected: Connect, table: str) -> None:
    everything, app, reader = connected("postgres"), connected(APP_ROLE), connected(APP_ROLE)
    app.execute("SET statement_timeout = '5s'")
    with reader.transaction():
        reader.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        began = time.monotonic()
        assert tend(app, table, 13)[0] == "busy"
        assert time.monotonic() - began < 1.5
    assert name(table, -QUARTERS) in partitions(everything, table)
    assert tend(app, table, 13) == ("dropped", name(table, -QUARTERS), 0)
