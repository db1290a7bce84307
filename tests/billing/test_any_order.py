"""Whatever order events come in, and however often: the same end."""

import random
from collections.abc import Sequence

import pytest

from tests.billing.payer import Payer
from tests.standins.stripe import Json
from tests.standins.stripe_http import signed

DAY = 86_400


async def a_whole_life(payer: Payer) -> list[Json]:
    """Bought, renewed, unpaid, paid, changed, unpaid for good and ended; bought again: all events in their order."""
    stripe = payer.stripe
    stripe.clock -= 150 * DAY
    await payer.start("SCALE")
    await payer.end_trial()
    await payer.start("PRO")
    later = list(stripe.sessions)[-1]
    first = await payer.subscribe("STARTER", tell=False)
    stripe.clock += 30 * DAY
    stripe.renew(first)
    stripe.clock += 30 * DAY
    unpaid = stripe.renew(first, paid=False)
    stripe.clock += 3 * DAY
    # Two reports of one second, as Stripe often has them.
    stripe.pay(first, unpaid)
    stripe.clock += 1
    stripe.switch(first, "sps_pro_monthly")
    stripe.clock += 27 * DAY
    stripe.renew(first, paid=False)
    stripe.clock += 20 * DAY
    stripe.cancel(first)
    stripe.clock += 2 * DAY
    second = stripe.complete(later)
    stripe.clock += 30 * DAY
    stripe.renew(second)
    return list(stripe.events)


def latest_wins(events: Sequence[Json]) -> dict[str, Json]:
    """What an eager reader does: each event overwrites what the one before it said."""
    known: dict[str, Json] = {}
    for event in events:
        subject = event["data"]["object"]
        known[str(subject.get("id"))] = {"status": subject.get("status"), "items": subject.get("items")}
    return known


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 20))])
async def test_five_times_each_and_shuffled(payer: Payer, seed: int) -> None:
    events = await a_whole_life(payer)
    assert len(events) > 25
    empty = payer.state()
    await payer.storm(events, seed)
    shuffled = payer.state()
    assert len(shuffled["subscriptions"]) == 2
    assert [each["state"] for each in shuffled["subscriptions"]] == ["canceled", "active"]
    assert shuffled["tenant"][0]["status"] == "ACTIVE"
    assert {each["status"] for each in shuffled["records"]} == {"PAID", "OPEN"}
    assert all((payer.kept(event["id"]) or {}).get("done_at") for event in events)

    forget(payer)
    assert payer.state() == empty
    assert set(await payer.tell(events)) == {200}
    assert payer.state() == shuffled


async def test_an_eager_reader_fails_this(payer: Payer) -> None:
    events = await a_whole_life(payer)
    mixed = list(events)
    random.Random(1).shuffle(mixed)
    assert latest_wins(mixed) != latest_wins(events)


@pytest.mark.parametrize("seed", range(3))
async def test_each_beginning_of_a_life_is_right_in_any_order(payer: Payer, seed: int) -> None:
    """Not the end alone: whatever has happened so far, its events lead to one state."""
    events = await a_whole_life(payer)
    length = random.Random(seed).randrange(5, len(events))
    await payer.storm(events[:length], seed, times=2)
    shuffled = payer.state()
    forget(payer)
    await payer.tell(events[:length])
    assert payer.state() == shuffled


async def test_two_reports_of_one_second_that_disagree_are_settled_by_asking(payer: Payer) -> None:
    subscription = await payer.subscribe("PRO")
    one = payer.stripe.event("customer.subscription.updated", payer.stripe.subscriptions[subscription])
    other = payer.stripe.event(
        "customer.subscription.updated", payer.stripe.subscriptions[subscription] | {"status": "past_due"}
    )
    await payer.storm([one, other], seed=3)
    (account,) = payer.sql("SELECT unsure FROM billing_accounts")
    assert account["unsure"]


async def test_an_event_that_was_seen_is_not_done_again(payer: Payer) -> None:
    events = await a_whole_life(payer)
    await payer.tell(events)
    before = payer.owner_sql("SELECT sum(attempts) AS attempts FROM stripe_events")
    await payer.storm(events[:10], seed=7, times=3)
    assert payer.owner_sql("SELECT sum(attempts) AS attempts FROM stripe_events") == before
    body, headers = signed(events[0])
    assert (await payer.post(body, headers)).json() == {"received": True}


def forget(payer: Payer) -> None:
    """Put the business back to where none of the events had come."""
    payer.owner_sql("DELETE FROM stripe_events")
    for table in ("billing_subscriptions", "billing_records"):
        payer.owner_sql(f"DELETE FROM {table} WHERE tenant_id = %s", payer.tenant_id)  # noqa: S608
    payer.sql("UPDATE billing_accounts SET cancelled_at = NULL, ended_at = NULL, reopened_at = NULL")
    payer.sql(
        "UPDATE tenants SET status = 'TRIALING', cancelled_at = NULL, purge_after = NULL, status_before = NULL,"
        " read_only_from = NULL"
    )
