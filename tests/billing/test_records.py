"""Records of invoices stay for seven years, whatever becomes of the business, and hold nothing of what it did."""

import psycopg
import pytest

from integrations.payments import Payments
from models.database import Database
from models.purge import KEPT_AFTER_PURGE, purged_tables
from resolvers.billing_sweep import forget
from tests.billing.payer import Payer, payer_of
from tests.service import Service
from tests.standins.stripe import StripeStandIn
from tests.world import new_world

TABLES = {"billing_accounts", "billing_records", "billing_subscriptions", "usage_reports"}


async def with_invoices(payer: Payer) -> None:
    await payer.start("PRO")
    await payer.end_trial()
    subscription = await payer.subscribe("PRO")
    payer.stripe.renew(subscription)
    await payer.tell(payer.stripe.events[-5:])


def test_a_purge_leaves_them() -> None:
    assert set(KEPT_AFTER_PURGE) >= TABLES
    assert not TABLES & set(purged_tables())


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_app_cannot_delete_them(database_url: str, table: str) -> None:
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608


def test_records_hang_on_no_other_row(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'billing_records'::regclass AND contype = 'f'"
        ).fetchall()
    assert found == []


def test_their_columns_are_ids_sums_and_dates(owner_url: str) -> None:
    """A column that could hold a name, an address or a note has no place here: whoever adds one has to say so."""
    texts = {
        "billing_accounts": {"local_plan", "customer_id"},
        "billing_records": {"provider_id", "subscription_id", "number", "status", "currency", "url", "event_id"},
        "billing_subscriptions": {"id", "plan_code", "item_id", "event_id", "state"},
        "usage_reports": {"meter"},
    }
    with psycopg.connect(owner_url) as connection:
        for table, known in texts.items():
            found = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " AND atttypid IN ('text'::regtype, 'varchar'::regtype, 'jsonb'::regtype, 'bytea'::regtype)",
                (table,),
            ).fetchall()
            assert {name for (name,) in found} == known, table


async def test_after_seven_years_they_go_and_not_a_day_before(payer: Payer, database: Database) -> None:
    await with_invoices(payer)
    old, new = payer.sql("SELECT id FROM billing_records ORDER BY issued_at, id")
    payer.sql("UPDATE billing_records SET issued_at = now() - interval '7 years 1 day' WHERE id = %s", old["id"])
    payer.sql(
        "UPDATE billing_records SET issued_at = now() - interval '7 years' + interval '1 day' WHERE id = %s", new["id"]
    )
    await forget(database)
    assert payer.sql("SELECT id FROM billing_records") == [new]


async def test_what_is_known_of_a_running_subscription_never_goes(payer: Payer, database: Database) -> None:
    await with_invoices(payer)
    payer.sql("UPDATE billing_subscriptions SET observed_at = now() - interval '20 years', started_at = observed_at")
    await forget(database)
    assert len(payer.sql("SELECT 1 FROM billing_subscriptions")) == 1
    payer.sql("UPDATE tenants SET status = 'CANCELLED', cancelled_at = now() - interval '7 years 1 day'")
    await forget(database)
    # The account waits for the last record.
    assert payer.sql("SELECT 1 FROM billing_subscriptions") == []
    assert len(payer.sql("SELECT 1 FROM billing_accounts")) == 1
    payer.sql("UPDATE billing_records SET issued_at = now() - interval '8 years'")
    await forget(database)
    assert payer.sql("SELECT 1 FROM billing_accounts") == []


async def test_events_and_requests_are_kept_as_long_as_they_are_needed(payer: Payer, database: Database) -> None:
    await with_invoices(payer)
    done, waiting = payer.stripe.events[-1]["id"], payer.stripe.events[-2]["id"]
    payer.owner_sql("UPDATE stripe_events SET done_at = now() - interval '91 days' WHERE id = %s", done)
    payer.owner_sql(
        "UPDATE stripe_events SET done_at = NULL, received_at = now() - interval '1 year' WHERE id = %s", waiting
    )
    payer.sql("UPDATE billing_requests SET created_at = now() - interval '3 days'")
    await forget(database)
    assert payer.kept(done) is None
    assert payer.kept(waiting) is not None
    assert payer.sql("SELECT 1 FROM billing_requests") == []


async def test_invoices_are_pages_newest_first_and_nobody_elses(
    payer: Payer, billed: Service, stripe: StripeStandIn, owner_url: str
) -> None:
    await with_invoices(payer)
    page = "query ($after: String) { billing { invoices(first: 1, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { id number } } } }"  # fmt: skip
    first = (await payer.world.api.ask(page))["billing"]["invoices"]
    second = (await payer.world.api.ask(page, after=first["pageInfo"]["endCursor"]))["billing"]["invoices"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (
        2,
        True,
        False,
    )
    assert first["nodes"][0]["number"] > second["nodes"][0]["number"]
    async with new_world(billed) as world:
        other = await payer_of(world, stripe, owner_url)
        assert (await other.billing())["invoices"]["totalCount"] == 0
        found = await world.api.ask("query ($id: ID!) { node(id: $id) { id } }", id=first["nodes"][0]["id"])
        assert found == {"node": None}


async def test_the_real_client_reads_what_the_stand_in_lists(payer: Payer, payments: Payments) -> None:
    await with_invoices(payer)
    customer = next(iter(payer.stripe.customers))
    assert [each["status"] for each in await payments.subscriptions(customer)] == ["active"]
