"""The security log of a tenant: the app's role can add to it and read it, and change nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import TenantRow, of_tenant
from models.page import Order, Page, fetch_page, instant
from models.query import select_rows


class SecurityEvent(TenantRow):
    """An entry. The ids of user and key are no foreign keys: the log outlives whom it tells of."""

    __tablename__ = "security_events"
    __table_args__ = (
        of_tenant(),
        Index(None, "tenant_id", "occurred_at", "id"),
        # For the retention, which goes through all tenants.
        Index("ix_security_events_occurred_at", "occurred_at"),
    )

    # A domain.security_event.SecurityEventType, as plain text: a new kind needs no migration.
    type: Mapped[str]
    actor: Mapped[str | None]
    user_id: Mapped[UUID | None]
    api_key_id: Mapped[UUID | None]
    ip: Mapped[str | None]
    city: Mapped[str | None]
    user_agent: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


NEWEST_FIRST = Order[SecurityEvent](
    "security-event",
    SecurityEvent.__table__.c.occurred_at,
    lambda row: instant(row.occurred_at),
    descending=True,
)


async def page_of_security_events(session: AsyncSession, first: int | None, cursor: str | None) -> Page[SecurityEvent]:
    """The log, newest first."""
    return await fetch_page(session, SecurityEvent, select_rows(SecurityEvent), NEWEST_FIRST, first, cursor)


async def forget_access(session: AsyncSession) -> None:
    """Delete what has had its time, of all tenants: the log's entries after 365 days, mails, links and throttles."""
    await session.execute(text("SELECT forget_access()"))
