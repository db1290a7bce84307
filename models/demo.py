"""Writing the demo business: many rows at once, in one transaction that may wait for another one."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import Base

PATIENCE_MS = 60_000
_PATIENCE = text(
    "SELECT set_config('lock_timeout', :milliseconds, true), set_config('statement_timeout', :milliseconds, true)"
)


async def be_patient(session: AsyncSession) -> None:
    """Let this transaction wait: who seeds second meets the first one's address, and must learn whether it commits."""
    await session.execute(_PATIENCE, {"milliseconds": str(PATIENCE_MS)})


async def insert_rows(session: AsyncSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns. The ORM would keep each of the thousands as an object."""
    if rows:
        await session.execute(insert(cast("Table", model.__table__)), rows)
