"""Records of invoices, kept for seven years: numbers, sums and dates, and nothing of what the business did."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, Table, UniqueConstraint, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.billing_event import InvoiceReport
from domain.ids import new_id
from models.base import TenantRow
from models.page import Order, Page, fetch_page
from models.query import select_rows


class BillingRecord(TenantRow):
    """An invoice. No foreign key leads to the tenant, on purpose: the record outlives all its rows.

    `event_at`, `event_rank` and `event_id` name the report that it shows.
    """

    __tablename__ = "billing_records"
    __table_args__ = (
        UniqueConstraint("tenant_id", "provider_id"),
        Index(None, "tenant_id", "issued_at", "id"),
        # Global on purpose: what is older than seven years goes, whosesoever it is.
        Index("ix_billing_records_issued_at", "issued_at"),
    )

    provider_id: Mapped[str]
    subscription_id: Mapped[str | None]
    number: Mapped[str | None]
    status: Mapped[str]
    total: Mapped[Decimal]
    currency: Mapped[str]
    issued_at: Mapped[datetime]
    period_start: Mapped[datetime | None]
    period_end: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    url: Mapped[str | None]
    event_at: Mapped[int] = mapped_column(BigInteger)
    event_rank: Mapped[int] = mapped_column(SmallInteger)
    event_id: Mapped[str]


async def note_invoice(session: AsyncSession, tenant_id: UUID, report: InvoiceReport) -> None:
    """Take a report over, unless one of a later state is known; the first failed attempt stays noted in any case."""
    table = cast("Table", BillingRecord.__table__)
    values: dict[str, Any] = {
        "subscription_id": report.subscription_id,
        "number": report.number,
        "status": report.status,
        "total": report.total,
        "currency": report.currency,
        "issued_at": report.issued_at,
        "period_start": report.period_start,
        "period_end": report.period_end,
        "paid_at": report.paid_at,
        "url": report.url,
        "event_at": report.version.at,
        "event_rank": report.version.rank,
        "event_id": report.version.event_id,
    }
    written = insert(BillingRecord).values(
        tenant_id=tenant_id, id=new_id(), provider_id=report.provider_id, failed_at=report.failed_at, **values
    )
    given = written.excluded
    # The state before the second: it only goes forward, while Stripe's clock has no finer hand.
    later = tuple_(table.c.event_rank, table.c.event_at, table.c.event_id) < tuple_(
        given.event_rank, given.event_at, given.event_id
    )
    await session.execute(
        written.on_conflict_do_update(index_elements=["tenant_id", "provider_id"], set_=values, where=later)
    )
    if report.failed_at is not None:
        await session.execute(
            table.update()
            .where(table.c.tenant_id == tenant_id, table.c.provider_id == report.provider_id)
            .values(failed_at=func.least(table.c.failed_at, report.failed_at))
        )


async def overdue_since(session: AsyncSession, tenant_id: UUID, subscription_id: str) -> datetime | None:
    """When the subscription's oldest invoice was issued that could not be collected and still is open."""
    found = await session.execute(
        select(func.min(BillingRecord.issued_at)).where(
            BillingRecord.tenant_id == tenant_id,
            BillingRecord.subscription_id == subscription_id,
            BillingRecord.status == "OPEN",
            BillingRecord.failed_at.is_not(None),
        )
    )
    return found.scalar_one_or_none()


NEWEST_FIRST = Order[BillingRecord](
    "invoice-issued", BillingRecord.__table__.c.issued_at, lambda row: row.issued_at.isoformat(), descending=True
)


async def page_of_invoices(session: AsyncSession, first: int | None, cursor: str | None) -> Page[BillingRecord]:
    """The business's invoices, newest first; drafts are none yet."""
    statement = select_rows(BillingRecord).where(BillingRecord.status != "DRAFT")
    return await fetch_page(session, BillingRecord, statement, NEWEST_FIRST, first, cursor)


async def records_of(session: AsyncSession, tenant_id: UUID) -> Sequence[BillingRecord]:
    """All records of a business, drafts too."""
    found = await session.execute(select(BillingRecord).where(BillingRecord.tenant_id == tenant_id))
    return found.scalars().all()
