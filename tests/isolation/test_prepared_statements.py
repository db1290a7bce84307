"""The setting for poolers that know no prepared statements: it reaches every connection, by whichever way it is used."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from models.database import Database
from models.tenant import counter_value
from settings import Settings
from tests.process import ROOT
from tests.service import running_service
from tests.world import new_world


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


@pytest.mark.parametrize("on", [True, False])
async def test_changes_are_the_same_with_and_without(database_url: str, on: bool) -> None:
    """Often enough that statements are kept, and with refusals between: their rollback makes psycopg forget what it keeps."""
    async with running_service(database_url, prepared_statements=on) as service, new_world(service) as world:
        visit = await world.book("2027-03-02T15:00:00Z", "2027-03-02T16:00:00Z", technicianId=world.technician)
        payload = "appointment { version } userErrors { code }"
        for number in range(8):
            change = {"appointmentId": visit["id"], "expectedVersion": 1 + 3 * number}
            window = {"start": "2027-03-03T15:00:00Z", "end": f"2027-03-03T16:0{number}:00Z"}
            made = [
                await world.api.do("appointmentSchedule", payload, scheduled=window, **change),
                await world.api.do("appointmentSchedule", payload, scheduled=window, **change),
                await world.api.do("appointmentMarkOnTheWay", payload, appointmentId=visit["id"]),
                await world.api.do("appointmentReopen", payload, appointmentId=visit["id"]),
            ]
            codes = [[error["code"] for error in each["userErrors"]] for each in made]
            assert codes == [[], ["VERSION_CONFLICT"], [], []]
            assert [each["appointment"]["version"] - 3 * number for each in made] == [2, 2, 3, 4]


def test_no_process_makes_a_pool_without_the_settings() -> None:
    """`Database.of` cannot forget one of them, `Database(…)` can."""
    found = [
        str(path.relative_to(ROOT))
        for folder in ("web", "workers", "resolvers", "subscriptions", "auth", "integrations", "permissions", "schema")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\bDatabase\(", path.read_text())
    ]
    assert found == []
