"""Stripe's events, kept before they are answered and done once; reached by functions alone, since they are all tenants'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import Base


class StripeEvent(Base):
    """An event. `body` is what `domain.billing_event.reduced` leaves of its object: ids, states, sums and dates.

    `outcome` says what became of it once `done_at` is set; until then `next_attempt_at` is when the sweep takes it up.
    """

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("ix_stripe_events_waiting", "next_attempt_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_stripe_events_done_at", "done_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    created: Mapped[int] = mapped_column(BigInteger)
    customer_id: Mapped[str | None]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    failure: Mapped[str | None]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event as it was kept. `tenant_id` is that of its customer, where we know one."""

    id: str
    type: str
    created: int
    customer_id: str | None
    body: Mapping[str, Any]
    tenant_id: UUID | None
    attempts: int = 0


async def keep_event(
    session: AsyncSession,
    event_id: str,
    event_type: str,
    created: int,
    customer_id: str | None,
    body: Mapping[str, Any],
    lease_seconds: float,
) -> tuple[bool, UUID | None]:
    """Keep an event, unless it is kept already; the sweep leaves it alone for the lease.

    Returns:
        Whether it is still to be done, and whose it is.
    """
    found = await session.execute(
        text("SELECT * FROM keep_stripe_event(:id, :type, :created, :customer, CAST(:body AS jsonb), :lease)"),
        {
            "id": event_id,
            "type": event_type,
            "created": created,
            "customer": customer_id,
            "body": orjson.dumps(body).decode(),
            "lease": lease_seconds,
        },
    )
    row = found.one()
    return bool(row.waiting), row.tenant_id


async def due_events(session: AsyncSession, lease_seconds: float, room: int) -> Sequence[KeptEvent]:
    """Take events that are waiting, oldest first; nobody else is given them within the lease."""
    found = await session.execute(
        text("SELECT * FROM due_stripe_events(:lease, :room)"), {"lease": lease_seconds, "room": room}
    )
    return [KeptEvent(**row) for row in found.mappings()]


async def look_up_customer(session: AsyncSession, customer_id: str) -> UUID | None:
    """The tenant that is this customer at Stripe."""
    found = await session.execute(text("SELECT look_up_stripe_customer(:wanted)"), {"wanted": customer_id})
    tenant_id: UUID | None = found.scalar_one_or_none()
    return tenant_id


async def finish_event(session: AsyncSession, event_id: str, outcome: str) -> bool:
    """Note what became of it, in the transaction of its effects. False: somebody has done it already.

    Whoever comes second waits for the first one's commit: without that, two deliveries at one moment would both be done.
    """
    found = await session.execute(
        text("SELECT finish_stripe_event(:id, :outcome)"), {"id": event_id, "outcome": outcome}
    )
    return bool(found.scalar_one())


async def defer_event(session: AsyncSession, event_id: str, seconds: float, failure: str) -> None:
    """Have the sweep try it again, not before so many seconds."""
    await session.execute(
        text("SELECT defer_stripe_event(:id, :seconds, :failure)"),
        {"id": event_id, "seconds": seconds, "failure": failure[:500]},
    )
