"""Leaving and coming back: cancelling makes an account read-only at once, and for 90 days everything can be brought back."""

from datetime import UTC, datetime

from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.security_event import SecurityEventType
from domain.tenant import KEPT_AFTER_CANCELLATION, TenantStatus
from models.billing import lock_account
from models.database import Transaction
from models.log_in_session import end_all_sessions
from models.rights import RightsChange, announce
from models.tenant import Tenant, lock_leaving
from resolvers.billing_standing import bills, settle
from resolvers.caller import Caller
from resolvers.password_confirmation import confirm_password
from resolvers.security_event import record_of


async def cancel_account(caller: Caller, password: str, reason: str | None) -> Tenant:
    """Cancel the account: from the commit on nothing is booked or sent, only owners can log in, and nothing changes.

    Args:
        reason: why, in the owner's words; goes with the rest of the data.

    Raises:
        Refusal: INVALID_CREDENTIALS; TENANT_CANCELLED when it is cancelled already.
        Denied: the caller is no user.
        Throttled: too many wrong passwords.
    """
    await confirm_password(caller, password)

    async def work(session: Transaction) -> Tenant:
        tenant = await _locked(session, caller)
        if tenant.status is TenantStatus.CANCELLED:
            raise Refusal(ErrorCode.TENANT_CANCELLED, "The account is cancelled already.")
        _close(tenant, datetime.now(UTC))
        tenant.cancel_reason = (reason or "").strip() or None
        record_of(session, caller, SecurityEventType.ACCOUNT_CANCELLED)
        await announce(session, caller.tenant_id, RightsChange.RULES_CHANGED, caller.tenant_id)
        await session.flush()
        return tenant

    return await caller.transact(work, even_cancelled=True)


async def restore_account(caller: Caller) -> Tenant:
    """Take a cancellation back; all is as it was, but for what would have been sent or booked meanwhile.

    Raises:
        Refusal: INVALID_INPUT when it is not cancelled; TENANT_CANCELLED when the 90 days are over.
    """

    billed = bills(caller.settings)

    async def work(session: Transaction) -> Tenant:
        # Before the business's row: in this order all take the two.
        account = await lock_account(session, caller.tenant_id, bills=billed)
        tenant = await _locked(session, caller)
        if tenant.status is not TenantStatus.CANCELLED:
            raise invalid("The account is not cancelled.")
        if tenant.purge_started_at is not None or (tenant.purge_after and tenant.purge_after < datetime.now(UTC)):
            raise Refusal(ErrorCode.TENANT_CANCELLED, "The 90 days are over: the account's data is being deleted.")
        tenant.status = TenantStatus(tenant.status_before or TenantStatus.ACTIVE)
        tenant.cancelled_at = tenant.purge_after = tenant.status_before = tenant.cancel_reason = None
        await session.flush()
        if account is not None:
            # Its subscription may have ended meanwhile.
            await settle(session, account, billed=billed)
        record_of(session, caller, SecurityEventType.ACCOUNT_RESTORED)
        await announce(session, caller.tenant_id, RightsChange.RULES_CHANGED, caller.tenant_id)
        await session.flush()
        return tenant

    return await caller.transact(work, even_cancelled=True)


async def delete_account(caller: Caller, password: str, business_name: str) -> None:
    """Delete the account with all its data, without waiting. From the commit on nobody can log in; the rows go within
    minutes. A cancelled account can be deleted too.

    Raises:
        Refusal: INVALID_CREDENTIALS; INVALID_INPUT when the name is not the business's; TENANT_CANCELLED when its data is
            being deleted already.
        Denied: the caller is no user.
        Throttled: too many wrong passwords.
    """
    await confirm_password(caller, password)

    async def work(session: Transaction) -> None:
        tenant = await _locked(session, caller)
        if tenant.purge_started_at is not None:
            raise Refusal(ErrorCode.TENANT_CANCELLED, "The account's data is being deleted already.")
        if business_name.strip() != tenant.name.strip():
            raise invalid("That is not the name of your business.", "confirmBusinessName")
        now = datetime.now(UTC)
        if tenant.status is not TenantStatus.CANCELLED:
            _close(tenant, now)
        tenant.purge_after = tenant.purge_started_at = now
        await end_all_sessions(session, caller.tenant_id)
        record_of(session, caller, SecurityEventType.ACCOUNT_DELETED)
        await announce(session, caller.tenant_id, RightsChange.RULES_CHANGED, caller.tenant_id)

    await caller.transact(work, even_cancelled=True)


async def _locked(session: Transaction, caller: Caller) -> Tenant:
    tenant = await lock_leaving(session, caller.tenant_id)
    if tenant is None:
        raise not_found("business")
    return tenant


def _close(tenant: Tenant, now: datetime) -> None:
    tenant.status_before = tenant.status.value
    tenant.status = TenantStatus.CANCELLED
    tenant.cancelled_at = now
    tenant.purge_after = now + KEPT_AFTER_CANCELLATION
