"""Payments: what a provider can do, which one the settings ask for, and the local one that switches plans at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.billing import Plan
from settings import Settings

# Where the provider sends the owner back to.
RETURN_PATH = "/board"


class PaymentsError(Exception):
    """The provider did not do it; `message` names neither the business nor anything that it pays with."""


class Unavailable(PaymentsError):
    """It could not be reached, is busy, or gave no answer: the same call may be made again, with the same key."""


class Rejected(PaymentsError):
    """It refused, and will again: the call, or the account behind the key, is not as it should be."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """The purchase of a plan: with `trial_end` the first payment is due then, else at once."""

    key: str
    tenant_id: str
    customer_id: str
    plan: Plan
    trial_end: datetime | None
    return_url: str


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A change of a running subscription to another plan, which the owner confirms on the provider's page."""

    key: str
    customer_id: str
    subscription_id: str
    item_id: str
    plan: Plan
    return_url: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A meter's value in the customer's current period so far: the latest one counts, nothing is added up.

    `identifier` makes it one reading, however often it is sent. `read_at` lies in the period that it belongs to.
    """

    identifier: UUID
    customer_id: str
    meter: str
    value: int
    read_at: datetime


class Payments(Protocol):
    """Takes the money. `key` is the idempotency key of a call: written down before it, and the same when it is repeated.

    Every method raises PaymentsError: Unavailable or Rejected.
    """

    bills: bool
    "Whether anybody pays here. If not, plans are switched at once, and trials do not end."

    async def open_customer(self, key: str, tenant_id: str) -> str:
        """Make the business a customer; its id there."""

    async def describe_customer(self, customer_id: str, name: str, email: str) -> None:
        """Tell what stands on its invoices."""

    async def start_checkout(self, checkout: Checkout) -> str:
        """The URL of the page where the plan is paid."""

    async def change_plan(self, change: PlanChange) -> str:
        """The URL of the page where the change is confirmed."""

    async def open_portal(self, key: str, customer_id: str, return_url: str) -> str:
        """The URL of the page where means of payment, invoices and the subscription are managed."""

    async def end_later(self, key: str, subscription_id: str, *, end: bool) -> None:
        """Have the subscription end with its period, or go on after all."""

    async def end_now(self, key: str, subscription_id: str) -> None:
        """End the subscription."""

    async def report(self, reading: Reading) -> None:
        """Tell a meter's reading."""

    async def subscriptions(self, customer_id: str) -> Sequence[Mapping[str, Any]]:
        """All subscriptions of a customer as they are now, ended ones too, as the provider writes them."""

    async def invoices(self, customer_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """The customer's invoices since a moment, likewise."""

    async def close(self) -> None:
        """Let go of connections."""


class LocalPayments:
    """Nobody pays: a plan is switched when it is asked for, and the page that confirms it is our own."""

    bills = False

    async def open_customer(self, key: str, tenant_id: str) -> str:
        """See `Payments`; the business itself."""
        return tenant_id

    async def describe_customer(self, customer_id: str, name: str, email: str) -> None:
        """See `Payments`; nobody is told."""

    async def start_checkout(self, checkout: Checkout) -> str:
        """See `Payments`; our own page."""
        return f"{checkout.return_url}?plan={checkout.plan.code}"

    async def change_plan(self, change: PlanChange) -> str:
        """See `Payments`; our own page."""
        return f"{change.return_url}?plan={change.plan.code}"

    async def open_portal(self, key: str, customer_id: str, return_url: str) -> str:
        """See `Payments`; our own page."""
        return return_url

    async def end_later(self, key: str, subscription_id: str, *, end: bool) -> None:
        """See `Payments`; there is no subscription."""

    async def end_now(self, key: str, subscription_id: str) -> None:
        """See `Payments`; there is no subscription."""

    async def report(self, reading: Reading) -> None:
        """See `Payments`; nobody is told."""

    async def subscriptions(self, customer_id: str) -> Sequence[Mapping[str, Any]]:
        """See `Payments`; none."""
        return ()

    async def invoices(self, customer_id: str, since: datetime) -> Sequence[Mapping[str, Any]]:
        """See `Payments`; none."""
        return ()

    async def close(self) -> None:
        """See `Payments`."""


def payments_for(settings: Settings) -> Payments:
    """Stripe where a key is set; else the local one. Made once for each event loop, and closed with it."""
    if settings.stripe_secret_key is None:
        return LocalPayments()
    # Imported here: the library takes most of a second, which an installation without it should not wait for.
    from integrations.payments_stripe import StripePayments

    return StripePayments(settings)
