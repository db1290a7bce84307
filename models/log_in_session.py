"""Log-in sessions: what a session cookie stands for."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, delete, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import TenantRow, of_tenant, within_tenant


class LogInSession(TenantRow):
    """One log-in of one user. The cookie's token is kept as a hash only."""

    __tablename__ = "sessions"
    __table_args__ = (
        of_tenant(),
        within_tenant("user_id", "users", ondelete="CASCADE"),
        # Global on purpose: the cookie comes before the tenant is known.
        Index("uq_sessions_token_hash", "token_hash", unique=True),
        Index("ix_sessions_tenant_id_user_id", "tenant_id", "user_id"),
    )

    user_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


async def end_session(session: AsyncSession, tenant_id: UUID, session_id: UUID) -> bool:
    """Delete a session: its cookie is worth nothing from the commit on. Tells whether there was one."""
    found = await session.execute(
        delete(LogInSession)
        .where(LogInSession.tenant_id == tenant_id, LogInSession.id == session_id)
        .returning(LogInSession.id)
    )
    return found.first() is not None


async def end_sessions_of(
    session: AsyncSession, tenant_id: UUID, user_id: UUID, *, but: UUID | None = None
) -> Sequence[UUID]:
    """Delete all sessions of a user, or all but one; their ids."""
    statement = delete(LogInSession).where(LogInSession.tenant_id == tenant_id, LogInSession.user_id == user_id)
    if but is not None:
        statement = statement.where(LogInSession.id != but)
    return (await session.execute(statement.returning(LogInSession.id))).scalars().all()


async def end_all_sessions(session: AsyncSession, tenant_id: UUID) -> None:
    """Delete all sessions of a business."""
    await session.execute(delete(LogInSession).where(LogInSession.tenant_id == tenant_id))


async def rotate_session(session: AsyncSession, tenant_id: UUID, session_id: UUID, token_hash: bytes) -> bool:
    """Give a session another token, and tell whether it is still there; the old one is worth nothing from the commit on."""
    found = await session.execute(
        update(LogInSession)
        .where(LogInSession.tenant_id == tenant_id, LogInSession.id == session_id)
        .values(token_hash=token_hash)
        .returning(LogInSession.id)
    )
    return found.first() is not None


async def touch_session(session: AsyncSession, tenant_id: UUID, session_id: UUID) -> None:
    """Note that a session is used."""
    await session.execute(
        update(LogInSession)
        .where(LogInSession.tenant_id == tenant_id, LogInSession.id == session_id)
        .values(last_seen_at=func.now())
    )
