"""Links in account mails: rows that each can be used up once. The token itself is signed and kept nowhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import TenantRow, of_tenant, within_tenant
from models.user import User


class AccountToken(TenantRow):
    """Permission to set a password once: a reset, or the answer to an invitation."""

    __tablename__ = "account_tokens"
    __table_args__ = (
        of_tenant(),
        within_tenant("user_id", "users", ondelete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
    )

    user_id: Mapped[UUID]
    purpose: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]


async def token_holder(session: AsyncSession, tenant_id: UUID, token_id: UUID, purpose: str) -> User | None:
    """Whose a token is that still counts; nothing is used up."""
    found = await session.execute(
        select(User)
        .join(AccountToken, (AccountToken.tenant_id == User.tenant_id) & (AccountToken.user_id == User.id))
        .where(
            AccountToken.tenant_id == tenant_id,
            AccountToken.id == token_id,
            AccountToken.purpose == purpose,
            AccountToken.expires_at > func.now(),
        )
    )
    return found.scalar_one_or_none()


async def use_up(session: AsyncSession, tenant_id: UUID, token_id: UUID, purpose: str) -> UUID | None:
    """Delete a token and tell whose it was; None when it was used or has expired. Of two at once one gets the user."""
    found = await session.execute(
        delete(AccountToken)
        .where(
            AccountToken.tenant_id == tenant_id,
            AccountToken.id == token_id,
            AccountToken.purpose == purpose,
            AccountToken.expires_at > func.now(),
        )
        .returning(AccountToken.user_id)
    )
    return found.scalar_one_or_none()


async def withdraw_tokens(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> None:
    """Make all links that were sent to a user worthless."""
    await session.execute(
        delete(AccountToken).where(AccountToken.tenant_id == tenant_id, AccountToken.user_id == user_id)
    )
