"""Plans, and how a business stands: what its subscription, its trial and its unpaid invoices allow it to do."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.errors import ErrorCode, Refusal, invalid
from domain.tenant import TenantStatus

TRIAL = timedelta(days=14)
# From the day that a payment is due, everything still works for so long; then the data can be read, not changed.
GRACE = timedelta(days=14)
# Stripe takes no trial that ends sooner than this after the checkout.
SHORTEST_TRIAL = timedelta(hours=49)
RECORDS_KEPT_YEARS = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """What a business pays for, by the month. `technician_limit` counts active ones; None: no limit.

    Messages beyond `included_messages` are told to Stripe like all usage, and never held back: a customer who waits for a
    technician must not be the one who notices.
    """

    code: str
    name: str
    price: Decimal
    technician_limit: int | None
    included_messages: int

    @property
    def lookup_key(self) -> str:
        """The name of its price at Stripe."""
        return f"sps_{self.code.lower()}_monthly"


PLANS: Mapping[str, Plan] = {
    plan.code: plan
    for plan in (
        Plan("STARTER", "Starter", Decimal("49.00"), 3, 500),
        Plan("PRO", "Pro", Decimal("149.00"), 15, 3_000),
        Plan("SCALE", "Scale", Decimal("399.00"), None, 15_000),
    )
}
# A trial tries everything: a limit that is met before anything was bought teaches nothing about the product.
TRIAL_PLAN = PLANS["SCALE"]


def plan_of(code: str, *path: str) -> Plan:
    """The plan of a code.

    Raises:
        Refusal: INVALID_INPUT.
    """
    found = PLANS.get(code)
    if found is None:
        raise invalid(f"The plans are {', '.join(PLANS)}.", *path)
    return found


class SubscriptionState(StrEnum):
    """States of a subscription, in Stripe's words: https://docs.stripe.com/billing/subscriptions/overview."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    CANCELED = "canceled"


