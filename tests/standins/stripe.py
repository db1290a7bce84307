"""What there is at a stand-in for Stripe: what billing uses of its API, its idempotency, and the events of its own life."""

import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

KEY, SECRET = "sk_test_standin", "whsec_standin"
MONTH = 30 * 86_400
CARD = {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031, "fingerprint": "Xt5EWLLDS7FJjR1c"}
# How a request can be treated: done and answered; refused; done, and the connection cut before the answer.
DO, DOWN, CUT = "do", "503", "cut"
Json = dict[str, Any]


class Refusal(Exception):
    """An error answer of the API."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": {"type": type_, "message": message}}


@dataclass
class StripeStandIn:
    """What there is at "Stripe", what has been asked, and how it is to behave.

    `behave` is called with method and path of each request and says how to treat it. `clock` is Stripe's own time, in
    seconds since 1970. `events` are all that have happened, in order; sending them is the test's business.
    """

    customers: dict[str, Json] = field(default_factory=dict)
    prices: dict[str, Json] = field(default_factory=dict)
    sessions: dict[str, Json] = field(default_factory=dict)
    portals: list[Json] = field(default_factory=list)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    invoices: dict[str, Json] = field(default_factory=dict)
    meters: dict[str, Json] = field(default_factory=dict)
    readings: dict[str, Json] = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    requests: list[tuple[str, str, Json, str | None]] = field(default_factory=list)
    behave: Callable[[str, str], str] = lambda _method, _path: DO
    clock: int = field(default_factory=lambda: int(time.time()))
    base_url: str = ""
    _answers: dict[str, tuple[str, int, Json]] = field(default_factory=dict)
    # Ids differ over all stand-ins: those of one test process share a database.
    _run: str = field(default_factory=lambda: secrets.token_hex(4))
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def settings(self) -> Json:
        """Settings that point the real client here."""
        return {"stripe_secret_key": KEY, "stripe_webhook_secret": SECRET, "stripe_api_base": self.base_url}

    def calls(self, method: str, path: str) -> list[Json]:
        """The parameters of the requests of that kind."""
        return [params for verb, where, params, _ in self.requests if (verb, where) == (method, path)]

    # --- the API ------------------------------------------------------------------------------------------------

    def handle(self, method: str, path: str, params: Json, key: str | None) -> tuple[int, Json]:
        """Answer a request; one with a key that was seen is answered as it was then."""
        with self._lock:
            self.requests.append((method, path, params, key))
            asked = json.dumps([method, path, params], sort_keys=True)
            if key is not None and key in self._answers:
                before, status, answer = self._answers[key]
                if before != asked:
                    return 400, Refusal(400, "idempotency_error", "Keys for idempotent requests ...").body
                return status, answer
            try:
                status, answer = 200, self._do(method, path, params)
            except Refusal as refused:
                status, answer = refused.status, refused.body
            if key is not None:
                self._answers[key] = (asked, status, deepcopy(answer))
            return status, deepcopy(answer)

    def _do(self, method: str, path: str, params: Json) -> Json:
        match method, *path.removeprefix("/v1/").split("/"):
            case "POST", "customers":
                made = {"object": "customer", "name": None, "email": None, "metadata": {}, **params}
                return self._keep(self.customers, "cus", made, "customer.created")
            case "POST", "customers", id_:
                return self._update(self.customers, id_, params, "customer.updated")
            case "GET", "prices":
                wanted = params.get("lookup_keys", [])
                return self._list([each for each in self.prices.values() if each["lookup_key"] in wanted])
            case "POST", "prices":
                price = {**params, "unit_amount": int(params["unit_amount"])}
                return self._keep(self.prices, "price", {"object": "price", **price}, "price.created")
            case "POST", "checkout", "sessions":
                return self._checkout(params)
            case "POST", "billing_portal", "sessions":
                self._known(self.customers, params["customer"])
                portal = {"object": "billing_portal.session", "id": self._id("bps"), **params}
                self.portals.append(portal)
                return {**portal, "url": f"https://billing.stripe.test/{portal['id']}"}
            case "GET", "subscriptions":
                return self._list([s for s in self.subscriptions.values() if s["customer"] == params["customer"]])
            case "POST", "subscriptions", id_:
                change = {"cancel_at_period_end": params["cancel_at_period_end"] == "true"}
                return self._update(self.subscriptions, id_, change, "customer.subscription.updated")
            case "DELETE", "subscriptions", id_:
                return self.cancel(id_)
            case "GET", "invoices":
                return self._list([i for i in self.invoices.values() if i["customer"] == params["customer"]])
            case "GET", "billing", "meters":
                return self._list(list(self.meters.values()))
            case "POST", "billing", "meters":
                return self._keep(self.meters, "mtr", {"object": "billing.meter", **params}, None)
            case "POST", "billing", "meter_events":
                return self._reading(params)
        raise Refusal(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")

    def _checkout(self, params: Json) -> Json:
        self._known(self.customers, params["customer"])
        for item in params["line_items"]:
            self._known(self.prices, item["price"])
        session = {"object": "checkout.session", "status": "open", "payment_status": "unpaid", **params}
        made = self._keep(self.sessions, "cs", session, None)
        self.sessions[made["id"]]["url"] = f"https://checkout.stripe.test/{made['id']}"
        return self.sessions[made["id"]]

    def _reading(self, params: Json) -> Json:
        self._known(self.customers, params["payload"]["stripe_customer_id"])
        if params["event_name"] not in {each["event_name"] for each in self.meters.values()}:
            raise Refusal(400, "invalid_request_error", "No meter found.")
        if abs(int(params["timestamp"]) - self.clock) > 35 * 86_400:
            raise Refusal(400, "invalid_request_error", "The timestamp is too far away.")
        # One identifier is one reading.
        return self.readings.setdefault(params["identifier"], {"object": "billing.meter_event", **params})

    # --- what happens there by itself -----------------------------------------------------------------------------

    def complete(self, session_id: str) -> str:
        """The owner pays the checkout (or begins the trial that it goes on with): the subscription's id."""
        session = self.sessions[session_id]
        extra = session["subscription_data"]
        trial_end = int(extra["trial_end"]) if "trial_end" in extra else None
        end = trial_end or self.clock + MONTH
        price = self.prices[session["line_items"][0]["price"]]
        subscription = {
            "object": "subscription", "status": "incomplete", "customer": session["customer"],
            "cancel_at_period_end": False, "start_date": self.clock, "ended_at": None, "trial_end": trial_end,
            "metadata": extra["metadata"], "cancellation_details": {"reason": None, "comment": "Sofia Secret was rude"},
            "items": {"object": "list", "data": [self._item(price, self.clock, end)]},
        }  # fmt: skip
        made = self._keep(self.subscriptions, "sub", subscription, "customer.subscription.created")
        id_ = str(made["id"])
        if trial_end is None:
            self._invoice(id_, paid=True)
        self._update(self.subscriptions, id_, {"status": "trialing" if trial_end else "active"},
                     "customer.subscription.updated")  # fmt: skip
        done = {
            "status": "complete",
            "subscription": id_,
            "payment_status": "no_payment_required" if trial_end else "paid",
        }
        details = {"customer_details": {"name": "Sofia Secret", "email": "sofia@secret.test", "phone": "+15125559999"}}
        self._update(self.sessions, session_id, done | details, "checkout.session.completed")
        return id_

    def renew(self, id_: str, *, paid: bool = True) -> str:
        """The next period begins; its invoice is paid, or cannot be collected: the invoice's id."""
        self._period(id_, status="active")
        invoice = self._invoice(id_, paid=paid)
        if not paid:
            self._update(self.subscriptions, id_, {"status": "past_due"}, "customer.subscription.updated")
        return invoice

    def pay(self, id_: str, invoice_id: str) -> None:
        """An invoice that was open is paid after all."""
        self._paid(invoice_id)
        self._update(self.subscriptions, id_, {"status": "active"}, "customer.subscription.updated")

    def switch(self, id_: str, lookup_key: str) -> None:
        """The owner confirms another plan in the portal."""
        price = next(each for each in self.prices.values() if each["lookup_key"] == lookup_key)
        items = deepcopy(self.subscriptions[id_]["items"])
        items["data"][0]["price"] = price
        self._update(self.subscriptions, id_, {"items": items}, "customer.subscription.updated")

    def cancel(self, id_: str, reason: str = "cancellation_requested") -> Json:
        """The subscription ends now."""
        change = {"status": "canceled", "ended_at": self.clock, "cancellation_details": {"reason": reason}}
        return self._update(self.subscriptions, id_, change, "customer.subscription.deleted")

    def event(self, type_: str, subject: Json) -> Json:
        """Something happened."""
        made = {
            "id": self._id("evt"), "object": "event", "type": type_, "created": self.clock, "livemode": False,
            "api_version": "2026-10-28.endive", "data": {"object": deepcopy(subject)},
        }  # fmt: skip
        self.events.append(made)
        return made

    def _invoice(self, id_: str, *, paid: bool) -> str:
        subscription = self.subscriptions[id_]
        item = subscription["items"]["data"][0]
        invoice = {
            "object": "invoice", "status": "draft", "number": None, "total": item["price"]["unit_amount"],
            "currency": "usd", "customer": subscription["customer"], "attempted": False, "hosted_invoice_url": None,
            "customer_name": "Sofia Secret", "customer_email": "sofia@secret.test",
            "customer_address": {"line1": "1 Secret Street"}, "status_transitions": {},
            "period_start": item["current_period_start"], "period_end": item["current_period_end"],
            "parent": {"type": "subscription_details",
                       "subscription_details": {"subscription": id_, "metadata": subscription["metadata"]}},
        }  # fmt: skip
        made = self._keep(self.invoices, "in", invoice, "invoice.created")
        invoice_id = str(made["id"])
        final = {"status": "open", "number": f"SPS-{invoice_id[3:]}", "status_transitions": {"finalized_at": self.clock},
                 "hosted_invoice_url": f"https://invoice.stripe.test/{invoice_id}"}  # fmt: skip
        self._update(self.invoices, invoice_id, final, "invoice.finalized")
        if paid:
            self._paid(invoice_id)
        else:
            self._update(self.invoices, invoice_id, {"attempted": True}, "invoice.payment_failed")
        return invoice_id

    def _paid(self, invoice_id: str) -> None:
        moments = {**self.invoices[invoice_id]["status_transitions"], "paid_at": self.clock}
        change = {"status": "paid", "attempted": True, "status_transitions": moments}
        self._update(self.invoices, invoice_id, change, "invoice.paid")
        charge = {"object": "charge", "id": self._id("ch"), "status": "succeeded",
                  "customer": self.invoices[invoice_id]["customer"], "payment_method_details": {"card": CARD},
                  "billing_details": {"name": "Sofia Secret", "email": "sofia@secret.test"}}  # fmt: skip
        self.event("charge.succeeded", charge)

    def _period(self, id_: str, status: str) -> None:
        items = deepcopy(self.subscriptions[id_]["items"])
        start = items["data"][0]["current_period_end"]
        items["data"][0] |= {"current_period_start": start, "current_period_end": start + MONTH}
        self._update(self.subscriptions, id_, {"items": items, "status": status}, "customer.subscription.updated")

    def _item(self, price: Json, start: int, end: int) -> Json:
        return {"id": self._id("si"), "object": "subscription_item", "price": price,
                "current_period_start": start, "current_period_end": end}  # fmt: skip

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._run}{next(self._numbers):06}"

    def _keep(self, where: dict[str, Json], prefix: str, made: Json, event: str | None) -> Json:
        made = {**made, "id": self._id(prefix), "created": self.clock, "livemode": False}
        where[str(made["id"])] = made
        if event:
            self.event(event, made)
        return made

    def _update(self, where: dict[str, Json], id_: str, change: Json, event: str) -> Json:
        self._known(where, id_)
        where[id_] |= change
        self.event(event, where[id_])
        return where[id_]

    def _known(self, where: dict[str, Json], id_: str) -> None:
        if id_ not in where:
            raise Refusal(404, "invalid_request_error", f"No such object: '{id_}'")

    def _list(self, found: list[Json]) -> Json:
        return {"object": "list", "data": deepcopy(found), "has_more": False, "url": "/v1/list"}
