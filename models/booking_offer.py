"""Offers of the booking page that were used: each is good for one booking."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Index, delete, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import TenantRow, of_tenant, within_tenant

# Longer than any offer is good for: what is older can be forgotten.
KEPT = timedelta(days=2)


class BookingOffer(TenantRow):
    """An offer, by the id in its token, and what was booked with it."""

    __tablename__ = "booking_offers"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        Index(None, "tenant_id", "used_at"),
    )

    appointment_id: Mapped[UUID]
    used_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def use_offer(session: AsyncSession, tenant_id: UUID, offer_id: UUID, appointment_id: UUID) -> bool:
    """Use an offer up, and tell whether it still was to be had; waits for a transaction that is using it just now."""
    await session.execute(delete(BookingOffer).where(BookingOffer.used_at < func.now() - KEPT))
    statement = (
        insert(BookingOffer)
        .values(tenant_id=tenant_id, id=offer_id, appointment_id=appointment_id)
        .on_conflict_do_nothing()
        .returning(BookingOffer.id)
    )
    return (await session.execute(statement)).first() is not None
