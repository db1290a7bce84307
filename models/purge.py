"""Taking a business's rows away for good, a few at a time, so that nobody else ever waits for a lock of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, func, or_, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.tenant import TenantStatus
from models.all import metadata
from models.row_security import BROKER_SCHEMA
from models.tenant import Tenant

# What stays after a purge, and why; the rows hold ids, sums, dates and addresses of machines, and nothing of what was done.
KEPT_AFTER_PURGE = {
    "billing_accounts": "tax and accounting rules: 7 years",
    "billing_records": "tax and accounting rules: 7 years",
    "billing_subscriptions": "tax and accounting rules: 7 years",
    "usage_reports": "tax and accounting rules: 7 years",
    "security_events": "incident response: 1 year",
}
LEASE = timedelta(seconds=60)
# A URL for an upload that was given out before the purge is good for some minutes more.
LAST_SWEEP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Due:
    """Work on a business's data that somebody must do now."""

    task: str
    tenant_id: UUID
    id: UUID | None


@dataclass(frozen=True, slots=True)
class PurgeClaim:
    """The right to purge a business; `again`: it was purged, and this is the last look for what came late."""

    again: bool


def purged_tables() -> list[str]:
    """The tables that a purge empties: all of tenants, those that refer to others first."""
    return [
        table.name
        for table in reversed(metadata.sorted_tables)
        if "tenant_id" in table.c and table.name not in KEPT_AFTER_PURGE
    ]


async def due_upkeep(session: AsyncSession, moment: datetime | None, room: int) -> Sequence[Due]:
    """What is to be done now, of all tenants: export, tidy, purge.

    Args:
        moment: what counts as now for what expires; None: the database's clock.
        room: at most so many of each kind.
    """
    found = await session.execute(
        text("SELECT task, tenant_id, id FROM due_upkeep(coalesce(:moment, now()), :room)"),
        {"moment": moment, "room": room},
    )
    return [Due(row.task, row.tenant_id, row.id) for row in found]


async def claim_purge(session: AsyncSession, tenant_id: UUID, moment: datetime | None) -> PurgeClaim | None:
    """Begin or go on with a purge that is due, and nobody else's. From this commit on the business cannot be restored."""
    now = func.now() if moment is None else moment
    clock = func.clock_timestamp()
    row = (
        await session.execute(
            update(Tenant)
            .where(
                Tenant.id == tenant_id,
                Tenant.status == TenantStatus.CANCELLED,
                or_(Tenant.purge_started_at.is_not(None), Tenant.purge_after < now),
                or_(
                    and_(Tenant.purged_at.is_(None), Tenant.purge_claimed_until.is_(None)),
                    Tenant.purge_claimed_until <= clock,
                ),
            )
            .values(
                purge_started_at=func.coalesce(Tenant.purge_started_at, func.now()), purge_claimed_until=clock + LEASE
            )
            .returning(Tenant.purged_at)
        )
    ).first()
    return None if row is None else PurgeClaim(again=row.purged_at is not None)


async def purge_rows(session: AsyncSession, tenant_id: UUID, table: str, room: int) -> int:
    """Delete up to so many rows of the transaction's tenant, whose purge has begun, and hold the claim on."""
    held = update(Tenant).where(Tenant.id == tenant_id)
    await session.execute(held.values(purge_claimed_until=func.clock_timestamp() + LEASE))
    found = await session.execute(text("SELECT purge_rows(:table, :room)"), {"table": table, "room": room})
    return int(found.scalar_one())


async def purge_queue(session: AsyncSession, tenant_id: UUID) -> None:
    """Take back what waits on the broker for the business, where the broker is the database; elsewhere ids alone wait."""
    await session.execute(
        text(f"DELETE FROM {BROKER_SCHEMA}.queue WHERE position(:tenant IN message::text) > 0"),  # noqa: S608 (a constant)
        {"tenant": str(tenant_id)},
    )


async def empty_tenant(session: AsyncSession, tenant_id: UUID) -> None:
    """Leave nothing in the business's own row but when it came and went, and no name in its security log; files are looked
    for once more later."""
    await session.execute(text("SELECT unname_security_events()"))
    await session.execute(
        update(Tenant)
        .where(Tenant.id == tenant_id)
        .values(
            name="",
            email="",
            phone=None,
            cancel_reason=None,
            status_before=None,
            purged_at=func.now(),
            purge_claimed_until=func.clock_timestamp() + LAST_SWEEP,
        )
    )


async def swept(session: AsyncSession, tenant_id: UUID) -> None:
    """Note that no files are left either, and that none can come any more."""
    await session.execute(update(Tenant).where(Tenant.id == tenant_id).values(purge_claimed_until=None))


async def forget_tenants(session: AsyncSession) -> None:
    """Delete the empty rows of businesses that were purged over a year ago and to which no kept record points any more."""
    await session.execute(text("SELECT forget_tenants()"))
