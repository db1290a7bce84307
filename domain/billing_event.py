"""What Stripe's events tell, cut down to what is used: no name, no address and nothing of a card is kept of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.billing import PLANS, Subscription, SubscriptionState

JsonObject = Mapping[str, Any]
# What remains of any object, also of those of types that nobody here knows.
_COMMON = ("id", "object", "status", "created", "customer", "client_reference_id", "livemode")
_KEPT: Mapping[str, tuple[str, ...]] = {
    "subscription": (
        "start_date", "ended_at", "canceled_at", "cancel_at_period_end", "trial_end",
        "current_period_start", "current_period_end",
    ),
    "invoice": (
        "number", "total", "currency", "subscription", "hosted_invoice_url", "period_start", "period_end",
        "attempted", "due_date",
    ),
    "checkout.session": ("mode", "payment_status", "subscription"),
}  # fmt: skip
INVOICE_RANKS = {"draft": 0, "open": 1, "uncollectible": 2, "void": 3, "paid": 4}
_SUBSCRIPTION_RANKS = {"customer.subscription.created": 1, "customer.subscription.deleted": 3}
# Beyond every event: what Stripe says when it is asked.
ASKED = 9
MODESTY = timedelta(seconds=60)
_TENANT_KEY = "tenant_id"


class Unreadable(ValueError):
    """An event that lacks what every event of its type has."""


@dataclass(frozen=True, slots=True)
class Version:
    """Which of two reports of one object is the later one. Events of one second are ordered by what they tell."""

    at: int
    rank: int
    event_id: str


@dataclass(frozen=True, slots=True)
class SubscriptionReport:
    """A subscription as one event, or Stripe's answer, shows it."""

    version: Version
    subscription: Subscription
    item_id: str | None
    cancel_at_period_end: bool


@dataclass(frozen=True, slots=True)
class InvoiceReport:
    """An invoice likewise. Its states only ever go forward, so they order its reports."""

    version: Version
    provider_id: str
    subscription_id: str | None
    number: str | None
    status: str
    total: Decimal
    currency: str
    issued_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    paid_at: datetime | None
    failed_at: datetime | None
    url: str | None


def reduced(data: JsonObject) -> dict[str, Any]:
    """The parts of an event's object that are used; texts are cut, so that nothing else can hide in them."""
    kind = str(data.get("object", ""))
    kept: dict[str, Any] = {name: _plain(data.get(name)) for name in (*_COMMON, *_KEPT.get(kind, ()))}
    kept["customer"] = _id(data.get("customer"))
    kept["metadata"] = {
        name: _plain(value)
        for source in (data.get("metadata"), *_parents(data))
        if isinstance(source, Mapping)
        for name, value in source.items()
        if name in {_TENANT_KEY, "plan_code"}
    }
    if kind == "subscription":
        kept["item"] = _item(data)
        details = data.get("cancellation_details")
        kept["ended_because"] = _plain(details.get("reason")) if isinstance(details, Mapping) else None
    if kind == "invoice":
        kept["subscription"] = _id(data.get("subscription")) or _parent_subscription(data)
        moments = data.get("status_transitions")
        kept["moments"] = {
            name: _plain(moments.get(name)) if isinstance(moments, Mapping) else None
            for name in ("finalized_at", "paid_at")
        }
    if kind == "checkout.session":
        kept["subscription"] = _id(data.get("subscription"))
    return {name: value for name, value in kept.items() if value not in (None, {})}


def customer_of(kept: JsonObject) -> str | None:
    """Stripe's id of the customer that the object is, or belongs to."""
    found = kept.get("id") if kept.get("object") == "customer" else kept.get("customer")
    return found if isinstance(found, str) else None


def tenant_of(kept: JsonObject) -> str | None:
    """The business's id that we have Stripe carry along with what belongs to it."""
    found = kept.get("metadata", {}).get(_TENANT_KEY) or kept.get("client_reference_id")
    return found if isinstance(found, str) else None


def subscription_report(event_type: str, event_id: str, created: int, kept: JsonObject) -> SubscriptionReport:
    """What an event of a subscription says.

    Raises:
        Unreadable: it has no id, or a state that Stripe does not document.
    """
    item: JsonObject = kept.get("item", {})
    state = _state(kept)
    started = _instant(kept.get("start_date")) or _instant(kept.get("created")) or _at(created)
    return SubscriptionReport(
        version=Version(created, _SUBSCRIPTION_RANKS.get(event_type, 2), event_id),
        subscription=Subscription(
            id=_text(kept, "id"),
            state=state,
            plan_code=_plan_code(item, kept),
            period_start=_instant(item.get("current_period_start") or kept.get("current_period_start")),
            period_end=_instant(item.get("current_period_end") or kept.get("current_period_end")),
            started_at=started,
            ended_at=_instant(kept.get("ended_at")) if state is SubscriptionState.CANCELED else None,
            ended_unpaid=kept.get("ended_because") == "payment_failed",
            observed_at=_at(created),
        ),
        item_id=item.get("id"),
        cancel_at_period_end=bool(kept.get("cancel_at_period_end")),
    )


