"""Unpaid and ended subscriptions change what a business may do, and never what it has."""

import time
from typing import Any

import pytest

from integrations.payments import Payments
from models.database import Database
from resolvers.billing_sweep import look_after, sweep
from tests.availability.bookable import bookable_business
from tests.billing.payer import Payer, payer_of
from tests.service import Service
from tests.standins.stripe import StripeStandIn
from tests.world import PASSWORD

DAY = 86_400
RENAME = 'mutation { tenantUpdate(input: { name: "Other" }) { tenant { name } userErrors { code message } } }'
READ = "{ tenant { name status purgeAt } technicians { totalCount } customers { totalCount } }"


async def rename(payer: Payer) -> list[Any]:
    answer = await payer.world.api.ask(RENAME)
    return [each["code"] for each in answer["tenantUpdate"]["userErrors"]]


async def see(payer: Payer) -> Any:
    return await payer.world.api.ask(READ)


@pytest.fixture
async def active(payer: Payer) -> tuple[Payer, str]:
    """A business whose subscription began two months ago and has been paid since."""
    payer.stripe.clock -= 60 * DAY
    await payer.start("PRO")
    await payer.end_trial()
    subscription = await payer.subscribe("PRO", tell=False)
    payer.stripe.clock += 30 * DAY
    payer.stripe.renew(subscription)
    await payer.tell(payer.stripe.events)
    assert (await see(payer))["tenant"]["status"] == "ACTIVE"
    return payer, subscription


async def test_past_due_works_on_for_the_grace_and_then_is_read_only_until_it_is_paid(
    active: tuple[Payer, str],
) -> None:
    payer, subscription = active
    stripe = payer.stripe
    stripe.clock += 20 * DAY
    before = len(stripe.events)
    unpaid = stripe.renew(subscription, paid=False)
    await payer.tell(stripe.events[before:])
    assert (await payer.billing())["status"] == "PAST_DUE"
    assert await rename(payer) == []
    # The same, fifteen days later: nothing has to tick for the grace to end.
    payer.sql("UPDATE tenants SET read_only_from = read_only_from - interval '5 days'")
    had = await see(payer)
    assert await rename(payer) == ["PLAN_LIMIT"]
    assert await see(payer) == had
    refused = await payer.world.api.do(
        "technicianCreate", "technician { id } userErrors { code message }", name="New", locationId=payer.world.location
    )
    assert refused["userErrors"][0]["code"] == "PLAN_LIMIT"
    assert "payment" in refused["userErrors"][0]["message"]
    # The way out stays open.
    portal = await payer.world.api.ask("mutation { billingPortalOpen { url userErrors { code } } }")
    assert portal["billingPortalOpen"]["userErrors"] == []
    before = len(stripe.events)
    stripe.pay(subscription, unpaid)
    await payer.tell(stripe.events[before:])
    assert await rename(payer) == []
    assert (await payer.billing())["status"] == "ACTIVE"


async def test_a_trial_that_ends_unpaid_has_its_grace_too(payer: Payer, database: Database, payments: Payments) -> None:
    await look_after(database, payments, payer.tenant_id)
    (row,) = payer.sql("SELECT read_only_from - created_at AS after FROM tenants")
    assert row["after"].days == 28
    payer.sql("UPDATE billing_accounts SET trial_ends_at = now() - interval '1 day'")
    await look_after(database, payments, payer.tenant_id)
    assert (await see(payer))["tenant"]["status"] == "PAST_DUE"
    assert await rename(payer) == []
    payer.sql("UPDATE billing_accounts SET trial_ends_at = now() - interval '15 days'")
    await look_after(database, payments, payer.tenant_id)
    assert await rename(payer) == ["PLAN_LIMIT"]
    await payer.subscribe("PRO")
    assert await rename(payer) == []


async def test_an_ended_subscription_cancels_the_business_and_a_new_one_brings_it_back(
    active: tuple[Payer, str], database: Database, payments: Payments
) -> None:
    payer, subscription = active
    had = await see(payer)
    payer.stripe.clock += 10 * DAY
    payer.stripe.cancel(subscription)
    await payer.tell(payer.stripe.events[-1:])
    now = await see(payer)
    assert now["tenant"]["status"] == "CANCELLED"
    assert now["tenant"]["purgeAt"] is not None
    assert {**now, "tenant": None} == {**had, "tenant": None}
    assert await rename(payer) == ["TENANT_CANCELLED"]
    assert (await payer.billing())["status"] == "CANCELLED"
    assert (await payer.billing())["invoices"]["totalCount"] == 2
    # Looking again changes nothing: the clock of the purge is not wound anew.
    await look_after(database, payments, payer.tenant_id)
    assert await see(payer) == now
    await payer.subscribe("STARTER")
    assert (await see(payer))["tenant"] == {"name": had["tenant"]["name"], "status": "ACTIVE", "purgeAt": None}
    assert await rename(payer) == []


async def test_who_is_ended_for_not_paying_is_not_on_the_way_to_a_purge(active: tuple[Payer, str]) -> None:
    payer, subscription = active
    payer.stripe.renew(subscription, paid=False)
    payer.stripe.clock += 10 * DAY
    payer.stripe.cancel(subscription, reason="payment_failed")
    await payer.tell(payer.stripe.events[-4:])
    assert (await see(payer))["tenant"] == {"name": payer.world.name, "status": "PAST_DUE", "purgeAt": None}


