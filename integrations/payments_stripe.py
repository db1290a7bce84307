"""Payments by Stripe: its own client, pointed at STRIPE_API_BASE where that is set. No card ever passes here."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import httpx
import stripe
import structlog

from domain.billing import PLANS, Plan
from domain.pricing import CURRENCY
from integrations.payments import Checkout, PlanChange, Reading, Rejected, Unavailable
from models.billing_usage import METERS
from settings import Settings

T = TypeVar("T")
log = structlog.get_logger("stripe")
# Two attempts of a call fit into the time of an operation; the key makes the second one harmless.
TIMEOUT_S, RETRIES, DEADLINE_S = 4.0, 1, 8.5
MOST_LISTED = 500
_CURRENCY = CURRENCY.lower()


class _Http(stripe.HTTPClient):
    """Its way to the network: httpx without blocking, a time-out for each attempt, and connections that can be closed."""

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._httpx = httpx.AsyncClient(timeout=TIMEOUT_S)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Make a request, once."""
        try:
            answer = await self._httpx.request(method, url, headers=headers, content=post_data)
        except httpx.HTTPError as error:
            failure: Any = stripe.APIConnectionError
            raise failure(type(error).__name__, should_retry=True) from error
        return answer.content, answer.status_code, answer.headers

    def sleep_async(self, secs: float) -> Awaitable[None]:
        """Wait before another attempt."""
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """Let go of connections."""
        await self._httpx.aclose()


