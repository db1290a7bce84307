"""Partitions of events and messages, by quarter: made ahead, and dropped whole when all that is in them is older than is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncSession

# With fewer a bill, or a comparison with the year before, would lack rows; the database's function holds it too.
LEAST_MONTHS = 13


@dataclass(frozen=True, slots=True)
class Tended:
    """What was done: `made`, `dropped` or `analyzed`; `elsewhere` or `busy` when another is at it, or the table was in use.

    `astray` counts rows, up to a thousand, in the partition for what has no other: there should be none.
    """

    done: str | None
    partition: str | None
    astray: int


async def tend_partitions(session: AsyncSession, table: str, kept_months: int) -> Tended:
    """Do the next thing that a partitioned table needs, if there is one: at most one, since its locks last until the commit.

    Args:
        table: events or messages.
        kept_months: a partition whose every row is older is dropped; 0 keeps all.
    """
    # Rows that went astray are moved by it, and planner's statistics gathered: more than what a request may take.
    await session.execute(text("SET LOCAL statement_timeout = '5min'"))
    found = await session.execute(
        text("SELECT done, partition, astray FROM tend_partitions(:parent, :kept)"),
        {"parent": table, "kept": kept_months},
    )
    return Tended(*found.one())


async def rows_astray(session: AsyncSession) -> Sequence[tuple[str, int]]:
    """For each partitioned table how many rows, up to a thousand, lie outside of all its quarters."""
    return [(row.parent, row.astray) for row in await session.execute(text("SELECT parent, astray FROM rows_astray()"))]


def partition_names(connection: Connection) -> frozenset[str]:
    """The names of all partitions of the schema."""
    found = connection.execute(
        text("SELECT relname FROM pg_class WHERE relispartition AND relnamespace = current_schema()::regnamespace")
    )
    return frozenset(found.scalars())
