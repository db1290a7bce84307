"""Figures of usage stand for five businesses or more, and the app cannot ask for less."""

import re
from datetime import date, timedelta
from uuid import UUID

import psycopg
import pytest

from domain.ids import new_id
from models.database import Database
from models.usage import gather_usage, usage_of


def businesses(owner_url: str, number: int) -> list[UUID]:
    """So many, made as a role that sees all."""
    made = [new_id() for _ in range(number)]
    with psycopg.connect(as_superuser(owner_url)) as connection:
        for tenant in made:
            connection.execute(
                "INSERT INTO tenants (id, name, email, status) VALUES (%s, 'Counted', 'a@example.com', 'ACTIVE')",
                [tenant],
            )
    return made


def as_superuser(owner_url: str) -> str:
    return re.sub("sps_owner", "postgres", owner_url)


def uses(owner_url: str, tenant: UUID, day: date, times: int) -> None:
    """Exports of a day that no other test knows."""
    with psycopg.connect(as_superuser(owner_url)) as connection:
        for _ in range(times):
            connection.execute(
                "INSERT INTO exports (tenant_id, id, state, created_at, expires_at) VALUES (%s, %s, 'FAILED', %s, now())",
                [tenant, new_id(), f"{day}T12:00:00Z"],
            )


async def figures(database: Database, day: date) -> dict[str, int]:
    async with database.anonymous() as session:
        await gather_usage(session, day)
        return {row.feature: row.uses for row in await usage_of(session, day)}


async def test_fewer_than_five_businesses_make_no_figure(database: Database, owner_url: str) -> None:
    day = date(2019, 5, 5)
    first, *others = businesses(owner_url, 5)
    uses(owner_url, first, day, 40)
    for tenant in others[:3]:
        uses(owner_url, tenant, day, 1)
    assert await figures(database, day) == {}
    uses(owner_url, others[3], day, 1)
    assert await figures(database, day) == {"export": 44}
    assert await figures(database, day + timedelta(days=1)) == {}


async def test_counting_again_counts_anew(database: Database, owner_url: str) -> None:
    day = date(2019, 6, 6)
    for tenant in businesses(owner_url, 6):
        uses(owner_url, tenant, day, 2)
    assert await figures(database, day) == {"export": 12}
    assert await figures(database, day) == {"export": 12}


def test_the_app_can_neither_write_figures_nor_read_other_tenants(database_url: str, owner_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO usage_figures VALUES ('2019-01-01', 'x', 1)")
        assert connection.execute("SELECT count(*) FROM exports").fetchone() == (0,)
    with psycopg.connect(owner_url) as connection:
        columns = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'usage_figures'"
        ).fetchall()
    assert {name for (name,) in columns} == {"day", "feature", "uses"}
