"""API keys of partners. The key itself is kept nowhere: its prefix names it, an HMAC proves it."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, func, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import TenantRow, of_tenant
from models.query import rows, select_rows


class ApiKey(TenantRow):
    """A key with its own scopes. It belongs to the business, and works on when whoever made it has left."""

    __tablename__ = "api_keys"
    __table_args__ = (
        of_tenant(),
        # Global on purpose: the key comes before the tenant is known.
        Index("uq_api_keys_prefix", "prefix", unique=True),
    )

    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


async def api_keys_newest_first(session: AsyncSession) -> Sequence[ApiKey]:
    """The tenant's keys, revoked ones too."""
    return await rows(session, ApiKey, select_rows(ApiKey).order_by(ApiKey.id.desc()))


async def note_use(session: AsyncSession, tenant_id: UUID, api_key_id: UUID, seconds: float) -> None:
    """Note that a key was used, unless that was noted less than so many seconds ago."""
    stale = or_(
        ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    )
    await session.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == tenant_id, ApiKey.id == api_key_id, stale)
        .values(last_used_at=func.now())
    )


async def lock_api_key(session: AsyncSession, tenant_id: UUID, api_key_id: UUID) -> ApiKey | None:
    """The key, locked until the transaction ends, as it is now."""
    return await session.get(
        ApiKey, (tenant_id, api_key_id), with_for_update={"key_share": True}, populate_existing=True
    )
