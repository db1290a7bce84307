"""The sweep: does what time alone brings about, and what a crash, a lost webhook or a silent provider has left undone."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from domain.billing import LIVE
from domain.billing_event import Unreadable, asked_subscription, invoice_report, modest, reduced
from domain.errors import Refusal
from integrations.payments import Payments, PaymentsError
from models.billing import (
    due_accounts,
    forget_billing,
    live_subscriptions,
    lock_account,
    now_of,
)
from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.tenant import Tenant
from resolvers.billing_event import UNSURE, catch_up, note
from resolvers.billing_standing import settle, was_closed
from resolvers.billing_usage import read_meters, tell_meters

log = structlog.get_logger("billing")
# A sweep that died with an account in its hands gives it back after this.
LEASE = timedelta(minutes=5)
ROOM = 50
# How often an account that pays is looked at, and how often Stripe is asked about it without a reason.
EVERY, ASK_EVERY = timedelta(hours=1), timedelta(days=1)
INVOICES_SINCE = timedelta(days=60)


async def sweep(database: Database, payments: Payments) -> None:
    """Do what is due, of all businesses. Safe beside others, and beside webhooks; called every minute or so."""
    while await catch_up(database, billed=payments.bills):
        pass
    done = ROOM
    while done == ROOM:
        async with database.anonymous() as session:
            due = await due_accounts(session, LEASE, ROOM)
        done = 0
        for tenant_id in due:
            try:
                await look_after(database, payments, tenant_id)
                done += 1
            except (PaymentsError, Refusal, Unreadable, *UNREACHABLE) as error:
                # One business's trouble must not keep the others waiting; it comes up again after the lease.
                log.warning("account not looked after", tenant=str(tenant_id), error=f"{type(error).__name__}: {error}")


async def forget(database: Database) -> None:
    """Delete what has been kept for as long as it must be."""
    async with database.anonymous() as session:
        await forget_billing(session)


async def look_after(database: Database, payments: Payments, tenant_id: UUID) -> None:
    """Bring one account up to date: how it stands, what Stripe knows of it and it of us.

    Raises:
        PaymentsError: Stripe did not answer, or refused; what was not done is due again.
    """
    customer_id, must_ask = await database.transact(tenant_id, lambda session: _settled(session, payments, tenant_id))
    if not payments.bills or customer_id is None:
        return
    if must_ask:
        await ask(database, payments, tenant_id, customer_id)
    await _end_with_the_account(database, payments, tenant_id)
    await tell_meters(database, payments, tenant_id, customer_id)


async def _settled(session: Transaction, payments: Payments, tenant_id: UUID) -> tuple[str | None, bool]:
    account = await lock_account(session, tenant_id, bills=payments.bills)
    if account is None:
        return None, False
    standing = await settle(session, account, billed=payments.bills)
    now = await now_of(session)
    if payments.bills and account.customer_id and await live_subscriptions(session, tenant_id):
        await read_meters(session, account, standing)
    stale = account.asked_at is None or account.asked_at < now - ASK_EVERY
    # Time alone changes nothing that a row does not tell by itself (`read_only_from`): this need not be exact.
    account.next_check_at = now + (EVERY if payments.bills and account.customer_id else ASK_EVERY)
    if standing.period_end is not None and standing.period_end > now:
        account.next_check_at = min(account.next_check_at, standing.period_end)
    return account.customer_id, account.unsure or stale


async def ask(database: Database, payments: Payments, tenant_id: UUID, customer_id: str) -> None:
    """Compare what we know of a customer with what Stripe says: webhooks that never came are made up for.

    Raises:
        PaymentsError: Stripe did not answer.
    """
    async with database.anonymous() as session:
        asked_at = await now_of(session)
    subscriptions = await payments.subscriptions(customer_id)
    invoices = await payments.invoices(customer_id, asked_at - INVOICES_SINCE)
    moment = modest(asked_at)

    async def work(session: Transaction) -> None:
        account = await lock_account(session, tenant_id, bills=payments.bills)
        if account is None:
            return
        for each in subscriptions:
            await note(session, account, asked_subscription(asked_at, reduced(each)))
        for each in invoices:
            await note(session, account, invoice_report("", "", moment, reduced(each)))
        latest = max((row.event_at for row in await live_subscriptions(session, tenant_id)), default=0)
        account.unsure = account.unsure and latest > moment
        account.asked_at = asked_at
        await settle(session, account, billed=payments.bills)

    await database.transact(tenant_id, work)


@dataclass(frozen=True, slots=True)
class Order:
    """That a subscription is to end with its period (True), to go on after all (False), or to end now (None)."""

    key: str
    subscription_id: str
    end: bool | None


async def _end_with_the_account(database: Database, payments: Payments, tenant_id: UUID) -> None:
    """A business that cancelled its account pays for no further period; one that came back goes on paying."""
    orders = await database.transact(tenant_id, lambda session: _orders(session, payments, tenant_id))
    for order in orders:
        if order.end is None:
            await payments.end_now(order.key, order.subscription_id)
        else:
            await payments.end_later(order.key, order.subscription_id, end=order.end)


async def _orders(session: Transaction, payments: Payments, tenant_id: UUID) -> list[Order]:
    account = await lock_account(session, tenant_id, bills=payments.bills)
    tenant = await session.get(Tenant, tenant_id)
    if account is None or tenant is None:
        return []
    gone = tenant.purge_started_at is not None
    running = [row for row in await live_subscriptions(session, tenant_id) if row.state in LIVE]
    orders: list[Order] = []
    for row in running:
        # The state that is to be changed is part of the key: the same order after a crash, another one after a change.
        key = f"end-{row.id}-{row.event_at}-{row.event_id}"
        if gone:
            orders.append(Order(f"{key}-now", row.id, None))
        elif was_closed(tenant, account) and not row.cancel_at_period_end:
            orders.append(Order(f"{key}-later", row.id, True))
        elif not was_closed(tenant, account) and account.ending and row.cancel_at_period_end:
            orders.append(Order(f"{key}-not", row.id, False))
    if was_closed(tenant, account):
        account.ending = account.ending or bool(orders)
    elif not orders:
        account.ending = False
    if orders:
        # Should the event not come that says it is done, Stripe is asked.
        account.unsure = True
        account.next_check_at = await now_of(session) + UNSURE
    return orders
