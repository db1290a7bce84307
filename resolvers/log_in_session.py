"""Opening log-in sessions, and ending them so that every process knows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from auth.tokens import new_token, token_hash
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.tenant import Role, TenantStatus
from models.database import Database, Transaction
from models.log_in_session import LogInSession, end_session, end_sessions_of
from models.rights import RightsChange, announce
from models.second_factor import second_factor_of
from models.tenant import Tenant
from models.user import User
from permissions.principal import Principal
from resolvers.principal import user_principal

# From log-in to the end, however much it is used; unused it ends after 3 days (look_up_session).
SESSION_LIFE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A fresh session, or a fresh token of one: the token goes into the cookie and is known nowhere else."""

    principal: Principal
    token: str


async def open_session(session: Transaction, user: User) -> LoggedIn:
    """Log a user in, whose row is locked.

    Raises:
        Refusal: TENANT_CANCELLED for all but owners, and for everybody once the data is being deleted.
    """
    tenant = await session.get(Tenant, user.tenant_id)
    closed = tenant is not None and tenant.status is TenantStatus.CANCELLED
    if closed and (user.role is not Role.OWNER or (tenant and tenant.purge_started_at)):
        raise Refusal(ErrorCode.TENANT_CANCELLED, "The account is cancelled: only its owner can log in.")
    token = new_token()
    opened = LogInSession(
        tenant_id=user.tenant_id,
        id=new_id(),
        user_id=user.id,
        token_hash=token_hash(token),
        expires_at=datetime.now(UTC) + SESSION_LIFE,
    )
    session.add(opened)
    await session.flush()
    principal = user_principal(
        user.tenant_id,
        user.id,
        opened.id,
        user.role,
        user.technician_id,
        user.name,
        second_factor_missing=await _second_factor_missing(session, user),
    )
    return LoggedIn(principal, token)


async def end_sessions(
    session: Transaction, user: User, change: RightsChange = RightsChange.USER_OUT, *, but: UUID | None = None
) -> None:
    """End all log-ins of a user whose row is locked, or all but one; their sockets close."""
    ended = await end_sessions_of(session, user.tenant_id, user.id, but=but)
    if but is None:
        await announce(session, user.tenant_id, change, user.id)
        return
    for session_id in ended:
        await announce(session, user.tenant_id, RightsChange.SESSION_ENDED, session_id)


async def leave(database: Database, principal: Principal | None) -> None:
    """End the session that a browser had before it logged in anew; an API key has none."""
    if principal is None or principal.session_id is None:
        return
    session_id = principal.session_id

    async def work(session: Transaction) -> None:
        if await end_session(session, principal.tenant_id, session_id):
            await announce(session, principal.tenant_id, RightsChange.SESSION_ENDED, session_id)

    await database.transact(principal.tenant_id, work)


async def _second_factor_missing(session: Transaction, user: User) -> bool:
    tenant = await session.get(Tenant, user.tenant_id)
    if tenant is None or not tenant.require_second_factor:
        return False
    factor = await second_factor_of(session, user.tenant_id, user.id)
    return factor is None or factor.confirmed_at is None
