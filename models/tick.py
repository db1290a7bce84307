"""The clock's ticks: each span of time of a periodic task is worked by whoever writes its row first."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Tick(Base):
    """One span of one task: taken. No tenant's, so that it has no tenant; kept for a day."""

    __tablename__ = "ticks"

    task: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)


_TAKE = text(
    "INSERT INTO ticks (task, starts_at)"
    " VALUES (:task, date_bin(make_interval(secs => :seconds), now(), '2000-01-01 00:00:00+00'))"
    " ON CONFLICT DO NOTHING RETURNING true"
)


async def take_tick(session: AsyncSession, task: str, seconds: float) -> bool:
    """Whether this process is the one that does the task now: true once in each span of so many seconds.

    Spans are the database's: a machine whose clock is wrong takes part like any other.
    """
    return (await session.execute(_TAKE, {"task": task, "seconds": seconds})).scalar() is not None


async def forget_expired(session: AsyncSession) -> None:
    """Delete what has had its time, of all tenants: ticks after a day, log-ins and idempotency keys that have expired."""
    await session.execute(text("DELETE FROM ticks WHERE starts_at < now() - interval '1 day'"))
    await session.execute(text("SELECT forget_expired()"))
