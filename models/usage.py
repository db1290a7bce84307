"""Anonymous usage: how often a feature was used on a day, over all businesses, and nothing where fewer than five used it."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import BigInteger, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.query import rows, select_rows


class UsageFigure(Base):
    """One figure. No tenant's, and with nothing in it that leads to one."""

    __tablename__ = "usage_figures"

    day: Mapped[date] = mapped_column(primary_key=True)
    feature: Mapped[str] = mapped_column(primary_key=True)
    uses: Mapped[int] = mapped_column(BigInteger)


async def gather_usage(session: AsyncSession, day: date | None = None) -> None:
    """Count a day (UTC) anew, yesterday when left out; the database's function holds the threshold, so that nobody can ask
    for less."""
    # A day of all businesses is more than what a request may read.
    await session.execute(text("SET LOCAL statement_timeout = '5min'"))
    await session.execute(
        text("SELECT gather_usage(coalesce(CAST(:day AS date), (now() AT TIME ZONE 'UTC')::date - 1))"), {"day": day}
    )


async def usage_of(session: AsyncSession, day: date) -> Sequence[UsageFigure]:
    """The figures of a day."""
    statement = select_rows(UsageFigure).where(UsageFigure.day == day)
    return await rows(session, UsageFigure, statement.order_by(UsageFigure.feature))
