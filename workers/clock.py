"""The clock: what is done each second by every worker, and what is done now and then by one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.purge import forget_tenants
from models.security_event import forget_access
from models.tick import forget_expired, take_tick
from models.usage import gather_usage
from models.webhook import forget_webhooks

log = structlog.get_logger("clock")
BEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Task:
    """Work that falls due every so many seconds, for one worker among all: each span of time is taken once."""

    name: str
    seconds: float
    work: Callable[[Transaction], Awaitable[None]]


TASKS: Sequence[Task] = (
    Task("forget expired", 3_600, forget_expired),
    Task("forget access", 3_600, forget_access),
    Task("forget tenants", 86_400, forget_tenants),
    Task("forget webhooks", 3_600, forget_webhooks),
    Task("gather usage", 21_600, gather_usage),
)


class Clock:
    """Beats each second.

    Args:
        beat: called at each beat, in every worker: what it does must be safe beside the others.
        tasks: done by whichever worker takes the tick. A task that fails is tried again in its next span.
    """

    def __init__(self, database: Database, beat: Callable[[], None], tasks: Sequence[Task] = TASKS) -> None:
        self._database = database
        self._beat = beat
        self._tasks = tasks
        self._due = dict.fromkeys(tasks, 0.0)

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._beat()
            for task in self._tasks:
                if self._due[task] <= loop.time():
                    # Asked several times a span, so that no worker's rhythm leaves one out.
                    self._due[task] = loop.time() + task.seconds / 4
                    await self.tick(task)
            await asyncio.sleep(BEAT_S)

    async def tick(self, task: Task) -> bool:
        """Do a task if nobody has in this span, and tell whether it was done here."""
        try:
            async with self._database.anonymous() as session:
                mine = await take_tick(session, task.name, task.seconds)
            if mine:
                async with self._database.anonymous() as session:
                    await task.work(session)
        except UNREACHABLE as error:
            log.warning("task not done", task=task.name, error=type(error).__name__)
            return False
        return mine
