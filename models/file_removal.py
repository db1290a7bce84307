"""Files that are to be removed: written down where their rows go, so that no crash leaves a file that nobody knows of."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import TenantRow, of_tenant
from models.query import rows, select_rows


class FileRemoval(TenantRow):
    """A key of the file store that nothing refers to any more; one that ends in a slash stands for all below it."""

    __tablename__ = "file_removals"
    __table_args__ = (of_tenant(), Index(None, "created_at"))

    key: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


def remove_later(session: AsyncSession, tenant_id: UUID, keys: Iterable[str]) -> None:
    """Have these removed once the transaction has been committed."""
    session.add_all([FileRemoval(tenant_id=tenant_id, key=key) for key in keys])


async def removals(session: AsyncSession, limit: int) -> Sequence[FileRemoval]:
    """What is to be removed, oldest first."""
    return await rows(session, FileRemoval, select_rows(FileRemoval).order_by(FileRemoval.id).limit(limit))


async def removed(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Forget these: they are gone."""
    await session.execute(delete(FileRemoval).where(FileRemoval.id.in_(ids)))
