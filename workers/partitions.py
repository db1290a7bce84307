"""The clock's care for partitioned tables: the coming quarters are there before their rows, and the oldest go in time."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from models.database import Transaction
from models.partition import tend_partitions
from settings import Settings
from workers.clock import Task

log = structlog.get_logger("partitions")


def partition_tasks(settings: Settings) -> Sequence[Task]:
    """One task for each table; hourly, so that one that found the table in use soon tries again."""
    kept = {"events": settings.events_kept_months, "messages": settings.messages_kept_months}
    return [Task(f"partitions of {table}", 3_600, _tending(table, months)) for table, months in kept.items()]


def _tending(table: str, kept_months: int) -> Callable[[Transaction], Awaitable[None]]:
    async def tend(session: Transaction) -> None:
        tended = await tend_partitions(session, table, kept_months)
        if tended.partition:
            log.info("partition tended", done=tended.done, table=table, partition=tended.partition)
        if tended.done == "busy":
            log.info("partitions left for later", table=table)
        if tended.astray:
            log.warning("rows outside of all partitions", table=table, rows=tended.astray)

    return tend
