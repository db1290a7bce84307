"""What goes over all of a business's or a customer's rows reaches every partition, and the one for what has no other."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from models.customer_erase import HARMLESS, erase_rows, lock_customer_for_erasure
from models.database import Database
from models.export_rows import json_page
from models.export_tables import exported_table
from models.purge import purge_rows
from tests.conftest import APP_ROLE
from tests.partitions.conftest import name, quarter
from tests.partitions.rows import Business, Connection, places

Connect = Callable[[str], Connection]
TABLES = ("events", "messages")
# Of a year and a half ago, of today, and of a time that has no partition yet.
QUARTERS_OF_ROWS = (-6, 0, 5)


@pytest.fixture
def everything(connected: Connect) -> Connection:
    return connected("postgres")


@pytest.fixture
async def app(cut_url: str) -> AsyncIterator[Database]:
    made = Database(cut_url.replace("sps_owner", APP_ROLE), pool_size=2)
    yield made
    await made.close()


@pytest.fixture
def spread(everything: Connection) -> Business:
    """A business whose rows lie in three places, beside another's."""
    made = []
    for _ in range(2):
        made.append(Business(everything))
        for number in QUARTERS_OF_ROWS:
            for _ in range(2):
                made[-1].event(quarter(number) + timedelta(days=1))
                made[-1].message(quarter(number) + timedelta(days=1))
    return made[0]


def spread_over(table: str, rows: int) -> dict[str, int]:
    return {name(table, -6): rows, name(table, 0): rows, f"{table}_default": rows}


async def test_a_purge_reaches_every_partition_in_steps(
    everything: Connection, app: Database, spread: Business
) -> None:
    for table in TABLES:
        assert places(everything, table) == spread_over(table, 4)
    everything.execute(
        "UPDATE tenants SET status = 'CANCELLED', purge_started_at = now() WHERE id = %s", (spread.tenant,)
    )
    for table in TABLES:
        gone: list[int] = []
        while not gone or gone[-1]:
            async with app.tenant(spread.tenant) as session:
                gone.append(await purge_rows(session, spread.tenant, table, 3))
        assert gone == [3, 3, 0]
        # The other's rows, at the same places within their partitions, are all there.
        assert places(everything, table) == spread_over(table, 2)
        left = everything.execute(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", (spread.tenant,))  # noqa: S608
        assert left.fetchone() == (0,)


async def test_an_erasure_reaches_every_partition(everything: Connection, app: Database, spread: Business) -> None:
    async with app.tenant(spread.tenant) as session:
        customer = await lock_customer_for_erasure(session, spread.tenant, spread.customer)
        assert customer is not None
        await erase_rows(session, customer, [spread.appointment])
    assert "notes" not in HARMLESS
    told = "SELECT count(*) FROM {} WHERE {} AND tenant_id {} %s"
    of_events = "(actor = 'Carla Cruz' OR changes::text LIKE '%%bell%%')"
    of_messages = "(recipient <> '' OR body <> '')"
    for table, tells in (("events", of_events), ("messages", of_messages)):
        mine = everything.execute(told.format(table, tells, "=").encode(), (spread.tenant,)).fetchone()
        other = everything.execute(told.format(table, tells, "<>").encode(), (spread.tenant,)).fetchone()
        assert (mine, other) == ((0,), (6,)), table
        assert places(everything, table) == spread_over(table, 4)


@pytest.mark.parametrize("size", [2, 100])
async def test_an_export_reads_every_partition_once(app: Database, spread: Business, size: int) -> None:
    for table in TABLES:
        exported, after = exported_table(table), None
        read: list[str] = []
        while True:
            async with app.tenant(spread.tenant) as session:
                page = await json_page(session, spread.tenant, exported, after, size)
            read += page.rows
            if (after := page.after) is None:
                break
        assert len(read) == len(set(read)) == 6
