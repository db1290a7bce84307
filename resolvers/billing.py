"""Billing as its owner sees it: the plan, what was used, invoices, and the way to the pages where money is dealt with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import structlog

from domain.billing import LIVE, PLANS, Plan, current, plan_of, require_room, trial_left
from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.ids import Prefix, encode, new_id
from domain.tenant import TenantStatus
from integrations.payments import RETURN_PATH, Checkout, Payments, PlanChange, Unavailable
from models.billing import BillingAccount, lock_account, now_of, subscriptions_of
from models.billing_record import BillingRecord, page_of_invoices
from models.billing_request import BillingRequest, request_of
from models.billing_usage import Usage, active_technicians, usage_between
from models.database import Transaction
from models.page import Page
from models.tenant import Tenant
from resolvers.billing_standing import settle, standing_now, was_closed
from resolvers.caller import Caller
from resolvers.idempotency import once

T = TypeVar("T")
log = structlog.get_logger("billing")
# All calls of one operation together: the operation itself ends after ten seconds.
PATIENCE_S = 8.0


@dataclass(frozen=True, slots=True)
class Billing:
    """How a business stands."""

    plan: Plan
    status: TenantStatus
    period_start: datetime
    period_end: datetime | None


async def billing_of(caller: Caller) -> Billing | None:
    """The caller's plan and status."""
    async with caller.reading() as session:
        standing = await standing_now(session, caller.tenant_id, caller.settings)
        tenant = await session.get(Tenant, caller.tenant_id)
    if standing is None or tenant is None:
        return None
    closed = tenant.status is TenantStatus.CANCELLED
    return Billing(
        plan=standing.plan,
        status=TenantStatus.CANCELLED if closed else standing.status,
        period_start=standing.period_start,
        period_end=standing.period_end,
    )


async def usage_of(caller: Caller, billing: Billing) -> Usage:
    """What was used in the current period."""
    async with caller.reading() as session:
        return await usage_between(session, caller.tenant_id, billing.period_start, billing.period_end)


