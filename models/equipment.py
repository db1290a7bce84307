"""Equipment: the appliances at the addresses that are visited, as their dataplates tell."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped

from models.base import TenantRow, Timestamps, of_tenant, within_tenant
from models.query import among, rows, select_rows


class Equipment(Timestamps, TenantRow):
    """One appliance at an address."""

    __tablename__ = "equipment"
    __table_args__ = (
        of_tenant(),
        within_tenant("address_id", "customer_addresses", ondelete="CASCADE"),
        Index(None, "tenant_id", "address_id"),
    )

    address_id: Mapped[UUID]
    kind: Mapped[str]
    make: Mapped[str | None]
    model: Mapped[str | None]
    serial_number: Mapped[str | None]
    notes: Mapped[str | None]


async def equipment_at(session: AsyncSession, address_ids: Sequence[UUID]) -> Sequence[Equipment]:
    """The appliances at these addresses, oldest first."""
    statement = select_rows(Equipment).where(among(Equipment.address_id, address_ids))
    return await rows(session, Equipment, statement.order_by(Equipment.address_id, Equipment.id))
