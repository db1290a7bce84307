"""Log-in sessions: what a session cookie stands for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, delete
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


async def end_session(session: AsyncSession, session_id: UUID) -> None:
    """Delete a session: its cookie is worth nothing from the commit on."""
    await session.execute(delete(LogInSession).where(LogInSession.id == session_id))
