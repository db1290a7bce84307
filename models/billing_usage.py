"""Usage, counted from our own rows, and what of it Stripe has been told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.ids import new_id
from models.appointment import Appointment
from models.base import Base, of_tenant
from models.message import Message
from models.technician import Technician

METERS = ("technicians", "appointments", "messages")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a business used in a period: technicians are those active now, the others count over the period."""

    technicians: int
    appointments: int
    messages: int


class UsageReport(Base):
    """The latest reading of one meter in one period. Written before Stripe is told, so that a crash between repeats the
    same `identifier`; Stripe counts one identifier once. `reported_at` is null until Stripe has it."""

    __tablename__ = "usage_reports"
    __table_args__ = (of_tenant(),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    meter: Mapped[str] = mapped_column(primary_key=True)
    period_start: Mapped[datetime] = mapped_column(primary_key=True)
    period_end: Mapped[datetime | None]
    value: Mapped[int] = mapped_column(BigInteger)
    read_at: Mapped[datetime]
    identifier: Mapped[UUID]
    reported_at: Mapped[datetime | None]
    closed: Mapped[bool] = mapped_column(server_default=text("false"))


async def active_technicians(session: AsyncSession, tenant_id: UUID) -> int:
    """How many technicians the plan counts."""
    statement = select(func.count()).where(Technician.tenant_id == tenant_id, Technician.active)
    return int((await session.execute(statement)).scalar_one())


async def usage_between(session: AsyncSession, tenant_id: UUID, start: datetime, end: datetime | None) -> Usage:
    """Appointments made and messages sent from `start` up to `end`, and the technicians who are active now."""
    made = select(func.count()).where(Appointment.tenant_id == tenant_id, Appointment.created_at >= start)
    sent = select(func.count()).where(Message.tenant_id == tenant_id, Message.sent_at >= start)
    if end is not None:
        made, sent = made.where(Appointment.created_at < end), sent.where(Message.sent_at < end)
    return Usage(
        technicians=await active_technicians(session, tenant_id),
        appointments=int((await session.execute(made)).scalar_one()),
        messages=int((await session.execute(sent)).scalar_one()),
    )


async def note_readings(
    session: AsyncSession,
    tenant_id: UUID,
    period: tuple[datetime, datetime | None],
    values: Mapping[str, int],
    read_at: datetime,
) -> None:
    """Write readings of a period down; one that is as it was reported stays as it is."""
    table = UsageReport.__table__
    start, end = period
    for meter, value in values.items():
        changed = {"value": value, "read_at": read_at, "identifier": new_id(), "reported_at": None}
        statement = insert(UsageReport).values(
            tenant_id=tenant_id, meter=meter, period_start=start, period_end=end, **changed
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "meter", "period_start"], set_=changed, where=table.c.value != value
            )
        )


async def open_periods(session: AsyncSession, tenant_id: UUID, before: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Earlier periods whose last reading has not been taken: (start, end)."""
    found = await session.execute(
        select(UsageReport.period_start, func.coalesce(func.max(UsageReport.period_end), before))
        .where(UsageReport.tenant_id == tenant_id, UsageReport.period_start < before, ~UsageReport.closed)
        .group_by(UsageReport.period_start)
    )
    return [(row[0], row[1]) for row in found]


async def close_period(session: AsyncSession, tenant_id: UUID, start: datetime) -> None:
    """Take no further reading of a period."""
    await session.execute(
        update(UsageReport)
        .where(UsageReport.tenant_id == tenant_id, UsageReport.period_start == start)
        .values(closed=True)
    )


async def unreported(session: AsyncSession, tenant_id: UUID, newest: timedelta) -> Sequence[UsageReport]:
    """Readings that Stripe has not been told, of the time in which it still takes them, oldest first."""
    found = await session.execute(
        select(UsageReport)
        .where(
            UsageReport.tenant_id == tenant_id,
            UsageReport.reported_at.is_(None),
            UsageReport.read_at > func.now() - newest,
        )
        .order_by(UsageReport.read_at, UsageReport.meter)
    )
    return found.scalars().all()


async def note_reported(session: AsyncSession, tenant_id: UUID, identifier: UUID) -> None:
    """Stripe has this reading; one that was taken meanwhile is still to be told."""
    await session.execute(
        update(UsageReport)
        .where(UsageReport.tenant_id == tenant_id, UsageReport.identifier == identifier)
        .values(reported_at=func.now())
    )
