"""Buying a plan at Stripe: once, whatever breaks between."""

import asyncio

from domain.ids import Prefix, encode
from tests.billing.payer import Payer
from tests.standins.stripe import CUT, DO, DOWN


async def test_from_trial_to_a_paid_plan(payer: Payer) -> None:
    started = await payer.start("PRO", idempotencyKey="buy")
    assert started["userErrors"] == []
    session = next(iter(payer.stripe.sessions.values()))
    assert started["url"] == session["url"]
    tenant = encode(Prefix.TENANT, payer.tenant_id)
    assert session["client_reference_id"] == tenant
    assert session["subscription_data"]["metadata"] == {"tenant_id": tenant, "plan_code": "PRO"}
    # What is left of the trial is kept, and nothing is due before its end.
    account = payer.sql("SELECT trial_ends_at FROM billing_accounts")[0]
    assert int(session["subscription_data"]["trial_end"]) == int(account["trial_ends_at"].timestamp())
    customer = payer.stripe.customers[session["customer"]]
    assert (customer["name"], customer["email"]) == (payer.world.name, payer.world.email)
    assert (await payer.billing())["status"] == "TRIALING"

    payer.stripe.complete(session["id"])
    assert set(await payer.tell(payer.stripe.events)) == {200}
    billing = await payer.billing()
    assert (billing["status"], billing["plan"]["code"], billing["plan"]["technicianLimit"]) == ("TRIALING", "PRO", 15)


async def test_after_the_trial_the_first_invoice_is_paid_at_once(payer: Payer) -> None:
    await payer.start("PRO")
    await payer.end_trial()
    await payer.subscribe("PRO")
    billing = await payer.billing()
    assert (billing["status"], billing["plan"]["code"]) == ("ACTIVE", "PRO")
    (invoice,) = billing["invoices"]["nodes"]
    assert (invoice["status"], invoice["total"]) == ("PAID", {"amount": "149.00", "currency": "USD"})
    assert invoice["url"].startswith("https://invoice.stripe.test/")
    again = await payer.world.api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Invoice { number } } }", id=invoice["id"]
    )
    assert again["node"]["number"] == invoice["number"]


async def test_an_answer_that_is_lost_makes_no_second_customer_and_no_second_checkout(payer: Payer) -> None:
    cut = {"POST /v1/customers", "POST /v1/checkout/sessions"}

    def once(method: str, path: str) -> str:
        if f"{method} {path}" in cut:
            cut.remove(f"{method} {path}")
            return CUT
        return DO

    payer.stripe.behave = once
    assert (await payer.start("PRO"))["userErrors"] == []
    assert len(payer.stripe.customers) == len(payer.stripe.sessions) == 1
    assert len(payer.stripe.calls("POST", "/v1/customers")) == 2


async def test_a_crash_before_the_answer_is_written_repeats_the_call_with_the_same_key(payer: Payer) -> None:
    first = await payer.start("PRO", idempotencyKey="buy")
    payer.sql("UPDATE billing_requests SET url = NULL")
    payer.sql("UPDATE billing_accounts SET customer_id = NULL")
    assert await payer.start("PRO", idempotencyKey="buy") == first
    assert len(payer.stripe.customers) == len(payer.stripe.sessions) == 1
    keys = [key for method, path, _, key in payer.stripe.requests if path == "/v1/checkout/sessions"]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_two_at_once_are_one(payer: Payer) -> None:
    answers = await asyncio.gather(*(payer.start("PRO", idempotencyKey="buy") for _ in range(6)))
    assert len({each["url"] for each in answers}) == 1
    assert len(payer.stripe.customers) == len(payer.stripe.sessions) == 1


async def test_while_stripe_is_down_nothing_changes_and_the_same_call_succeeds_later(payer: Payer) -> None:
    payer.stripe.behave = lambda _method, _path: DOWN
    refused = await payer.start("PRO", idempotencyKey="buy")
    assert refused["url"] is None
    assert [each["code"] for each in refused["userErrors"]] == ["BUSY"]
    portal = await payer.world.api.ask("mutation { billingPortalOpen { url userErrors { code } } }")
    assert portal["billingPortalOpen"] == {"url": None, "userErrors": [{"code": "BUSY"}]}
    assert (await payer.billing())["status"] == "TRIALING"
    payer.stripe.behave = lambda _method, _path: DO
    assert (await payer.start("PRO", idempotencyKey="buy"))["userErrors"] == []
    assert len(payer.stripe.customers) == 1


async def test_a_refusal_of_stripe_is_not_shown_to_callers(payer: Payer) -> None:
    payer.stripe.customers.clear()
    await payer.start("PRO")
    payer.stripe.customers.clear()
    answer = (await payer.world.api.post("mutation { billingPortalOpen { url userErrors { code } } }")).json()
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "stripe" not in str(answer).lower()


async def test_a_running_subscription_is_changed_and_not_bought_twice(payer: Payer) -> None:
    subscription = await payer.subscribe("PRO")
    same = await payer.start("PRO")
    assert [(each["code"], each["path"]) for each in same["userErrors"]] == [("INVALID_INPUT", ["input", "planCode"])]
    other = await payer.start("SCALE")
    assert other["url"].startswith("https://billing.stripe.test/")
    assert len(payer.stripe.sessions) == 1
    flow = payer.stripe.portals[-1]["flow_data"]["subscription_update_confirm"]
    price = next(each for each in payer.stripe.prices.values() if each["lookup_key"] == "sps_scale_monthly")
    item = payer.stripe.subscriptions[subscription]["items"]["data"][0]["id"]
    assert (flow["subscription"], flow["items"]) == (
        subscription,
        [{"id": item, "price": price["id"], "quantity": "1"}],
    )
    payer.stripe.switch(subscription, "sps_scale_monthly")
    await payer.tell(payer.stripe.events[-1:])
    assert (await payer.billing())["plan"]["code"] == "SCALE"


async def test_the_portal_opens_for_a_business_in_its_trial(payer: Payer) -> None:
    portal = await payer.world.api.ask("mutation { billingPortalOpen { url userErrors { code } } }")
    assert portal["billingPortalOpen"]["url"].startswith("https://billing.stripe.test/")
    (asked,) = payer.stripe.portals
    assert asked["return_url"] == f"{payer.service.origin}/board"


async def test_a_price_of_another_amount_is_not_sold(payer: Payer) -> None:
    payer.stripe.prices["price_old"] = {
        "id": "price_old", "object": "price", "lookup_key": "sps_pro_monthly", "unit_amount": 9_900, "currency": "usd",
        "active": True,
    }  # fmt: skip
    await payer.start("PRO")
    (session,) = payer.stripe.sessions.values()
    assert payer.stripe.prices[session["line_items"][0]["price"]]["unit_amount"] == 14_900
