"""What we asked of Stripe: written down before the call, since its id is the call's idempotency key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import TenantRow, of_tenant


class BillingRequest(TenantRow):
    """A page at Stripe that somebody asked for: a checkout of a plan, or the portal. `url` is null until Stripe answered.

    A call that is made again after a crash has the same key and the same parameters, so Stripe does it once.
    """

    __tablename__ = "billing_requests"
    __table_args__ = (of_tenant(), Index(None, "created_at"))

    operation: Mapped[str]
    plan_code: Mapped[str | None]
    trial_end: Mapped[datetime | None]
    subscription_id: Mapped[str | None]
    item_id: Mapped[str | None]
    url: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def request_of(session: AsyncSession, tenant_id: UUID, request_id: UUID) -> BillingRequest | None:
    """A request by its id."""
    return await session.get(BillingRequest, (tenant_id, request_id))
