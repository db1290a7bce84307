"""Seeding: once, as a whole or not at all, also by two processes at the same time."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from models.database import Database
from models.demo import be_patient
from models.look_up import look_up_log_in
from models.tenant_session import LOCK_TIMEOUT_MS
from models.user import User
from resolvers.demo import DEMO_EMAIL, DEMO_PASSWORD, DemoSeeded, seed
from tests.demo.conftest import NOW, MakeDatabase, as_demo, number, opened, run_seed


def test_seeding_again_changes_nothing(seeded_url: str) -> None:
    before = fingerprint(seeded_url)
    assert len(before) > 20
    again = run_seed(seeded_url, now=NOW + timedelta(days=3))
    assert again == DemoSeeded(DEMO_EMAIL, DEMO_PASSWORD, created=False)
    assert fingerprint(seeded_url) == before


def fingerprint(url: str) -> dict[str, dict[str, Any]]:
    """Number and hash of the rows of all tables that the app may read; log-ins aside, which other tests make."""
    with as_demo(url) as ask:
        tables = ask(
            "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND relname <> 'sessions' AND has_table_privilege(oid, 'SELECT')"
        )
        whole = "SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
        return {table["name"]: ask(whole.format(table["name"]))[0] for table in tables}


def test_a_crash_in_the_middle_leaves_nothing_and_the_next_try_makes_all(make_database: MakeDatabase) -> None:
    url = make_database()
    seen: list[int] = []

    def crash(done: int, total: int) -> None:
        seen.append(done)
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_seed(url, on_progress=crash)
    assert seen[-1] > 0
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM look_up_log_in(%s)", [DEMO_EMAIL]).fetchone() == (0,)
    reports: list[tuple[int, int]] = []
    assert run_seed(url, on_progress=lambda done, total: reports.append((done, total))).created
    assert reports == sorted(reports)
    assert reports[-1][0] == reports[-1][1]


def test_two_processes_at_once_make_one_business(make_database: MakeDatabase) -> None:
    url = make_database()
    others: list[DemoSeeded] = []
    other = threading.Thread(target=lambda: others.append(run_seed(url)))

    def start_the_other(done: int, total: int) -> None:
        # The first half is written: the other one gets as far as it can, and waits for longer than others may.
        if done > total // 2 and other.ident is None:
            other.start()
            with psycopg.connect(url, autocommit=True) as connection:
                until(lambda: connection.execute(WAITING).fetchone() == (1,))

    assert run_seed(url, on_progress=start_the_other).created
    other.join()
    assert [seeded.created for seeded in others] == [False]
    with as_demo(url) as ask:
        assert number(ask, "SELECT count(*) FROM users") == 6


WAITING = f"""
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND clock_timestamp() - query_start > interval '{LOCK_TIMEOUT_MS + 100} ms'
"""  # noqa: S608 (a constant)


def until(condition: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        tick.wait(0.02)
    raise AssertionError("it did not come to that")


async def test_the_seed_alone_waits_for_a_minute(database: Database) -> None:
    limits = text("SELECT current_setting('lock_timeout'), current_setting('statement_timeout')")
    async with database.anonymous() as session:
        await be_patient(session)
        assert tuple((await session.execute(limits)).one()) == ("1min", "1min")
    async with database.anonymous() as session:
        assert tuple((await session.execute(limits)).one()) == ("1800ms", "5s")


async def test_a_naive_moment_is_refused_and_nothing_is_written(make_database: MakeDatabase) -> None:
    async with opened(make_database()) as database:
        with pytest.raises(ValueError, match="time zone"):
            await seed(database, now=NOW.replace(tzinfo=None))
        assert (await seed(database, now=NOW)).created


@pytest.mark.parametrize("name", ["owner", "admin", "dispatcher", "technician", "viewer"])
async def test_its_users_log_in(seeded_url: str, name: str) -> None:
    async with opened(seeded_url) as database:
        async with database.anonymous() as session:
            found = await look_up_log_in(session, f"{name}@demo.example")
        assert found
        assert found.password_hash
        assert PasswordHasher().verify(found.password_hash, DEMO_PASSWORD)
        async with database.tenant(found.tenant_id) as session:
            user = await session.get_one(User, (found.tenant_id, found.user_id))
        assert user.role == name.upper()
        # A technician's log-in sees the appointments of its own technician: without one, none.
        assert (user.technician_id is not None) == (name == "technician")
