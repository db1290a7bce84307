"""Billing accounts and subscriptions: what is known of a business's payments, without a name and without a card.

They outlive a purge, like the records of invoices: see docs/decisions/0004-billing.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, Table, case, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.billing import TRIAL, Account, Subscription, SubscriptionState
from domain.billing_event import ASKED, SubscriptionReport
from models.base import Base, Timestamps, of_tenant, one_of
from models.query import rows, select_rows
from models.tenant import Tenant


class BillingAccount(Timestamps, Base):
    """A business as somebody who pays. Its row is the lock of everything that follows from its plan.

    `billed` is whether payments were configured when it was last looked at. `cancelled_at` is what we wrote into the
    tenant when its subscription ended; `ended_at` is that end. `ending` is set while we have Stripe end the subscription
    because the account was cancelled. `unsure`: two reports of one second disagree, so Stripe is to be asked.
    """

    __tablename__ = "billing_accounts"
    __table_args__ = (
        of_tenant(),
        # Global on purpose: a webhook names Stripe's customer before the tenant is known.
        Index("uq_billing_accounts_customer_id", "customer_id", unique=True),
        Index("ix_billing_accounts_next_check_at", "next_check_at"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[datetime]
    trial_ends_at: Mapped[datetime]
    local_plan: Mapped[str | None]
    local_since: Mapped[datetime | None]
    billed: Mapped[bool]
    customer_id: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    ending: Mapped[bool] = mapped_column(server_default=text("false"))
    unsure: Mapped[bool] = mapped_column(server_default=text("false"))
    asked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime] = mapped_column(server_default=func.now())

    def known(self, overdue_since: datetime | None) -> Account:
        """The domain's account."""
        return Account(
            began_at=self.began_at,
            trial_ends_at=self.trial_ends_at,
            local_plan=self.local_plan,
            local_since=self.local_since,
            bills=self.billed,
            overdue_since=overdue_since,
            reopened_at=self.reopened_at,
        )


class BillingSubscription(Base):
    """A subscription at Stripe, as its latest report shows it; `event_at`, `event_rank` and `event_id` name that report."""

    __tablename__ = "billing_subscriptions"
    __table_args__ = (of_tenant(),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[SubscriptionState] = mapped_column(one_of(SubscriptionState, "state"))
    plan_code: Mapped[str | None]
    item_id: Mapped[str | None]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_unpaid: Mapped[bool]
    cancel_at_period_end: Mapped[bool]
    observed_at: Mapped[datetime]
    event_at: Mapped[int] = mapped_column(BigInteger)
    event_rank: Mapped[int] = mapped_column(SmallInteger)
    event_id: Mapped[str]

    def known(self) -> Subscription:
        """The domain's subscription."""
        return Subscription(
            id=self.id,
            state=SubscriptionState(self.state),
            plan_code=self.plan_code,
            period_start=self.period_start,
            period_end=self.period_end,
            started_at=self.started_at,
            ended_at=self.ended_at,
            ended_unpaid=self.ended_unpaid,
            observed_at=self.observed_at,
        )


async def lock_account(session: AsyncSession, tenant_id: UUID, *, bills: bool) -> BillingAccount | None:
    """The business's account, opened if there is none yet, and locked until the transaction ends; None: no such business.

    Reports, plan changes and new technicians of one business pass one after the other here: without the lock, two
    technicians would each find the last free place.
    """
    key = {"key_share": True}
    found = await session.get(BillingAccount, tenant_id, with_for_update=key, populate_existing=True)
    if found is not None:
        return found
    began = (await session.execute(select(Tenant.created_at).where(Tenant.id == tenant_id))).scalar_one_or_none()
    if began is None:
        return None
    opened = insert(BillingAccount).values(
        tenant_id=tenant_id, began_at=began, trial_ends_at=began + TRIAL, billed=bills
    )
    await session.execute(opened.on_conflict_do_nothing())
    return await session.get(BillingAccount, tenant_id, with_for_update=key, populate_existing=True)


async def account_of(session: AsyncSession, tenant_id: UUID) -> BillingAccount | None:
    """The account, if it has been opened."""
    return await session.get(BillingAccount, tenant_id)


async def subscriptions_of(session: AsyncSession, tenant_id: UUID) -> Sequence[BillingSubscription]:
    """All subscriptions that the business has ever had."""
    found = await session.execute(select(BillingSubscription).where(BillingSubscription.tenant_id == tenant_id))
    return found.scalars().all()


async def note_subscription(session: AsyncSession, tenant_id: UUID, report: SubscriptionReport) -> bool:
    """Take a report over, unless a later one is known already. Needs the account's lock.

    Returns:
        Whether another report of the same second says something else, so that no order of the two is certain.
    """
    table = cast("Table", BillingSubscription.__table__)
    known, version = report.subscription, report.version
    values: dict[str, Any] = {
        "state": known.state,
        "plan_code": known.plan_code,
        "item_id": report.item_id,
        "period_start": known.period_start,
        "period_end": known.period_end,
        "started_at": known.started_at,
        "ended_at": known.ended_at,
        "ended_unpaid": known.ended_unpaid,
        "cancel_at_period_end": report.cancel_at_period_end,
        "observed_at": known.observed_at,
        "event_at": version.at,
        "event_rank": version.rank,
        "event_id": version.event_id,
    }
    before = (
        await session.execute(
            select(table).where(table.c.tenant_id == tenant_id, table.c.id == known.id, table.c.event_at == version.at)
        )
    ).mappings().first()  # fmt: skip
    written = insert(BillingSubscription).values(tenant_id=tenant_id, id=known.id, **values)
    given = written.excluded
    later = tuple_(table.c.event_at, table.c.event_rank, table.c.event_id) < tuple_(
        given.event_at, given.event_rank, given.event_id
    )
    if version.rank == ASKED:
        # An answer tells what is so, not since when: grace must not begin again each time that Stripe is asked.
        same = table.c.state == given.state
        values["observed_at"] = case((same, table.c.observed_at), else_=given.observed_at)
    await session.execute(
        written.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values, where=later).execution_options(
            synchronize_session=False
        )
    )
    told = ("state", "plan_code", "period_start", "period_end", "ended_at", "ended_unpaid", "cancel_at_period_end")
    return (
        before is not None
        and before["event_id"] != version.event_id
        and before["event_rank"] == version.rank
        and any(before[name] != values[name] for name in told)
    )


async def due_accounts(session: AsyncSession, lease: timedelta, room: int) -> Sequence[UUID]:
    """Tenants whose account is to be looked at now, and those without one; nobody else is given them within the lease."""
    found = await session.execute(
        text("SELECT * FROM due_billing_accounts(:lease, :room)"), {"lease": lease.total_seconds(), "room": room}
    )
    return list(found.scalars())


async def forget_billing(session: AsyncSession) -> None:
    """Delete what has been kept long enough, of all tenants."""
    await session.execute(text("SELECT forget_billing()"))


async def live_subscriptions(session: AsyncSession, tenant_id: UUID) -> Sequence[BillingSubscription]:
    """Subscriptions that have not ended, as plain rows."""
    ended = (SubscriptionState.CANCELED, SubscriptionState.INCOMPLETE_EXPIRED)
    statement = select_rows(BillingSubscription).where(
        BillingSubscription.tenant_id == tenant_id, BillingSubscription.state.not_in(ended)
    )
    return await rows(session, BillingSubscription, statement)


async def now_of(session: AsyncSession) -> datetime:
    """The database's clock, which all servers share."""
    return (await session.execute(select(func.now()))).scalar_one()
