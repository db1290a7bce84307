"""What a business may do follows from what is known of it, at every moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing import (
    GRACE,
    TRIAL,
    Account,
    Standing,
    Subscription,
    SubscriptionState,
    current,
    month_of,
    standing_of,
    trial_left,
)
from domain.tenant import TenantStatus

BEGAN = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def account(*, bills: bool = True, overdue: datetime | None = None, reopened: datetime | None = None,
            local: str | None = None) -> Account:  # fmt: skip
    return Account(BEGAN, BEGAN + TRIAL, local, BEGAN + DAY if local else None, bills, overdue, reopened)


def subscription(state: SubscriptionState, *, plan: str | None = "PRO", ended: datetime | None = None, unpaid: bool = False,
                 id_: str = "sub_1", started: datetime = BEGAN) -> Subscription:  # fmt: skip
    return Subscription(id_, state, plan, BEGAN + 30 * DAY, BEGAN + 60 * DAY, started, ended, unpaid, BEGAN + 40 * DAY)


def at(days: float, known: Account, has: Subscription | None = None) -> Standing:
    return standing_of(known, has, BEGAN + days * DAY)


def test_a_trial_lasts_fourteen_days_and_then_the_payment_is_due() -> None:
    last, first = at(13.99, account()), at(14, account())
    assert (last.status, last.period_end, last.read_only_from) == (TenantStatus.TRIALING, BEGAN + TRIAL, None)
    assert (first.status, first.past_due_since) == (TenantStatus.PAST_DUE, BEGAN + TRIAL)
    assert first.read_only_from == BEGAN + TRIAL + GRACE


@pytest.mark.parametrize("days", [1, 20, 400, 4_000])
def test_where_nobody_bills_a_trial_does_not_end(days: int) -> None:
    found = at(days, account(bills=False))
    assert (found.status, found.read_only_from) == (TenantStatus.TRIALING, None)


def test_a_plan_that_was_switched_locally_counts_only_where_nobody_bills() -> None:
    assert at(100, account(bills=False, local="STARTER")).status is TenantStatus.ACTIVE
    assert at(100, account(bills=False, local="STARTER")).plan.code == "STARTER"
    assert at(100, account(local="STARTER")).status is TenantStatus.PAST_DUE


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (SubscriptionState.TRIALING, TenantStatus.TRIALING),
        (SubscriptionState.ACTIVE, TenantStatus.ACTIVE),
        (SubscriptionState.PAST_DUE, TenantStatus.PAST_DUE),
        (SubscriptionState.UNPAID, TenantStatus.PAST_DUE),
        (SubscriptionState.PAUSED, TenantStatus.PAST_DUE),
        (SubscriptionState.CANCELED, TenantStatus.CANCELLED),
    ],
)
def test_each_state_of_a_subscription_means_one_thing(state: SubscriptionState, status: TenantStatus) -> None:
    has = current([subscription(state, ended=BEGAN + 41 * DAY if state is SubscriptionState.CANCELED else None)])
    found = at(42, account(), has)
    assert found.status is status
    assert (found.read_only_from is None) == (status in {TenantStatus.TRIALING, TenantStatus.ACTIVE})


@pytest.mark.parametrize("state", [SubscriptionState.INCOMPLETE, SubscriptionState.INCOMPLETE_EXPIRED])
def test_one_that_was_never_paid_is_none(state: SubscriptionState) -> None:
    assert current([subscription(state)]) is None


def test_an_unpaid_invoice_is_due_from_its_first_day_although_stripe_still_calls_it_active() -> None:
    found = at(50, account(overdue=BEGAN + 45 * DAY), subscription(SubscriptionState.ACTIVE))
    assert (found.status, found.past_due_since) == (TenantStatus.PAST_DUE, BEGAN + 45 * DAY)


def test_who_was_ended_for_not_paying_has_not_left_and_is_never_purged() -> None:
    ended = BEGAN + 70 * DAY
    found = at(71, account(), subscription(SubscriptionState.CANCELED, ended=ended, unpaid=True))
    assert (found.status, found.cancelled_at, found.past_due_since) == (TenantStatus.PAST_DUE, None, ended)


def test_who_came_back_without_a_subscription_has_a_grace_of_its_own() -> None:
    gone = subscription(SubscriptionState.CANCELED, ended=BEGAN + 70 * DAY)
    found = at(91, account(reopened=BEGAN + 90 * DAY), gone)
    assert (found.status, found.past_due_since) == (TenantStatus.PAST_DUE, BEGAN + 90 * DAY)


def test_of_several_subscriptions_the_latest_that_lives_counts() -> None:
    old = subscription(SubscriptionState.CANCELED, ended=BEGAN + 50 * DAY)
    older = subscription(SubscriptionState.ACTIVE, id_="sub_2", started=BEGAN + 10 * DAY)
    newer = subscription(SubscriptionState.PAST_DUE, id_="sub_3", started=BEGAN + 20 * DAY)
    assert current([newer, old, older]) is newer
    assert current([old]) is old
    assert current([]) is None


def test_an_unknown_plan_limits_nothing() -> None:
    assert at(40, account(), subscription(SubscriptionState.ACTIVE, plan=None)).plan.technician_limit is None


def test_months_keep_the_day_that_they_began_on() -> None:
    assert month_of(BEGAN, datetime(2026, 2, 28, 13, tzinfo=UTC)) == (
        datetime(2026, 2, 28, 12, tzinfo=UTC), datetime(2026, 3, 31, 12, tzinfo=UTC),
    )  # fmt: skip
    assert month_of(BEGAN, BEGAN)[0] == BEGAN


@given(
    anchor=st.integers(0, 5_000).map(lambda days: BEGAN - 1_500 * DAY + days * DAY + timedelta(hours=days % 24)),
    after=st.timedeltas(timedelta(0), timedelta(days=4_000)),
)
def test_every_moment_lies_in_one_month(anchor: datetime, after: timedelta) -> None:
    start, end = month_of(anchor, anchor + after)
    assert start <= anchor + after < end
    assert month_of(anchor, start) == (start, end)
    assert month_of(anchor, end)[0] == end
    assert timedelta(days=28) <= end - start <= timedelta(days=31)


def test_a_rest_of_the_trial_that_stripe_does_not_take_is_dropped() -> None:
    ends = BEGAN + TRIAL
    assert trial_left(ends, ends - timedelta(hours=50)) == ends
    assert trial_left(ends, ends - timedelta(hours=48)) is None
    assert trial_left(ends, ends + DAY) is None