class StripePayments:
    """See `Payments`. Prices and meters that the account lacks are made when they are first needed."""

    bills = True

    def __init__(self, settings: Settings) -> None:
        if settings.stripe_secret_key is None:
            raise ValueError("STRIPE_SECRET_KEY is not set")
        stripe.enable_telemetry = False
        self._http = _Http()
        base = settings.stripe_api_base
        self._client = stripe.StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            base_addresses={"api": base.rstrip("/")} if base else None,
            http_client=self._http,
            max_network_retries=RETRIES,
        )
        self._v1: Any = self._client.v1
        self._prices: dict[str, str] = {}
        self._meters_known = False

    async def open_customer(self, key: str, tenant_id: str) -> str:
        """See `Payments`. Nothing but our id is sent, so that a repeated call is the same call."""
        params = {"metadata": {"tenant_id": tenant_id}}
        made = await _call(self._v1.customers.create_async(params, _options(key)))
        return str(made.id)

    async def describe_customer(self, customer_id: str, name: str, email: str) -> None:
        """See `Payments`."""
        await _call(self._v1.customers.update_async(customer_id, {"name": name, "email": email}))

    async def start_checkout(self, checkout: Checkout) -> str:
        """See `Payments`."""
        carried = {"tenant_id": checkout.tenant_id, "plan_code": checkout.plan.code}
        subscription: dict[str, Any] = {"metadata": carried}
        if checkout.trial_end is not None:
            subscription["trial_end"] = int(checkout.trial_end.timestamp())
        params = {
            "mode": "subscription",
            "customer": checkout.customer_id,
            "client_reference_id": checkout.tenant_id,
            "line_items": [{"price": await self._price(checkout.plan), "quantity": 1}],
            "success_url": f"{checkout.return_url}?plan={checkout.plan.code}",
            "cancel_url": checkout.return_url,
            "metadata": carried,
            "subscription_data": subscription,
        }
        made = await _call(self._v1.checkout.sessions.create_async(params, _options(checkout.key)))
        return str(made.url)

    async def change_plan(self, change: PlanChange) -> str:
        """See `Payments`; the portal's page for one change."""
        params = {
            "customer": change.customer_id,
            "return_url": change.return_url,
            "flow_data": {
                "type": "subscription_update_confirm",
                "subscription_update_confirm": {
                    "subscription": change.subscription_id,
                    "items": [{"id": change.item_id, "price": await self._price(change.plan), "quantity": 1}],
                },
            },
        }
        made = await _call(self._v1.billing_portal.sessions.create_async(params, _options(change.key)))
        return str(made.url)

    async def open_portal(self, key: str, customer_id: str, return_url: str) -> str:
        """See `Payments`."""
        params = {"customer": customer_id, "return_url": return_url}
        made = await _call(self._v1.billing_portal.sessions.create_async(params, _options(key)))
        return str(made.url)

    async def end_later(self, key: str, subscription_id: str, *, end: bool) -> None:
        """See `Payments`."""
        params = {"cancel_at_period_end": end}
        await _call(self._v1.subscriptions.update_async(subscription_id, params, _options(key)))

    async def end_now(self, key: str, subscription_id: str) -> None:
        """See `Payments`."""
        await _call(self._v1.subscriptions.cancel_async(subscription_id, {}, _options(key)))

    async def report(self, reading: Reading) -> None:
        """See `Payments`; https://docs.stripe.com/api/billing/meter-event/create."""
        if not self._meters_known:
            await self._make_meters()
        params = {
            "event_name": f"sps_{reading.meter}",
            "identifier": str(reading.identifier),
            "timestamp": int(reading.read_at.timestamp()),
            "payload": {"stripe_customer_id": reading.customer_id, "value": str(reading.value)},
        }
        await _call(self._v1.billing.meter_events.create_async(params, _options(f"meter-{reading.identifier}")))

    async def subscriptions(self, customer_id: str) -> Sequence[Mapping[str, Any]]:
        """See `Payments`."""
        params = {"customer": customer_id, "status": "all", "limit": 100}
        return await _listed(self._v1.subscriptions.list_async(params))

    async def invoices(self, customer_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """See `Payments`."""
        params = {"customer": customer_id, "created": {"gte": int(since.timestamp())}, "limit": 100}
        return await _listed(self._v1.invoices.list_async(params))

    async def close(self) -> None:
        """See `Payments`."""
        await self._http.close_async()

    async def _price(self, plan: Plan) -> str:
        if plan.code not in self._prices:
            keys = [each.lookup_key for each in PLANS.values()]
            found = await _call(self._v1.prices.list_async({"lookup_keys": keys, "active": True, "limit": 100}))
            cents = {each.lookup_key: int(each.price * 100) for each in PLANS.values()}
            names = {each.lookup_key: each.code for each in PLANS.values()}
            # A price of another amount is one that somebody changed there and not here: nobody is to pay what we do not show.
            self._prices |= {
                names[each.lookup_key]: str(each.id)
                for each in found.data
                if cents.get(each.lookup_key) == each.unit_amount and each.currency == _CURRENCY
            }
        if plan.code not in self._prices:
            self._prices[plan.code] = await self._make_price(plan)
        return self._prices[plan.code]

    async def _make_price(self, plan: Plan) -> str:
        cents = int(plan.price * 100)
        params = {
            "currency": _CURRENCY,
            "unit_amount": cents,
            "recurring": {"interval": "month"},
            "lookup_key": plan.lookup_key,
            "transfer_lookup_key": True,
            "metadata": {"plan_code": plan.code},
            "product_data": {"name": plan.name, "metadata": {"plan_code": plan.code}},
        }
        made = await _call(self._v1.prices.create_async(params, _options(f"price-{plan.lookup_key}-{cents}")))
        return str(made.id)

    async def _make_meters(self) -> None:
        try:
            found = await _call(self._v1.billing.meters.list_async({"status": "active", "limit": 100}))
            there = {str(each.event_name) for each in found.data}
            for meter in METERS:
                if f"sps_{meter}" not in there:
                    params = {
                        "display_name": f"Service Pro Stream: {meter}",
                        "event_name": f"sps_{meter}",
                        "default_aggregation": {"formula": "last"},
                        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
                        "value_settings": {"event_payload_key": "value"},
                    }
                    await _call(self._v1.billing.meters.create_async(params, _options(f"meter-sps_{meter}")))
        except Rejected as error:
            # A restricted key may report without being allowed to make meters: then they were made by hand.
            log.warning("meters not looked up", error=str(error))
        self._meters_known = True


def _options(key: str) -> dict[str, str]:
    return {"idempotency_key": f"sps-{key}"}


async def _listed(first: Awaitable[Any]) -> list[Mapping[str, Any]]:
    """All objects of a list, as plain values; so many that there must be a mistake are not read to the end."""
    page = await _call(first)
    found: list[Mapping[str, Any]] = []
    while True:
        found += [each.to_dict(for_json=True) for each in page.data]
        if not page.has_more or not page.data:
            return found
        if len(found) >= MOST_LISTED:
            raise Rejected(f"Stripe lists more than {MOST_LISTED} objects of one customer")
        page = await _call(page.next_page_async())


async def _call(answer: Awaitable[T]) -> T:
    """Wait for Stripe, no longer than anybody would, and say what its errors mean.

    Raises:
        Unavailable: try again. Rejected: do not.
    """
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await answer
    except TimeoutError:
        raise Unavailable("Stripe did not answer in time") from None
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unavailable(f"Stripe cannot be reached ({type(error).__name__})") from None
    except stripe.StripeError as error:
        # Its messages may quote what was sent; the code and the request's id are enough to find it there.
        text = f"Stripe answered {error.http_status} {error.code or type(error).__name__} ({error.request_id or '-'})"
        if (error.http_status or 500) >= 500 or error.http_status in {409, 429}:
            raise Unavailable(text) from None
        raise Rejected(text) from None