LIVE = frozenset(
    {
        SubscriptionState.TRIALING,
        SubscriptionState.ACTIVE,
        SubscriptionState.PAST_DUE,
        SubscriptionState.UNPAID,
        SubscriptionState.PAUSED,
    }
)
_UNPAID = frozenset({SubscriptionState.PAST_DUE, SubscriptionState.UNPAID, SubscriptionState.PAUSED})


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is known of a subscription at Stripe.

    `ended_unpaid`: Stripe gave up collecting, so that nobody decided to leave. `observed_at`: when it was in this state.
    """

    id: str
    state: SubscriptionState
    plan_code: str | None
    period_start: datetime | None
    period_end: datetime | None
    started_at: datetime
    ended_at: datetime | None
    ended_unpaid: bool
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a business besides its subscriptions.

    Attributes:
        began_at: when it signed up.
        trial_ends_at: the end of its trial.
        local_plan: the plan that it was switched to where no payments are configured, since `local_since`.
        bills: whether payments are configured. Where they are not, a trial does not end: there would be no way out of it.
        overdue_since: since when the oldest unpaid invoice of its subscription is due.
        reopened_at: when it came back from a cancellation without a subscription.
    """

    began_at: datetime
    trial_ends_at: datetime
    local_plan: str | None
    local_since: datetime | None
    bills: bool
    overdue_since: datetime | None = None
    reopened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a business stands, and until when that holds if nothing happens.

    `cancelled_at` is set when the business has ended its subscription. From `read_only_from` on nothing can be changed.
    """

    status: TenantStatus
    plan: Plan
    period_start: datetime
    period_end: datetime | None
    past_due_since: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def read_only_from(self) -> datetime | None:
        """When the grace of an unpaid business ends."""
        return self.past_due_since + GRACE if self.past_due_since else self.cancelled_at


def current(subscriptions: Mapping[str, Subscription] | list[Subscription]) -> Subscription | None:
    """The one that counts: the latest of those that live, else the one that ended last. One that was never paid is none."""
    known = list(subscriptions.values()) if isinstance(subscriptions, Mapping) else subscriptions
    live = [each for each in known if each.state in LIVE]
    if live:
        return max(live, key=lambda each: (each.started_at, each.id))
    ended = [each for each in known if each.state is SubscriptionState.CANCELED]
    return max(ended, key=lambda each: (each.ended_at or each.observed_at, each.id), default=None)


def standing_of(account: Account, subscription: Subscription | None, now: datetime) -> Standing:
    """How a business stands at a moment, from what is known; all times aware."""
    if subscription is None:
        return _without_subscription(account, now)
    plan = PLANS.get(subscription.plan_code or "", TRIAL_PLAN)
    start, end = subscription.period_start or subscription.started_at, subscription.period_end
    if subscription.state is SubscriptionState.CANCELED:
        ended = subscription.ended_at or subscription.observed_at
        if subscription.ended_unpaid or account.reopened_at:
            since = max(ended, account.reopened_at or ended)
            return Standing(TenantStatus.PAST_DUE, plan, start, end, past_due_since=since)
        return Standing(TenantStatus.CANCELLED, plan, start, end, cancelled_at=ended)
    if subscription.state in _UNPAID or account.overdue_since:
        since = account.overdue_since or subscription.observed_at
        return Standing(TenantStatus.PAST_DUE, plan, start, end, past_due_since=since)
    if subscription.state is SubscriptionState.TRIALING:
        return Standing(TenantStatus.TRIALING, plan, start, end)
    return Standing(TenantStatus.ACTIVE, plan, start, end)


def _without_subscription(account: Account, now: datetime) -> Standing:
    if account.local_plan and not account.bills:
        anchor = account.local_since or account.began_at
        return Standing(TenantStatus.ACTIVE, PLANS.get(account.local_plan, TRIAL_PLAN), *month_of(anchor, now))
    if not account.bills:
        return Standing(TenantStatus.TRIALING, TRIAL_PLAN, *month_of(account.began_at, now))
    if now < account.trial_ends_at:
        return Standing(TenantStatus.TRIALING, TRIAL_PLAN, account.began_at, account.trial_ends_at)
    start, _ = month_of(account.began_at, now)
    since = max(account.trial_ends_at, account.reopened_at or account.trial_ends_at)
    return Standing(TenantStatus.PAST_DUE, TRIAL_PLAN, start, None, past_due_since=since)


def month_of(anchor: datetime, now: datetime) -> tuple[datetime, datetime]:
    """The month, counted from an anchor, in which a moment lies; in UTC, with the anchor's day or the month's last."""
    begin, moment = anchor.astimezone(UTC), now.astimezone(UTC)
    months = (moment.year - begin.year) * 12 + moment.month - begin.month
    if _later(begin, months) > moment:
        months -= 1
    return _later(begin, months), _later(begin, months + 1)


def _later(anchor: datetime, months: int) -> datetime:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, calendar.monthrange(year, month + 1)[1]))


def trial_left(trial_ends_at: datetime, now: datetime) -> datetime | None:
    """Until when a checkout at this moment goes on with the trial, if Stripe takes so short a rest."""
    return trial_ends_at if trial_ends_at - now >= SHORTEST_TRIAL else None


def require_room(plan: Plan, active: int, *path: str) -> None:
    """Refuse more active technicians than the plan has.

    Raises:
        Refusal: PLAN_LIMIT.
    """
    if plan.technician_limit is not None and active > plan.technician_limit:
        raise Refusal(
            ErrorCode.PLAN_LIMIT,
            f"The plan {plan.name} has room for {plan.technician_limit} active technicians.",
            ("input", *path),
        )


def read_only() -> Refusal:
    """Why an unpaid business cannot change anything."""
    return Refusal(
        ErrorCode.PLAN_LIMIT,
        f"The payment has been due for more than {GRACE.days} days: until it is settled under billing, everything can be read"
        " and exported, but not changed.",
    )