async def list_invoices(caller: Caller, first: int | None, after: str | None) -> Page[BillingRecord]:
    """A page of invoices, newest first.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_invoices(session, first, after)


async def start_checkout(caller: Caller, payments: Payments, plan_code: str, key: str | None) -> str:
    """The URL of the page where a plan is bought or, with a subscription that runs, changed.

    Where no payments are configured, the plan is switched at once and the page is our own.

    Raises:
        Refusal: INVALID_INPUT for no plan, or the one that runs already; PLAN_LIMIT when more technicians are active than it
            has room for; TENANT_CANCELLED; IDEMPOTENCY_CONFLICT; BUSY when the provider does not answer.
    """
    plan = plan_of(plan_code, "planCode")

    async def work(session: Transaction) -> BillingRequest:
        account = await _payer(session, caller, payments)

        async def make(_: Transaction) -> UUID:
            require_room(plan, await active_technicians(session, caller.tenant_id), "planCode")
            return await _request(session, account, plan, payments)

        made = await request_of(
            session, caller.tenant_id, await once(session, caller, "checkoutStart", key, {"planCode": plan.code}, make)
        )
        if made is None:
            raise not_found("checkout", "idempotencyKey")
        return made

    request = await caller.transact(work, even_cancelled=True)
    return request.url or await _page_of(caller, payments, request)


async def open_portal(caller: Caller, payments: Payments) -> str:
    """The URL of the page where means of payment, invoices and the subscription are managed.

    Raises:
        Refusal: BUSY when the provider does not answer.
    """
    if not payments.bills:
        return await payments.open_portal("", "", f"{caller.settings.origin}{RETURN_PATH}")

    async def work(session: Transaction) -> BillingRequest:
        request = BillingRequest(tenant_id=caller.tenant_id, id=new_id(), operation="portal")
        session.add(request)
        await session.flush()
        return request

    return await _page_of(caller, payments, await caller.transact(work, even_cancelled=True))


async def _payer(session: Transaction, caller: Caller, payments: Payments) -> BillingAccount:
    account = await lock_account(session, caller.tenant_id, bills=payments.bills)
    tenant = await session.get(Tenant, caller.tenant_id)
    if account is None or tenant is None:
        raise not_found("business")
    if was_closed(tenant, account):
        raise Refusal(ErrorCode.TENANT_CANCELLED, "The account is cancelled: restore it first, then choose a plan.")
    return account


async def _request(session: Transaction, account: BillingAccount, plan: Plan, payments: Payments) -> UUID:
    """Write down what is going to be asked; where nobody pays, do it."""
    now = await now_of(session)
    request = BillingRequest(tenant_id=account.tenant_id, id=new_id(), operation="checkout", plan_code=plan.code)
    if payments.bills:
        rows = {row.id: row for row in await subscriptions_of(session, account.tenant_id)}
        running = current({key: row.known() for key, row in rows.items()})
        if running is not None and running.state in LIVE:
            if running.plan_code == plan.code:
                raise invalid("That is the plan already.", "planCode")
            request.subscription_id, request.item_id = running.id, rows[running.id].item_id
        else:
            request.trial_end = trial_left(account.trial_ends_at, now)
    else:
        account.local_since = account.local_since or now
        account.local_plan = plan.code
        await settle(session, account, billed=False)
    session.add(request)
    await session.flush()
    return request.id


async def _page_of(caller: Caller, payments: Payments, request: BillingRequest) -> str:
    """Ask for the page of a request that was written down, and note where it is."""
    return_url = f"{caller.settings.origin}{RETURN_PATH}"
    tenant_id, key = encode(Prefix.TENANT, caller.tenant_id), f"{request.operation}-{request.id}"
    async with _patience():
        customer = await _customer(caller, payments)
        url = await _answer(_asked(payments, request, key, tenant_id, customer, return_url))

    async def note(session: Transaction) -> None:
        row = await request_of(session, caller.tenant_id, request.id)
        if row is not None:
            row.url = url

    await caller.transact(note, even_cancelled=True)
    return url


async def _asked(
    payments: Payments, request: BillingRequest, key: str, tenant_id: str, customer: str, return_url: str
) -> str:
    plan = PLANS.get(request.plan_code or "")
    if plan is None or (request.subscription_id is not None and request.item_id is None):
        return await payments.open_portal(key, customer, return_url)
    if request.subscription_id is None or request.item_id is None:
        return await payments.start_checkout(Checkout(key, tenant_id, customer, plan, request.trial_end, return_url))
    return await payments.change_plan(
        PlanChange(key, customer, request.subscription_id, request.item_id, plan, return_url)
    )


async def _customer(caller: Caller, payments: Payments) -> str:
    """The business's id as a customer of the provider: made once, then told how it is called now."""

    async def known(session: Transaction) -> tuple[str | None, Tenant]:
        account = await lock_account(session, caller.tenant_id, bills=payments.bills)
        tenant = await session.get(Tenant, caller.tenant_id)
        if account is None or tenant is None:
            raise not_found("business")
        return account.customer_id, tenant

    customer, tenant = await caller.transact(known, even_cancelled=True)
    if customer is None:
        # The business's id is the key: two who ask at once, or once more after a crash, get one customer.
        identity = encode(Prefix.TENANT, caller.tenant_id)
        made = await _answer(payments.open_customer(f"customer-{identity}", identity))

        async def note(session: Transaction) -> str:
            account = await lock_account(session, caller.tenant_id, bills=payments.bills)
            if account is None:
                raise not_found("business")
            account.customer_id = account.customer_id or made
            return account.customer_id

        customer = await caller.transact(note, even_cancelled=True)
    await _answer(payments.describe_customer(customer, tenant.name, tenant.email))
    return customer


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield
    except TimeoutError:
        raise _busy() from None


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except Unavailable as error:
        log.warning("provider not available", error=str(error))
        raise _busy() from None


def _busy() -> Refusal:
    return Refusal(
        ErrorCode.BUSY, "The payment provider does not answer at this moment. Nothing was changed; try again."
    )
