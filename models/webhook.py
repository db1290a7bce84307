"""Webhook endpoints of partners, and the deliveries to them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.webhook import DeliveryState
from models.base import TenantRow, of_tenant, one_of, within_tenant
from models.page import Order, Page, fetch_page, instant
from models.query import all_of, select_rows


class WebhookEndpoint(TenantRow):
    """Where a partner is told of events. `planned_seq` is the last event for which deliveries have been planned; `failing_since`
    is when the first delivery failed after the last that did not. Its secret is not here: see `auth.webhook_secret`.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (of_tenant(),)

    url: Mapped[str]
    event_types: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    planned_seq: Mapped[int] = mapped_column(BigInteger)
    failing_since: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WebhookDelivery(TenantRow):
    """An event that an endpoint is to be told. What it tells is in the event's row alone, so that erasing that erases it here.

    `relay_at` is when somebody must look at it: none while an earlier one of its appointment is pending.
    `fence` counts the claims: whoever ends an attempt names the one it began with.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        of_tenant(),
        within_tenant("endpoint_id", "webhook_endpoints", ondelete="CASCADE"),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "endpoint_id", "seq"),
        Index(None, "tenant_id", "endpoint_id", "created_at", "id"),
        Index(None, "tenant_id", "appointment_id"),
        Index(
            "ix_webhook_deliveries_order",
            "tenant_id",
            "endpoint_id",
            "appointment_id",
            "seq",
            postgresql_where=text("state = 'PENDING'"),
        ),
        # Without a tenant on purpose: the relay serves all.
        Index("ix_webhook_deliveries_relay", "relay_at", postgresql_where=text("state = 'PENDING'")),
        Index("ix_webhook_deliveries_finished", "finished_at", postgresql_where=text("state <> 'PENDING'")),
    )

    endpoint_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    appointment_id: Mapped[UUID]
    event_type: Mapped[str]
    state: Mapped[DeliveryState] = mapped_column(one_of(DeliveryState, "state"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    response_status: Mapped[int | None]
    failure: Mapped[str | None]
    next_attempt_at: Mapped[datetime | None]
    relay_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


async def webhook_endpoints(session: AsyncSession) -> Sequence[WebhookEndpoint]:
    """All endpoints, oldest first."""
    return await all_of(session, WebhookEndpoint, WebhookEndpoint.id)


async def count_endpoints(session: AsyncSession) -> int:
    """How many endpoints there are."""
    return int((await session.execute(select(func.count()).select_from(WebhookEndpoint))).scalar_one())


async def lock_endpoint(session: AsyncSession, tenant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint | None:
    """An endpoint, locked until the transaction ends: what is planned and what ends for it goes one after the other."""
    return await session.get(
        WebhookEndpoint, (tenant_id, endpoint_id), with_for_update={"key_share": True}, populate_existing=True
    )


async def delete_endpoint(session: AsyncSession, endpoint_id: UUID) -> bool:
    """Delete an endpoint with its deliveries, and tell whether there was one."""
    found = await session.execute(
        delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).returning(WebhookEndpoint.id)
    )
    return found.first() is not None


NEWEST = Order[WebhookDelivery](
    "webhook-delivery-created",
    WebhookDelivery.__table__.c.created_at,
    lambda row: instant(row.created_at),
    descending=True,
)


async def page_of_deliveries(
    session: AsyncSession, endpoint_id: UUID, first: int | None, cursor: str | None
) -> Page[WebhookDelivery]:
    """An endpoint's deliveries, newest first."""
    statement = select_rows(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id)
    return await fetch_page(session, WebhookDelivery, statement, NEWEST, first, cursor)


async def forget_webhooks(session: AsyncSession) -> None:
    """Delete deliveries, of all tenants, that ended over 30 days ago."""
    await session.execute(text("SELECT forget_webhooks()"))
