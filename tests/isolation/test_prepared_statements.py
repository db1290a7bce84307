"""The setting for poolers that know no prepared statements: it reaches every connection, by whichever way it is used."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from models.database import Database
from models.tenant import counter_value
from settings import Settings
from tests.process import ROOT


async def kept(database: Database) -> int:
    """How many statements PostgreSQL keeps for the pool's one connection, after each way to use it was used often."""
    for _ in range(10):
        async with database.tenant(uuid4()) as session:
            await counter_value(session, "events")
            await session.execute(text("SELECT 1"))
        await database.ask("SELECT * FROM look_up_api_key(%s)", "nobody's")
    async with database.anonymous() as session:
        return int((await session.execute(text("SELECT count(*) FROM pg_prepared_statements"))).scalar_one())


@pytest.mark.parametrize("on", [True, False])
async def test_the_setting_reaches_every_way_to_the_database(database_url: str, on: bool) -> None:
    database = Database.of(Settings(database_url=database_url, prepared_statements=on), pool_size=1)
    try:
        assert (await kept(database) > 0) is on
    finally:
        await database.close()


def test_no_process_makes_a_pool_without_the_settings() -> None:
    """`Database.of` cannot forget one of them, `Database(…)` can."""
    found = [
        str(path.relative_to(ROOT))
        for folder in ("web", "workers", "resolvers", "subscriptions", "auth", "integrations", "permissions", "schema")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bDatabase\(", path.read_text())
    ]
    assert found == []
