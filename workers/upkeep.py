"""Exports, purges and the tidying of files: found by a look each second, done by Dramatiq's workers, a few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from uuid import UUID

import dramatiq
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.worker import Worker

from integrations.file_store import FileStore, file_store
from models.database import Database
from models.errors import UNREACHABLE
from models.purge import Due, due_upkeep
from resolvers.export_run import run_export
from resolvers.purge import purge_tenant
from resolvers.upkeep import AT_ONCE as REMOVED_AT_ONCE
from resolvers.upkeep import tidy
from settings import Settings

log = structlog.get_logger("upkeep")

QUEUE = "upkeep"
LOOK_S, BUSY_S = 1.0, 0.1
# What was queued stays due until somebody claims it: it is not queued again before this.
AGAIN_S = 10.0
# In one process at the same time, and waiting for that: exports are long, and messages need the other threads.
AT_ONCE, WAITING = 2, 2
# Queued and still due: the broker's queue is kept short on purpose.
QUEUED = 4
ROOM = 50
POOL = 2 * AT_ONCE + 1

Send = Callable[[Due], object]


class Upkeep(dramatiq.Middleware):
    """Opens on Dramatiq's own loop what the actor needs, and closes it there: connections belong to their loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._store: FileStore | None = None
        self._under_way: set[Due] = set()
        self._places = asyncio.Semaphore(AT_ONCE)

    def after_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:
        """Open."""
        loop = get_event_loop_thread()
        if loop is None:
            raise RuntimeError("the AsyncIO middleware comes first")
        loop.run_coroutine(self._open())

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        """Close. Called before the AsyncIO middleware, which was added first, stops the loop."""
        loop = get_event_loop_thread()
        if loop is not None:
            loop.run_coroutine(self._close())

    async def work(self, task: str, tenant_id: str, row_id: str | None) -> None:
        """The actor. What is under way here, or finds no place to wait, stays due and is queued again."""
        due = Due(task, UUID(tenant_id), UUID(row_id) if row_id else None)
        if due in self._under_way or len(self._under_way) >= AT_ONCE + WAITING:
            return
        if self._database is None or self._store is None:
            raise RuntimeError("the worker has not booted")
        self._under_way.add(due)
        try:
            async with self._places:
                await do(self._database, self._store, due)
        except UNREACHABLE as error:
            log.warning("upkeep interrupted", task=task, error=type(error).__name__)
        finally:
            self._under_way.discard(due)

    async def _open(self) -> None:
        self._database = Database.of(self._settings, pool_size=POOL)
        self._store = file_store(self._settings)

    async def _close(self) -> None:
        if self._database is not None:
            await self._database.close()


async def do(database: Database, store: FileStore, due: Due) -> None:
    """Do one thing that is due."""
    match due.task:
        case "export" if due.id is not None:
            await run_export(database, store, due.tenant_id, due.id)
        case "tidy":
            while await tidy(database, store, due.tenant_id) == REMOVED_AT_ONCE:
                pass
        case "purge":
            await purge_tenant(database, store, due.tenant_id)
        case _:
            raise ValueError(f"no such task: {due.task}")


def declare(broker: dramatiq.Broker, settings: Settings) -> Send:
    """Declare the actor on a broker, and give the function that queues what is due for it."""
    upkeep = Upkeep(settings)
    broker.add_middleware(upkeep)
    actor = dramatiq.actor(actor_name="upkeep", queue_name=QUEUE, broker=broker)(upkeep.work)
    return lambda due: actor.send(due.task, str(due.tenant_id), str(due.id) if due.id else None)


class Lookout:
    """Looks each second for what is due, of all tenants, and queues it.

    Several may look: who works a thing off claims it first, so that twice queued is once done.

    Args:
        send: puts it on the broker; blocks.
        now: a clock in seconds.
    """

    def __init__(self, database: Database, send: Send, now: Callable[[], float] = monotonic) -> None:
        self._database = database
        self._send = send
        self._now = now
        # What is due, and when it was last queued.
        self._queued: dict[Due, float] = {}
        # One thread: the brokers' connections are each a thread's own.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upkeep")

    async def run(self) -> None:
        """Look until cancelled; neither a lost database nor a lost broker ends it."""
        while True:
            queued = 0
            try:
                queued = await self.look()
            except UNREACHABLE as error:
                log.warning("nothing looked for", error=type(error).__name__)
            await asyncio.sleep(BUSY_S if queued else LOOK_S)

    async def look(self) -> int:
        """Queue some of what is due now, and tell how much that was: what waited longest first, so that nothing that fails
        again and again holds up the rest."""
        async with self._database.anonymous() as session:
            found = await due_upkeep(session, None, ROOM)
        now = self._now()
        # What is not due any more has been claimed or done: the next time that it falls due it is queued at once.
        self._queued = {due: at for due, at in self._queued.items() if due in set(found)}
        waiting = [due for due in found if now - self._queued.get(due, -AGAIN_S) >= AGAIN_S]
        room = QUEUED - (len(found) - len(waiting))
        chosen = sorted(waiting, key=lambda due: self._queued.get(due, -AGAIN_S))[: max(room, 0)]
        for number, due in enumerate(chosen):
            if not await asyncio.get_running_loop().run_in_executor(self._thread, self._sent, due):
                return number
            self._queued[due] = now
        return len(chosen)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _sent(self, due: Due) -> bool:
        try:
            self._send(due)
        except Exception as error:  # noqa: BLE001 (each broker has its own kinds)
            log.warning("broker out of reach", error=type(error).__name__)
            return False
        return True
