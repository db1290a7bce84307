"""Exports: asked for by a business, written by a worker from checkpoint to checkpoint, kept for seven days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, delete, func, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.export import KEPT, LEASE, MOST_ATTEMPTS, ExportState, export_prefix
from models.base import TenantRow, of_tenant, one_of
from models.file_removal import remove_later
from models.query import rows, select_rows


class Export(TenantRow):
    """One archive. `progress` is what the next worker goes on from, if this one dies; `fence` counts the claims."""

    __tablename__ = "exports"
    __table_args__ = (
        of_tenant(),
        Index("ix_exports_lease_until", "lease_until", postgresql_where=text("state IN ('QUEUED', 'RUNNING')")),
        Index(None, "expires_at"),
        # A second request while one is written joins it.
        Index(
            "uq_exports_unfinished", "tenant_id", unique=True, postgresql_where=text("state IN ('QUEUED', 'RUNNING')")
        ),
    )

    state: Mapped[ExportState] = mapped_column(one_of(ExportState, "state"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    byte_size: Mapped[int | None] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    lease_until: Mapped[datetime] = mapped_column(server_default=func.now())
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


@dataclass(frozen=True, slots=True)
class ExportClaim:
    """The right to write an archive, from a checkpoint or from the start."""

    fence: int
    progress: dict[str, Any] | None


async def exports_newest_first(session: AsyncSession) -> Sequence[Export]:
    """The tenant's exports."""
    return await rows(session, Export, select_rows(Export).order_by(Export.created_at.desc(), Export.id.desc()))


async def unfinished_export(session: AsyncSession) -> Export | None:
    """The one that is waiting or being written."""
    statement = select_rows(Export).where(Export.state.in_([ExportState.QUEUED, ExportState.RUNNING]))
    found = await rows(session, Export, statement)
    return found[0] if found else None


async def claim_export(session: AsyncSession, export_id: UUID) -> ExportClaim | None:
    """Take it; None when somebody writes it, or nobody need to. After too many attempts it becomes FAILED."""
    unclaimed = (
        Export.id == export_id,
        Export.state.in_([ExportState.QUEUED, ExportState.RUNNING]),
        Export.lease_until <= func.clock_timestamp(),
    )
    await session.execute(
        update(Export).where(*unclaimed, Export.attempts >= MOST_ATTEMPTS).values(state=ExportState.FAILED)
    )
    row = (
        await session.execute(
            update(Export)
            .where(*unclaimed, Export.attempts < MOST_ATTEMPTS)
            .values(
                state=ExportState.RUNNING,
                attempts=Export.attempts + 1,
                fence=Export.fence + 1,
                lease_until=func.clock_timestamp() + LEASE,
            )
            .returning(Export.fence, Export.progress)
        )
    ).first()
    return ExportClaim(row.fence, row.progress) if row else None


async def checkpoint(session: AsyncSession, export_id: UUID, fence: int, progress: dict[str, Any]) -> bool:
    """Note how far it is, and keep it for a further lease; False when another worker has it, or it is gone."""
    return await _held(session, export_id, fence, progress=progress, lease_until=func.clock_timestamp() + LEASE)


async def finish_export(session: AsyncSession, export_id: UUID, fence: int, byte_size: int) -> bool:
    """It is whole: READY, for seven days from now."""
    return await _held(
        session,
        export_id,
        fence,
        state=ExportState.READY,
        byte_size=byte_size,
        progress=None,
        finished_at=func.now(),
        expires_at=func.now() + KEPT,
    )


async def give_export_back(session: AsyncSession, export_id: UUID, fence: int, seconds: float) -> None:
    """The attempt broke down: the next one may begin in some seconds."""
    await _held(session, export_id, fence, lease_until=func.clock_timestamp() + timedelta(seconds=seconds))


async def _held(session: AsyncSession, export_id: UUID, fence: int, **values: Any) -> bool:
    found = await session.execute(
        update(Export)
        .where(Export.id == export_id, Export.fence == fence, Export.state == ExportState.RUNNING)
        .values(**values)
        .returning(Export.id)
    )
    return found.first() is not None


async def forget_exports(session: AsyncSession, tenant_id: UUID, expired_at: datetime) -> None:
    """Delete those of the tenant's exports that have expired at that moment, with their archives."""
    statement = delete(Export).where(
        Export.expires_at <= expired_at, Export.state.in_([ExportState.READY, ExportState.FAILED])
    )
    gone = (await session.execute(statement.returning(Export.id))).scalars().all()
    remove_later(session, tenant_id, [export_prefix(tenant_id, export_id) for export_id in gone])


async def begin_exports_anew(session: AsyncSession, tenant_id: UUID) -> None:
    """Something was erased: archives that may hold it go, and one that is being written is begun again."""
    ready = delete(Export).where(
        Export.tenant_id == tenant_id, Export.state.in_([ExportState.READY, ExportState.FAILED])
    )
    gone = (await session.execute(ready.returning(Export.id))).scalars().all()
    remove_later(session, tenant_id, [export_prefix(tenant_id, export_id) for export_id in gone])
    await session.execute(
        update(Export)
        .where(Export.tenant_id == tenant_id, Export.state == ExportState.RUNNING)
        .values(
            state=ExportState.QUEUED,
            fence=Export.fence + 1,
            attempts=0,
            progress=None,
            lease_until=func.clock_timestamp(),
        )
    )
