"""Databases of these tests' own, whose partitions reach into the past."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from domain.ids import new_id
from models.migrate import upgrade
from tests.conftest import APP_ROLE
from tests.databases import as_superuser, create_database, drop_database
from tests.partitions.rows import Connection, moment

QUARTERS = 8


@pytest.fixture
def empty_url(server_url: str, worker_id: str) -> Iterator[str]:
    """A database without tables, as the role that may make some."""
    name = f"parts_{worker_id}_{os.getpid()}_{new_id().hex[-6:]}"
    create_database(server_url, name)
    yield server_url.replace("/postgres?", f"/{name}?")
    drop_database(server_url, name)


@pytest.fixture(scope="session")
def cut_template(server_url: str, worker_id: str) -> Iterator[str]:
    """The name of a migrated database that was there two years ago: a partition for each quarter since, and the next one."""
    template = f"cut_{worker_id}_{os.getpid()}"
    create_database(server_url, template)
    url = server_url.replace("/postgres?", f"/{template}?")
    upgrade(url, APP_ROLE)
    with psycopg.connect(url) as owner:
        owner.execute("SET timezone = 'UTC'")
        for table in ("events", "messages"):
            owner.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_first")
            owner.execute(f"DROP TABLE {table}_first")
            for back in range(QUARTERS, -2, -1):
                owner.execute("SELECT add_partition(%s, %s, %s)", (table, quarter(-back), quarter(1 - back)))
    yield template
    drop_database(server_url, template)


@pytest.fixture
def cut_url(server_url: str, cut_template: str) -> Iterator[str]:
    """A copy of it: migrating takes most of the time of these tests."""
    name = f"{cut_template}_{new_id().hex[-6:]}"
    create_database(server_url, name, cut_template)
    yield server_url.replace("/postgres?", f"/{name}?")
    drop_database(server_url, name)


@pytest.fixture
def connected(cut_url: str) -> Iterator[Callable[[str], Connection]]:
    """Connects to that database as a role; each statement is a transaction of its own."""
    made = []
    urls = {"sps_owner": cut_url, "postgres": as_superuser(cut_url), APP_ROLE: cut_url.replace("sps_owner", APP_ROLE)}

    def connect(role: str) -> Connection:
        made.append(psycopg.connect(urls[role], autocommit=True))
        return made[-1]

    yield connect
    for each in made:
        each.close()


def quarter(number: int) -> datetime:
    """When the quarter begins that is so many after the one of today."""
    now = datetime.now(UTC)
    quarters = now.year * 4 + (now.month - 1) // 3 + number
    return moment(quarters // 4, quarters % 4 * 3 + 1)


def name(table: str, number: int) -> str:
    """The name of that quarter's partition."""
    begins = quarter(number)
    return f"{table}_y{begins.year}q{(begins.month + 2) // 3}"
