"""Presence: who has an appointment open for a change right now. A row is worth nothing once its time is over."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, of_tenant, within_tenant
from models.database import send_signal
from models.user import User

# "tenant:appointment", when somebody opened or left it.
PRESENCE_CHANNEL = "sps_presence"
# Said again by the page while the appointment is open; a page that died is forgotten after this.
LASTS_S = 30.0


class Presence(Base):
    """That a user has an appointment open, up to a moment."""

    __tablename__ = "presences"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        within_tenant("user_id", "users", ondelete="CASCADE"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who has an appointment open."""

    user_id: UUID
    name: str
    expires_at: datetime
    seconds_left: float = field(compare=False)


async def come(session: AsyncSession, tenant_id: UUID, appointment_id: UUID, user_id: UUID) -> None:
    """Note that somebody has an appointment open, or still has, and tell every process; what is over is cleared away."""
    await session.execute(delete(Presence).where(Presence.expires_at <= func.now()))
    made = insert(Presence).values(
        tenant_id=tenant_id,
        appointment_id=appointment_id,
        user_id=user_id,
        expires_at=func.now() + text(f"interval '{LASTS_S} seconds'"),
    )
    await session.execute(
        made.on_conflict_do_update(
            index_elements=["tenant_id", "appointment_id", "user_id"], set_={"expires_at": made.excluded.expires_at}
        )
    )
    await send_signal(session, PRESENCE_CHANNEL, f"{tenant_id}:{appointment_id}")


async def leave(session: AsyncSession, tenant_id: UUID, appointment_id: UUID, user_id: UUID) -> None:
    """Note that somebody has closed an appointment."""
    await session.execute(
        delete(Presence).where(Presence.appointment_id == appointment_id, Presence.user_id == user_id)
    )
    await send_signal(session, PRESENCE_CHANNEL, f"{tenant_id}:{appointment_id}")


async def present_at(
    session: AsyncSession, appointment_ids: Collection[UUID] | None
) -> dict[UUID, tuple[Present, ...]]:
    """Who has which of the appointments (None: of all) open now; those that nobody has open are missing."""
    left = func.extract("epoch", Presence.expires_at - func.now())
    statement = (
        select(Presence.appointment_id, Presence.user_id, User.name, Presence.expires_at, left.label("seconds_left"))
        .join(User, User.id == Presence.user_id)
        .where(Presence.expires_at > func.now())
        .order_by(Presence.appointment_id, User.name, Presence.user_id)
    )
    if appointment_ids is not None:
        statement = statement.where(Presence.appointment_id.in_(appointment_ids))
    found: dict[UUID, tuple[Present, ...]] = {}
    for row in await session.execute(statement):
        one = Present(row.user_id, row.name, row.expires_at, float(row.seconds_left))
        found[row.appointment_id] = (*found.get(row.appointment_id, ()), one)
    return found
