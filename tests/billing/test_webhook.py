"""The webhook: proved, kept before it is answered, done once; whatever else comes is refused and leaves nothing behind."""

import asyncio
import json
import re
import time

import psycopg
import pytest
import stripe as stripe_library

from integrations.stripe_signature import BadSignature, verify
from tests.billing.payer import Payer
from tests.databases import as_superuser
from tests.service import running_service
from tests.standins.stripe import SECRET, StripeStandIn
from tests.standins.stripe_http import signed


async def test_forged_and_stale_ones_are_refused_and_not_kept(payer: Payer) -> None:
    event = payer.stripe.event("customer.updated", {"object": "customer", "id": "cus_x"})
    body, good = signed(event)
    now = time.time()
    _, late = signed(event, at=now - 301)
    _, early = signed(event, at=now + 301)
    _, wrong = signed(event, secret="whsec_other")
    forged = {
        "changed body": (body + b" ", good),
        "another secret": (body, wrong),
        "five minutes old": (body, late),
        "from the future": (body, early),
        "no signature": (body, {}),
        "no time": (body, {"stripe-signature": good["stripe-signature"].partition(",")[2]}),
        "no proof": (body, {"stripe-signature": f"t={int(now)}"}),
        "no number": (body, {"stripe-signature": "t=now,v1=00"}),
        "nonsense": (body, {"stripe-signature": "=,=,=;" * 300}),
        "old scheme": (body, {"stripe-signature": good["stripe-signature"].replace("v1=", "v0=")}),
    }
    for name, (content, headers) in forged.items():
        answer = await payer.post(content, headers)
        assert answer.status_code == 400, name
        assert SECRET not in answer.text
    assert payer.kept(event["id"]) is None
    assert (await payer.post(body, good)).status_code == 200
    assert payer.kept(event["id"]) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no json", b"[]", b"1", b'"event"', b"null", b"{}", b'{"id": "evt_1"}', b"\xff\xfe", b"[" * 100_000,
        b'{"id": "evt_1", "type": "invoice.paid", "created": 1}',
        b'{"id": 1, "type": "invoice.paid", "created": 1, "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": "now", "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": 99999999999999999999, "data": {"object": {}}}',
        b'{"id": "evt\\u0000", "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"id": "", "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"id": "evt_1", "type": "x", "created": 1, "data": {"object": []}}',
    ],
)  # fmt: skip
async def test_what_is_signed_but_no_event_is_refused(payer: Payer, body: bytes) -> None:
    before = payer.owner_sql("SELECT count(*) FROM stripe_events")
    answer = await payer.post(*signed(body))
    assert (answer.status_code, answer.text) == (400, "The body is no event of Stripe's.\n")
    assert payer.owner_sql("SELECT count(*) FROM stripe_events") == before


async def test_one_that_is_too_long_is_refused_unread(payer: Payer) -> None:
    assert (await payer.post(*signed(b" " * 600_000))).status_code == 413


async def test_other_methods_are_refused(payer: Payer) -> None:
    answer = await payer.world.api.http.get(f"{payer.service.origin}/webhooks/stripe")
    assert answer.status_code == 405


async def test_unknown_types_are_kept_and_change_nothing(payer: Payer) -> None:
    await payer.subscribe("PRO")
    before = payer.state()
    customer = next(iter(payer.stripe.customers))
    strange = [
        payer.stripe.event(
            "radar.early_fraud_warning.created", {"object": "radar.early_fraud_warning", "id": "issfr_1"}
        ),
        payer.stripe.event("customer.subscription.sang", {"object": "song", "id": "song_1", "customer": customer}),
        payer.stripe.event("invoice.upcoming", {"object": "invoice", "customer": customer, "total": 1}),
        payer.stripe.event("v9.thing", {}),
    ]
    assert set(await payer.tell(strange)) == {200}
    for event in strange:
        row = payer.kept(event["id"])
        assert row is not None
        assert (row["outcome"], row["type"]) == ("IGNORED", event["type"])
    assert payer.state() == before


async def test_events_that_lack_what_their_type_has_are_kept_and_marked(payer: Payer) -> None:
    await payer.subscribe("PRO")
    before = payer.state()
    customer = next(iter(payer.stripe.customers))
    broken = [
        payer.stripe.event("customer.subscription.updated", {"object": "subscription", "id": "sub_1", "customer": customer, "status": "singing"}),
        payer.stripe.event("customer.subscription.updated", {"object": "subscription", "customer": customer, "status": "active"}),
        payer.stripe.event("invoice.paid", {"object": "invoice", "id": "in_1", "customer": customer, "status": "paid", "total": "a lot"}),
        payer.stripe.event("invoice.paid", {"object": "invoice", "id": "in_1", "customer": customer, "status": "paid", "total": 1,
                                            "period_start": 10**17}),
    ]  # fmt: skip
    assert set(await payer.tell(broken)) == {200}
    assert {(payer.kept(event["id"]) or {}).get("outcome") for event in broken} == {"UNREADABLE"}
    assert payer.state() == before


