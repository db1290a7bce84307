"""Whom a cookie or a key stands for."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from auth.api_key import is_key, prefix_of
from auth.tokens import token_hash
from domain.tenant import Role, TenantStatus
from models.api_key import note_use
from models.database import Database
from models.log_in_session import touch_session
from models.look_up import look_up_api_key, look_up_session
from permissions.principal import Principal
from permissions.scopes import scopes_of

# When something was last used is written at most so often: a write for each request would cost more than the request.
SAMPLED = timedelta(minutes=1)


async def principal_of_token(database: Database, token: str) -> Principal | None:
    """Whom a session cookie stands for, or None when it has expired, was ended, or never was."""
    found = await look_up_session(database, token_hash(token))
    if found is None or _shut_out(found.tenant_status, found.role):
        return None
    if datetime.now(UTC) - found.last_seen_at > SAMPLED:
        async with database.tenant(found.tenant_id) as session:
            await touch_session(session, found.tenant_id, found.session_id)
    return user_principal(
        found.tenant_id,
        found.user_id,
        found.session_id,
        found.role,
        found.technician_id,
        found.name,
        second_factor_missing=found.second_factor_missing,
    )


async def principal_of_key(database: Database, secret: str, key: str) -> Principal | None:
    """Whom an API key stands for, or None: unknown, truncated, revoked, expired.

    Args:
        secret: SPS_SECRET_KEY.
    """
    prefix = prefix_of(key)
    if prefix is None:
        return None
    found = await look_up_api_key(database, prefix)
    if not is_key(secret, key, found.key_hash if found else None) or found is None:
        return None
    if _shut_out(found.tenant_status):
        return None
    if found.last_used_at is None or datetime.now(UTC) - found.last_used_at > SAMPLED:
        async with database.tenant(found.tenant_id) as session:
            await note_use(session, found.tenant_id, found.api_key_id, SAMPLED.total_seconds())
    return Principal(
        tenant_id=found.tenant_id,
        actor=f"{found.name} (API key)",
        scopes=frozenset(found.scopes),
        api_key_id=found.api_key_id,
    )


def _shut_out(status: TenantStatus, role: Role | None = None) -> bool:
    # A cancelled business is its owners' alone, to read, to export and to restore; sockets ask the same of `rights_of`.
    return status is TenantStatus.CANCELLED and role is not Role.OWNER


def user_principal(
    tenant_id: UUID,
    user_id: UUID,
    session_id: UUID,
    role: Role,
    technician_id: UUID | None,
    name: str,
    *,
    second_factor_missing: bool = False,
) -> Principal:
    """A user who is logged in."""
    return Principal(
        tenant_id=tenant_id,
        actor=name,
        scopes=frozenset() if second_factor_missing else scopes_of(role),
        user_id=user_id,
        session_id=session_id,
        role=role,
        technician_id=technician_id,
        second_factor_missing=second_factor_missing,
    )
