"""Token buckets of attempts, in the database so that all processes share them; a database that is away lets nobody in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Float, LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Throttle(Base):
    """A bucket. `key` is an HMAC of whose it is: the table names nobody. No tenant's, reached through functions alone."""

    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    level: Mapped[float] = mapped_column(Float)
    updated_at: Mapped[datetime]


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """A bucket that holds `capacity` attempts and gets `per_second` back."""

    key: bytes
    capacity: float
    per_second: float


async def take_attempt(session: AsyncSession, buckets: Sequence[Bucket]) -> float:
    """Take one attempt from all buckets, or none and tell the seconds until all have one."""
    # In the order of keys, or two who take from the same pair lock each other out.
    wanted = sorted(buckets)
    found = await session.execute(
        text("SELECT take_attempt(:keys, :capacities, :rates)"),
        {
            "keys": [each.key for each in wanted],
            "capacities": [each.capacity for each in wanted],
            "rates": [each.per_second for each in wanted],
        },
    )
    return float(found.scalar_one())


async def give_attempt_back(session: AsyncSession, buckets: Sequence[Bucket]) -> None:
    """Put an attempt back that turned out well."""
    wanted = sorted(buckets)
    await session.execute(
        text("SELECT give_attempt_back(:keys, :capacities)"),
        {"keys": [each.key for each in wanted], "capacities": [each.capacity for each in wanted]},
    )