async def test_what_the_owner_cancelled_no_event_brings_back(active: tuple[Payer, str]) -> None:
    payer, subscription = active
    close(payer)
    before = await see(payer)
    payer.stripe.renew(subscription)
    payer.stripe.switch(subscription, "sps_pro_monthly")
    assert set(await payer.tell(payer.stripe.events[-6:])) == {200}
    assert await see(payer) == before
    refused = await payer.start("SCALE")
    assert [each["code"] for each in refused["userErrors"]] == ["TENANT_CANCELLED"]


async def test_a_cancelled_account_pays_for_no_further_period_and_a_restored_one_goes_on(
    active: tuple[Payer, str], database: Database, payments: Payments
) -> None:
    payer, subscription = active
    payer.stripe.clock = int(time.time())
    close(payer)
    for _ in range(2):
        payer.sql("UPDATE billing_accounts SET next_check_at = now()")
        await look_after(database, payments, payer.tenant_id)
    assert payer.stripe.subscriptions[subscription]["cancel_at_period_end"] is True
    assert len(payer.stripe.calls("POST", f"/v1/subscriptions/{subscription}")) == 1
    await payer.tell(payer.stripe.events[-1:])
    reopen(payer)
    await look_after(database, payments, payer.tenant_id)
    assert payer.stripe.subscriptions[subscription]["cancel_at_period_end"] is False
    await payer.tell(payer.stripe.events[-1:])
    await look_after(database, payments, payer.tenant_id)
    assert (await see(payer))["tenant"]["status"] == "ACTIVE"
    assert len(payer.stripe.calls("POST", f"/v1/subscriptions/{subscription}")) == 2


async def test_restored_after_the_subscription_ended_it_has_a_grace_to_choose_a_plan(
    active: tuple[Payer, str], database: Database, payments: Payments
) -> None:
    payer, subscription = active
    close(payer)
    await look_after(database, payments, payer.tenant_id)
    payer.stripe.cancel(subscription)
    await payer.tell(payer.stripe.events[-2:])
    reopen(payer)
    await look_after(database, payments, payer.tenant_id)
    assert (await see(payer))["tenant"]["status"] == "PAST_DUE"
    assert await rename(payer) == []
    await payer.subscribe("PRO")
    assert (await see(payer))["tenant"]["status"] == "ACTIVE"


async def test_restoring_tells_at_once_that_the_subscription_has_ended(
    active: tuple[Payer, str], database: Database, payments: Payments
) -> None:
    payer, subscription = active
    api = payer.world.api
    cancelled = await api.do("accountCancel", password=PASSWORD)
    assert cancelled["userErrors"] == []
    payer.stripe.clock += DAY
    payer.stripe.cancel(subscription)
    await payer.tell(payer.stripe.events[-1:])
    restored = await api.ask("mutation { accountRestore { tenant { status } userErrors { code } } }")
    assert restored["accountRestore"] == {"tenant": {"status": "PAST_DUE"}, "userErrors": []}
    before = (await see(payer))["tenant"]["status"]
    await look_after(database, payments, payer.tenant_id)
    assert (await see(payer))["tenant"]["status"] == before == "PAST_DUE"


async def test_a_deleted_business_stops_paying_at_once(
    active: tuple[Payer, str], database: Database, payments: Payments
) -> None:
    payer, subscription = active
    close(payer)
    payer.sql("UPDATE tenants SET purge_after = now(), purge_started_at = now()")
    await sweep(database, payments)
    await look_after(database, payments, payer.tenant_id)
    assert payer.stripe.subscriptions[subscription]["status"] == "canceled"


def close(payer: Payer) -> None:
    """What `accountCancel` writes."""
    payer.sql(
        "UPDATE tenants SET status_before = status, status = 'CANCELLED', cancelled_at = now(),"
        " purge_after = now() + interval '90 days'"
    )


def reopen(payer: Payer) -> None:
    """What `accountRestore` writes."""
    payer.sql(
        "UPDATE tenants SET status = status_before, cancelled_at = NULL, purge_after = NULL, status_before = NULL"
    )


async def test_customers_of_an_unpaid_business_are_not_told_why(billed: Service, owner_url: str) -> None:
    async with bookable_business(billed) as shop:
        payer = await payer_of(shop.world, StripeStandIn(), owner_url)
        offered = await shop.offered()
        payer.sql("UPDATE tenants SET read_only_from = now() - interval '1 hour'")
        refused = await shop.book(offered[0]["token"])
        assert [each["code"] for each in refused["userErrors"]] == ["PLAN_LIMIT"]
        assert "paid" not in str(refused)
        assert "payment" not in str(refused)
        page = await shop.visitor.ask("query ($slug: String!) { bookingPortal(slug: $slug) { name } }", slug=shop.slug)
        assert page == {"bookingPortal": None}
        payer.sql("UPDATE tenants SET read_only_from = NULL")
        assert (await shop.book(offered[0]["token"]))["userErrors"] == []
