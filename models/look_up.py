"""What must be known before a tenant is: each a SECURITY DEFINER function of the database, on the allowlist here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.tenant import Role, TenantStatus
from models.database import Database

LOOK_UPS = frozenset(
    {
        "look_up_session",
        "event_heads",
        "look_up_log_in",
        "look_up_message",
        "is_another_message",
        "dispatch_messages",
        "texts_opted_out",
        "opt_out_of_texts",
        "opt_in_to_texts",
        "look_up_upload",
        "look_up_booking_page",
        "is_allowed_origin",
        "look_up_frame_origins",
        "due_upkeep",
        "purge_rows",
        "unname_security_events",
        "erase_history",
        "forget_tenants",
        "gather_usage",
        "backlog",
        "forget_expired",
        "look_up_api_key",
        "look_up_stripe_customer",
        "keep_stripe_event",
        "due_stripe_events",
        "finish_stripe_event",
        "defer_stripe_event",
        "due_billing_accounts",
        "forget_billing",
        "rights_of",
        "take_attempt",
        "give_attempt_back",
        "ask_password_reset",
        "next_password_reset",
        "end_password_reset",
        "dispatch_account_mails",
        "forget_access",
        "webhook_endpoints_behind",
        "dispatch_webhooks",
        "forget_webhooks",
        "rows_astray",
        "tend_partitions",
    }
)


@dataclass(frozen=True, slots=True)
class SessionFound:
    """A log-in session that has not expired, with its user."""

    tenant_id: UUID
    session_id: UUID
    user_id: UUID
    role: Role
    technician_id: UUID | None
    name: str
    expires_at: datetime
    last_seen_at: datetime
    tenant_status: TenantStatus
    second_factor_missing: bool


@dataclass(frozen=True, slots=True)
class MessageFound:
    """Whose message it is."""

    tenant_id: UUID
    message_id: UUID


@dataclass(frozen=True, slots=True)
class LogInFound:
    """Whose address it is; `password_hash` is None until an invitation was accepted."""

    tenant_id: UUID
    user_id: UUID
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class ApiKeyFound:
    """A key that was neither revoked nor has expired."""

    tenant_id: UUID
    api_key_id: UUID
    name: str
    key_hash: bytes
    scopes: list[str]
    last_used_at: datetime | None
    tenant_status: TenantStatus


async def look_up_session(database: Database, token_hash: bytes) -> SessionFound | None:
    """The session of a cookie's token."""
    row = await database.ask("SELECT * FROM look_up_session(%s)", token_hash)
    if row is None:
        return None
    return SessionFound(**{**row, "role": Role(row["role"]), "tenant_status": TenantStatus(row["tenant_status"])})


async def look_up_log_in(session: AsyncSession, email: str) -> LogInFound | None:
    """The user of an address, in lower case."""
    row = await _one(session, "look_up_log_in", email)
    return LogInFound(**row) if row else None


async def look_up_api_key(database: Database, prefix: str) -> ApiKeyFound | None:
    """The key of a prefix."""
    row = await database.ask("SELECT * FROM look_up_api_key(%s)", prefix)
    return ApiKeyFound(**{**row, "tenant_status": TenantStatus(row["tenant_status"])}) if row else None


async def look_up_message(session: AsyncSession, provider_id: str) -> MessageFound | None:
    """The message to which a provider has given this id."""
    row = await _one(session, "look_up_message", provider_id)
    return MessageFound(**row) if row else None


async def look_up_upload(session: AsyncSession, attachment_id: UUID) -> UUID | None:
    """The tenant of an upload that a customer was granted and that is not past its time."""
    row = await _one(session, "look_up_upload", attachment_id)
    return row["tenant_id"] if row else None


async def look_up_booking_page(session: AsyncSession, slug: str) -> tuple[UUID, UUID] | None:
    """Tenant and location of a booking page's slug; None for a business that has cancelled."""
    row = await _one(session, "look_up_booking_page", slug)
    return (row["tenant_id"], row["location_id"]) if row else None


async def is_allowed_origin(session: AsyncSession, origin: str) -> bool:
    """Whether a location of any business that has not cancelled allows this origin, in its normal form."""
    found = await session.execute(text("SELECT is_allowed_origin(:wanted)"), {"wanted": origin})
    return bool(found.scalar_one())


async def look_up_frame_origins(session: AsyncSession, slug: str) -> tuple[str, ...]:
    """The origins that may frame the booking page of a slug; none for a business that has cancelled."""
    found = await session.execute(text("SELECT origin FROM look_up_frame_origins(:wanted)"), {"wanted": slug})
    return tuple(found.scalars())


async def _one(session: AsyncSession, function: str, wanted: object) -> dict[str, Any] | None:
    found = await session.execute(text(f"SELECT * FROM {function}(:wanted)"), {"wanted": wanted})  # noqa: S608 (a constant)
    row = found.mappings().first()
    return dict(row) if row else None