def asked_subscription(asked_at: datetime, kept: JsonObject) -> SubscriptionReport:
    """What Stripe answers about a subscription: it counts more than any event, but for those of the last minute.

    Args:
        asked_at: our time right before it was asked.

    Raises:
        Unreadable: see `subscription_report`.
    """
    moment = modest(asked_at)
    return replace(
        subscription_report("", "", moment, kept), version=Version(moment, ASKED, f"{asked_at.timestamp():020.6f}")
    )


def modest(asked_at: datetime) -> int:
    """The second up to which an answer is taken to be newer than all events: our clock may be ahead of Stripe's."""
    return int((asked_at - MODESTY).timestamp())


def checkout_report(event_id: str, created: int, kept: JsonObject) -> SubscriptionReport | None:
    """What a completed checkout says of the subscription that came of it: less than any event of that subscription."""
    subscription_id = kept.get("subscription")
    if kept.get("payment_status") not in {"paid", "no_payment_required"} or not isinstance(subscription_id, str):
        return None
    return SubscriptionReport(
        version=Version(0, 0, event_id),
        subscription=Subscription(
            id=subscription_id,
            state=SubscriptionState.ACTIVE,
            plan_code=_plan_code({}, kept),
            period_start=_at(created),
            period_end=None,
            started_at=_at(created),
            ended_at=None,
            ended_unpaid=False,
            observed_at=_at(created),
        ),
        item_id=None,
        cancel_at_period_end=False,
    )


def invoice_report(event_type: str, event_id: str, created: int, kept: JsonObject) -> InvoiceReport:
    """What an event of an invoice says; amounts come in cents.

    Raises:
        Unreadable: it has no id, or no state or total that Stripe documents.
    """
    status, total = kept.get("status") or "draft", kept.get("total")
    if status not in INVOICE_RANKS or not isinstance(total, int):
        raise Unreadable("an invoice without a known status and total")
    moments: JsonObject = kept.get("moments", {})
    issued = _instant(moments.get("finalized_at")) or _instant(kept.get("created")) or _at(created)
    failed = _at(created) if event_type == "invoice.payment_failed" else None
    if failed is None and status == "open" and kept.get("attempted") is True:
        failed = issued
    return InvoiceReport(
        version=Version(created, INVOICE_RANKS[status], event_id),
        provider_id=_text(kept, "id"),
        subscription_id=kept.get("subscription"),
        number=kept.get("number"),
        status=status.upper(),
        total=Decimal(total) / 100,
        currency=str(kept.get("currency", "usd")).upper(),
        issued_at=issued,
        period_start=_instant(kept.get("period_start")),
        period_end=_instant(kept.get("period_end")),
        paid_at=_instant(moments.get("paid_at")) or (_at(created) if status == "paid" else None),
        failed_at=failed,
        url=kept.get("hosted_invoice_url"),
    )


def _parents(data: JsonObject) -> list[object]:
    """Where an invoice carries the metadata of its subscription; the place has moved between versions of the API."""
    parent = data.get("parent")
    inner = parent.get("subscription_details") if isinstance(parent, Mapping) else None
    return [each.get("metadata") for each in (data.get("subscription_details"), inner) if isinstance(each, Mapping)]


def _parent_subscription(data: JsonObject) -> str | None:
    parent = data.get("parent")
    details = parent.get("subscription_details") if isinstance(parent, Mapping) else None
    return _id(details.get("subscription")) if isinstance(details, Mapping) else None


def _item(data: JsonObject) -> dict[str, Any]:
    """The item that is the plan: others meter usage."""
    items = data.get("items")
    listed = items.get("data") if isinstance(items, Mapping) else None
    found: dict[str, Any] = {}
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, Mapping):
            continue
        price = each.get("price")
        metadata = price.get("metadata") if isinstance(price, Mapping) else None
        named = {
            "id": _plain(each.get("id")),
            "lookup_key": _plain(price.get("lookup_key")) if isinstance(price, Mapping) else None,
            "plan_code": _plain(metadata.get("plan_code")) if isinstance(metadata, Mapping) else None,
            "current_period_start": _plain(each.get("current_period_start")),
            "current_period_end": _plain(each.get("current_period_end")),
        }
        if not found or _plan_code(named, {}):
            found = {name: value for name, value in named.items() if value is not None}
            if _plan_code(named, {}):
                break
    return found


_BY_LOOKUP_KEY = {plan.lookup_key: code for code, plan in PLANS.items()}


def _plan_code(item: JsonObject, kept: JsonObject) -> str | None:
    found = (
        _BY_LOOKUP_KEY.get(str(item.get("lookup_key")))
        or item.get("plan_code")
        or kept.get("metadata", {}).get("plan_code")
    )
    return found if found in PLANS else None


def _state(kept: JsonObject) -> SubscriptionState:
    try:
        return SubscriptionState(str(kept.get("status")))
    except ValueError:
        raise Unreadable("a subscription in no known state") from None


def _text(kept: JsonObject, name: str) -> str:
    found = kept.get(name)
    if not isinstance(found, str):
        raise Unreadable(f"an object without {name}")
    return found


def _instant(value: object) -> datetime | None:
    return _at(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _at(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable("a time that there is not") from None


def _id(value: object) -> str | None:
    """The id of an object that comes as its id, or expanded."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found[:255] if isinstance(found, str) else None


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value[:2_000].replace("\0", "")
    return value if isinstance(value, bool | int) else None