async def test_another_businesss_customer_is_left_alone(payer: Payer) -> None:
    """An event that names our business, but belongs to a customer that is none of its own."""
    await payer.subscribe("PRO")
    before = payer.state()
    subscription = next(iter(payer.stripe.subscriptions.values()))
    foreign = {**subscription, "id": "sub_foreign", "customer": "cus_foreign", "status": "canceled"}
    event = payer.stripe.event("customer.subscription.deleted", foreign)
    assert await payer.tell([event]) == [200]
    assert payer.state() == before
    assert (payer.kept(event["id"]) or {})["done_at"] is None


async def test_delivered_five_times_at_once_it_is_done_once(payer: Payer) -> None:
    await payer.subscribe("PRO", tell=False)
    event = next(each for each in payer.stripe.events if each["type"] == "customer.subscription.updated")
    await payer.storm([event], seed=1, times=10, at_once=10)
    row = payer.kept(event["id"])
    assert row is not None
    assert (row["outcome"], row["attempts"]) == ("APPLIED", 1)


async def test_an_event_that_comes_before_its_customer_is_known_here_is_done_by_its_metadata(payer: Payer) -> None:
    await payer.subscribe("PRO", tell=False)
    payer.sql("UPDATE billing_accounts SET customer_id = NULL")
    await payer.tell(payer.stripe.events)
    assert payer.sql("SELECT customer_id FROM billing_accounts")[0]["customer_id"] in payer.stripe.customers
    assert (await payer.billing())["plan"]["code"] == "PRO"


async def test_nothing_of_a_card_and_no_name_is_kept(payer: Payer, owner_url: str) -> None:
    await payer.start("PRO")
    await payer.end_trial()
    await payer.subscribe("PRO", tell=False)
    assert any(each["type"] == "charge.succeeded" for each in payer.stripe.events)
    assert set(await payer.tell(payer.stripe.events)) == {200}
    with psycopg.connect(as_superuser(owner_url)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} t").fetchall()  # noqa: S608
            text = "\n".join(row[0] for row in rows)
            # The last four of the card, and not of a fraction of a second.
            for secret in (
                r"(?<![\d.])4242(?!\d)",
                "visa",
                "Xt5EWLLDS7FJjR1c",
                "Sofia",
                "sofia@secret.test",
                "1 Secret Street",
                "rude",
            ):
                if table.startswith(("stripe", "billing", "usage")):
                    assert not re.search(secret, text), (table, secret)


async def test_while_a_secret_is_exchanged_both_hold(database_url: str, stripe: StripeStandIn) -> None:
    settings = stripe.settings() | {"stripe_webhook_secret": "whsec_new, whsec_old"}
    async with running_service(database_url, **settings) as service:
        client = service.client()
        for secret, status in (("whsec_old", 200), ("whsec_new", 200), ("whsec_older", 400)):
            body, headers = signed(stripe.event("x", {"object": "y"}), secret=secret)
            answer = await client.http.post(f"{service.origin}/webhooks/stripe", content=body, headers=headers)
            assert answer.status_code == status, secret


async def test_without_a_secret_none_is_taken(database_url: str, stripe: StripeStandIn) -> None:
    async with running_service(database_url) as service:
        body, headers = signed(stripe.event("x", {"object": "y"}), secret="")
        answer = await service.client().http.post(f"{service.origin}/webhooks/stripe", content=body, headers=headers)
        assert answer.status_code == 400
        assert "STRIPE_WEBHOOK_SECRET" in answer.text


def test_signatures_are_those_of_stripes_own_library() -> None:
    body = json.dumps({"id": "evt_1", "text": "ü€"})
    now = int(time.time())
    header = stripe_library.WebhookSignature.generate_signature_header(body, SECRET, now)
    verify(body.encode(), header, SECRET, now)
    verify(body.encode(), header, SECRET, now + 300)
    with pytest.raises(BadSignature):
        verify(body.encode(), header, SECRET, now + 301)
    stripe_library.WebhookSignature.verify_header(body, signed(body.encode())[1]["stripe-signature"], SECRET, 300)


async def test_the_app_cannot_read_all_tenants_events(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute("SELECT * FROM stripe_events")


async def test_many_at_once_are_all_kept(payer: Payer) -> None:
    events = [payer.stripe.event("x", {"object": "y", "id": f"y_{number}"}) for number in range(40)]
    statuses = await asyncio.gather(*(payer.post(*signed(event)) for event in events))
    assert {each.status_code for each in statuses} == {200}
    assert all(payer.kept(event["id"]) for event in events)
