"""What a crash, a lost webhook or a silent provider leaves undone, the sweep does."""

import signal
import threading
import time

import httpx

from integrations.payments import Payments
from models.billing import lock_account
from models.database import Database
from models.stripe_event import keep_event
from resolvers.billing_event import attempt, read_event
from resolvers.billing_sweep import look_after, sweep
from tests.billing.payer import Payer
from tests.process import free_port, process, wait_until_ready
from tests.service import TLS
from tests.standins.stripe import DO, DOWN, Json
from tests.standins.stripe_http import signed

DAY = 86_400


async def keep(database: Database, event: Json, lease: float = 0.0) -> None:
    """Keep an event, and die before it is done."""
    kept = read_event(event)
    async with database.anonymous() as session:
        await keep_event(session, kept.id, kept.type, kept.created, kept.customer_id, kept.body, lease)


async def test_what_was_kept_and_not_done_is_done_by_the_sweep(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await payer.subscribe("PRO", tell=False)
    for event in payer.stripe.events:
        await keep(database, event)
    assert (await payer.billing())["plan"]["code"] == "SCALE"
    await sweep(database, payments)
    assert (await payer.billing())["plan"]["code"] == "PRO"
    assert all((payer.kept(event["id"]) or {})["done_at"] for event in payer.stripe.events)


async def test_what_another_has_in_hand_is_left_to_it(payer: Payer, database: Database, payments: Payments) -> None:
    await payer.subscribe("PRO", tell=False)
    for event in payer.stripe.events:
        await keep(database, event, lease=60)
    await sweep(database, payments)
    assert not any((payer.kept(event["id"]) or {})["done_at"] for event in payer.stripe.events)


async def test_a_server_that_is_killed_in_a_storm_of_events_has_lost_none(
    payer: Payer, database: Database, database_url: str, payments: Payments
) -> None:
    """Every event that was answered is kept; Stripe sends the others again; the sweep does what was left."""
    stripe = payer.stripe
    stripe.clock -= 100 * DAY
    await payer.start("PRO")
    await payer.end_trial()
    subscription = await payer.subscribe("PRO", tell=False)
    for _ in range(3):
        stripe.clock += 30 * DAY
        unpaid = stripe.renew(subscription, paid=False)
        stripe.pay(subscription, unpaid)
    port = free_port()
    answered: list[str] = []
    environment = {
        "DATABASE_URL": database_url, "SPS_PORT": str(port), "STRIPE_SECRET_KEY": "sk_test_standin",
        "STRIPE_WEBHOOK_SECRET": "whsec_standin", "STRIPE_API_BASE": stripe.base_url,
    }  # fmt: skip
    with process("serve", **environment) as server:
        wait_until_ready(port)

        def send(events: list[Json]) -> None:
            with httpx.Client(verify=TLS) as http:
                for event in events:
                    body, headers = signed(event)
                    try:
                        answer = http.post(f"http://127.0.0.1:{port}/webhooks/stripe", content=body, headers=headers)
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        answered.append(event["id"])
                    if len(answered) >= len(stripe.events) // 2:
                        server.send_signal(signal.SIGKILL)

        senders = [threading.Thread(target=send, args=(stripe.events[number::4],)) for number in range(4)]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        server.wait()
    assert len(stripe.events) // 2 <= len(answered) < len(stripe.events)
    assert all(payer.kept(event_id) for event_id in answered)
    payer.owner_sql("UPDATE stripe_events SET next_attempt_at = now() WHERE done_at IS NULL")
    await payer.tell([event for event in stripe.events if event["id"] not in answered])
    await sweep(database, payments)
    billing = await payer.billing()
    assert (billing["status"], billing["plan"]["code"]) == ("ACTIVE", "PRO")
    assert [each["status"] for each in billing["invoices"]["nodes"]] == ["PAID"] * 4
    assert all((payer.kept(event["id"]) or {})["done_at"] for event in stripe.events)


async def test_webhooks_that_never_came_are_made_up_for_by_asking(
    payer: Payer, database: Database, payments: Payments
) -> None:
    payer.stripe.clock -= 2 * DAY
    await payer.start("PRO")
    await payer.end_trial()
    await payer.subscribe("PRO", tell=False)
    await look_after(database, payments, payer.tenant_id)
    billing = await payer.billing()
    assert (billing["status"], billing["plan"]["code"]) == ("ACTIVE", "PRO")
    assert [each["status"] for each in billing["invoices"]["nodes"]] == ["PAID"]
    # And the events, when they come after all, change nothing.
    before = payer.state()
    await payer.storm(payer.stripe.events, seed=5, times=2)
    assert payer.state() == before


async def test_asking_again_does_not_begin_the_grace_again(
    payer: Payer, database: Database, payments: Payments
) -> None:
    payer.stripe.clock -= 40 * DAY
    await payer.start("PRO")
    await payer.end_trial()
    subscription = await payer.subscribe("PRO")
    payer.stripe.clock += 30 * DAY
    payer.stripe.renew(subscription, paid=False)
    await look_after(database, payments, payer.tenant_id)
    (due,) = payer.sql("SELECT status, read_only_from FROM tenants")
    assert due["status"] == "PAST_DUE"
    assert abs(due["read_only_from"].timestamp() - payer.stripe.clock - 14 * DAY) < 5
    # Without an invoice that tells since when: since it was seen for the first time.
    payer.owner_sql("DELETE FROM billing_records WHERE tenant_id = %s", payer.tenant_id)
    payer.stripe.invoices.clear()
    payer.sql("UPDATE billing_subscriptions SET observed_at = '2026-01-05T00:00:00Z'")
    payer.sql("UPDATE billing_accounts SET asked_at = NULL")
    await look_after(database, payments, payer.tenant_id)
    (due,) = payer.sql("SELECT read_only_from FROM tenants")
    assert due["read_only_from"].isoformat() == "2026-01-19T00:00:00+00:00"


async def test_an_event_that_meets_a_lock_is_answered_and_done_later(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await payer.subscribe("PRO", tell=False)
    event = next(each for each in payer.stripe.events if each["type"] == "customer.subscription.updated")
    async with database.tenant(payer.tenant_id) as holder:
        await lock_account(holder, payer.tenant_id, bills=True)
        assert await payer.tell([event]) == [200]
    row = payer.owner_sql(
        "SELECT done_at, extract(epoch FROM next_attempt_at - received_at)::int AS lease FROM stripe_events WHERE id = %s",
        event["id"],
    )
    # Whoever took it has it in hand for a while: the sweep must not begin beside it.
    assert row == [{"done_at": None, "lease": 30}]
    payer.owner_sql("UPDATE stripe_events SET next_attempt_at = now() WHERE id = %s", event["id"])
    await sweep(database, payments)
    assert (payer.kept(event["id"]) or {})["outcome"] == "APPLIED"


async def test_a_second_process_with_the_same_event_in_hand_does_not_do_it_again(
    payer: Payer, database: Database
) -> None:
    await payer.subscribe("PRO")
    event = next(each for each in payer.stripe.events if each["type"] == "customer.subscription.updated")
    payer.owner_sql("DELETE FROM billing_subscriptions WHERE tenant_id = %s", payer.tenant_id)
    await attempt(database, read_event(event), billed=True)
    assert payer.sql("SELECT 1 FROM billing_subscriptions") == []


async def test_what_two_events_of_one_second_leave_open_stripe_is_asked(
    payer: Payer, database: Database, payments: Payments
) -> None:
    payer.stripe.clock = int(time.time()) - 120
    subscription = await payer.subscribe("PRO")
    now = payer.stripe.subscriptions[subscription]
    events = [
        payer.stripe.event("customer.subscription.updated", now),
        payer.stripe.event("customer.subscription.updated", now | {"status": "past_due"}),
    ]
    await payer.tell(events)
    assert (await payer.billing())["status"] == "PAST_DUE"
    await look_after(database, payments, payer.tenant_id)
    assert (await payer.billing())["status"] == "TRIALING"
    assert payer.sql("SELECT unsure FROM billing_accounts") == [{"unsure": False}]


async def test_while_stripe_is_down_the_others_are_looked_after_and_nothing_is_forgotten(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await payer.subscribe("PRO")
    payer.stripe.behave = lambda _method, _path: DOWN
    payer.sql("UPDATE billing_accounts SET next_check_at = now(), asked_at = NULL")
    await sweep(database, payments)
    assert (await payer.billing())["plan"]["code"] == "PRO"
    payer.stripe.behave = lambda _method, _path: DO
    payer.sql("UPDATE billing_accounts SET next_check_at = now()")
    await sweep(database, payments)
    (account,) = payer.sql("SELECT asked_at FROM billing_accounts")
    assert account["asked_at"] is not None


async def test_an_event_of_nobody_waits_and_is_then_left_as_it_is(
    payer: Payer, database: Database, payments: Payments
) -> None:
    event = payer.stripe.event("invoice.paid", {"object": "invoice", "id": "in_1", "customer": "cus_who", "status": "paid",
                                                "total": 100})  # fmt: skip
    await payer.tell([event])
    row = payer.kept(event["id"]) or {}
    assert (row["done_at"], row["attempts"], row["failure"]) == (None, 1, "its customer is not known here")
    payer.owner_sql("UPDATE stripe_events SET attempts = 30, next_attempt_at = now() WHERE id = %s", event["id"])
    await sweep(database, payments)
    assert (payer.kept(event["id"]) or {})["outcome"] == "UNMATCHED"


async def test_a_business_that_was_there_before_billing_gets_its_account(
    payer: Payer, database: Database, payments: Payments
) -> None:
    payer.owner_sql("DELETE FROM billing_accounts WHERE tenant_id = %s", payer.tenant_id)
    await sweep(database, payments)
    (account,) = payer.sql("SELECT trial_ends_at - began_at AS trial FROM billing_accounts")
    assert account["trial"].days == 14


async def test_when_payments_are_configured_nobody_is_unpaid_at_once(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await look_after(database, payments, payer.tenant_id)
    payer.sql(
        "UPDATE billing_accounts SET billed = false, local_plan = 'PRO', trial_ends_at = now() - interval '1 year'"
    )
    await look_after(database, payments, payer.tenant_id)
    (account,) = payer.sql("SELECT trial_ends_at - now() AS rest FROM billing_accounts")
    assert account["rest"].days == 13
    assert (await payer.billing())["status"] == "TRIALING"
