"""How a business stands, written where every change of its data looks; and the room that its plan has."""

from datetime import datetime
from uuid import UUID

from domain.billing import GRACE, TRIAL, Account, Standing, Subscription, current, require_room, standing_of
from domain.tenant import KEPT_AFTER_CANCELLATION, TenantStatus
from models.billing import BillingAccount, account_of, lock_account, now_of, subscriptions_of
from models.billing_record import overdue_since
from models.billing_usage import active_technicians
from models.database import Transaction
from models.tenant import Tenant, lock_tenant
from resolvers.caller import Caller
from settings import Settings


def bills(settings: Settings) -> bool:
    """Whether payments are configured."""
    return settings.stripe_secret_key is not None


async def settle(session: Transaction, account: BillingAccount, *, billed: bool) -> Standing:
    """Work out how a business stands and write it into its row, where `require_open` finds it. Needs the account's lock.

    What the account's owner did (`accountCancel`) is never undone here: only a cancellation that came of the end of the
    subscription ends with the next subscription.
    """
    now = await now_of(session)
    if billed and not account.billed:
        # Payments have just been configured: nobody is to be unpaid from one day to the next.
        account.trial_ends_at = max(account.trial_ends_at, now + TRIAL)
    account.billed = billed
    known, subscription = await _known(session, account)
    standing = standing_of(known, subscription, now)
    tenant = await lock_tenant(session, account.tenant_id)
    if tenant is None:
        return standing
    closed = was_closed(tenant, account)
    if standing.cancelled_at is None:
        account.ended_at = None
        if subscription is not None and subscription.ended_at is None:
            account.reopened_at = None
    elif closed:
        # It ended because, or after, the account was cancelled: when that is taken back, the grace begins.
        account.ended_at = standing.cancelled_at
    elif tenant.status is not TenantStatus.CANCELLED and (account.ended_at == standing.cancelled_at or account.ending):
        account.reopened_at = account.reopened_at or now
        known, subscription = await _known(session, account)
        standing = standing_of(known, subscription, now)
    if not closed:
        _write(tenant, account, standing, now)
    await session.flush()
    return standing


def was_closed(tenant: Tenant, account: BillingAccount) -> bool:
    """Whether the business's account was cancelled by somebody, and not by the end of its subscription."""
    return tenant.purge_started_at is not None or (
        tenant.status is TenantStatus.CANCELLED and tenant.cancelled_at != account.cancelled_at
    )


def _write(tenant: Tenant, account: BillingAccount, standing: Standing, now: datetime) -> None:
    if standing.status is TenantStatus.CANCELLED:
        if tenant.status is not TenantStatus.CANCELLED:
            tenant.status_before = TenantStatus.PAST_DUE.value
            tenant.cancelled_at = account.cancelled_at = account.ended_at = standing.cancelled_at
            tenant.purge_after = max(standing.cancelled_at or now, now) + KEPT_AFTER_CANCELLATION
    elif tenant.status is TenantStatus.CANCELLED:
        tenant.cancelled_at = tenant.purge_after = tenant.status_before = account.cancelled_at = None
    tenant.status = standing.status
    tenant.read_only_from = read_only_from(standing, account)


def read_only_from(standing: Standing, account: BillingAccount) -> datetime | None:
    """From when on the business can change nothing, if nothing happens: so that no clock has to tick for it to be so."""
    if standing.past_due_since is not None:
        return standing.past_due_since + GRACE
    ends_by_itself = standing.status is TenantStatus.TRIALING and standing.period_end == account.trial_ends_at
    return account.trial_ends_at + GRACE if ends_by_itself and account.billed else None


async def standing_now(session: Transaction, tenant_id: UUID, settings: Settings) -> Standing | None:
    """How a business stands at this moment, without writing anything; None: there is no such business."""
    tenant = await session.get(Tenant, tenant_id)
    if tenant is None:
        return None
    account = await account_of(session, tenant_id) or BillingAccount(
        tenant_id=tenant_id, began_at=tenant.created_at, trial_ends_at=tenant.created_at + TRIAL, billed=bills(settings)
    )
    known, subscription = await _known(session, account)
    return standing_of(known, subscription, await now_of(session))


async def require_room_for_one(session: Transaction, caller: Caller, *path: str) -> None:
    """Refuse one more active technician than the plan has room for.

    The account's lock is held until the commit: of two technicians who are added at once, the second one is counted with
    the first.

    Raises:
        Refusal: PLAN_LIMIT.
    """
    account = await lock_account(session, caller.tenant_id, bills=bills(caller.settings))
    if account is None:
        return
    known, subscription = await _known(session, account)
    standing = standing_of(known, subscription, await now_of(session))
    require_room(standing.plan, await active_technicians(session, caller.tenant_id) + 1, *path)


async def _known(session: Transaction, account: BillingAccount) -> tuple[Account, Subscription | None]:
    subscription = current([row.known() for row in await subscriptions_of(session, account.tenant_id)])
    overdue = None
    if subscription is not None:
        overdue = await overdue_since(session, account.tenant_id, subscription.id)
    return account.known(overdue), subscription
