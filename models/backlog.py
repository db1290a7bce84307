"""How much waits: what is due and not done, of all tenants, as numbers alone."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def backlog(session: AsyncSession) -> Sequence[tuple[str, int]]:
    """The queues and how many wait in each."""
    return [(row.queue, row.waiting) for row in await session.execute(text("SELECT queue, waiting FROM backlog()"))]
