"""The relay: moves rows that are due onto the broker. Woken by every change of an appointment, and by each second."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import structlog

from models.database import Database
from models.errors import UNREACHABLE
from models.message_queue import dispatch_messages

log = structlog.get_logger("relay")

# While there was something to hand out a moment ago, look again soon: the broker's queue is kept short on purpose.
BUSY_S, BUSY_LOOKS, IDLE_S = 0.03, 40, 1.0

Send = Callable[[UUID, UUID], object]
SendAll = Callable[[Sequence[tuple[UUID, UUID]]], object]


class Relay:
    """Hands out what is due, of all tenants.

    Several relays share the work: rows that one has locked another skips, and each row is handed out once a lease. The
    broker may lose what it was given: after the lease the row is due again.

    Args:
        send_all: puts the ids of messages on the broker; blocks.
        lease_seconds: how long a row that was handed out is left to the broker.
        room: how many may be waiting on the broker. A long queue there would outlive its leases.
    """

    def __init__(self, database: Database, send_all: SendAll, *, lease_seconds: float, room: int) -> None:
        self._database = database
        self._send_all = send_all
        self._lease = lease_seconds
        self._room = room
        self._woken = asyncio.Event()
        # One thread: the brokers' connections are each a thread's own.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay")

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    async def run(self) -> None:
        """Hand out until cancelled; neither a lost database nor a lost broker ends it."""
        looks = 0
        while True:
            try:
                looks = BUSY_LOOKS if await self.hand_out() else max(looks - 1, 0)
            except UNREACHABLE as error:
                log.warning("nothing handed out", error=type(error).__name__)
                looks = 0
            await self._pause(BUSY_S if looks else IDLE_S)

    async def hand_out(self) -> int:
        """Hand out what is due now, and tell how many that was."""
        self._woken.clear()
        async with self._database.anonymous() as session:
            due = await dispatch_messages(session, self._lease, self._room)
        if due:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._hand_over, due)
        return len(due)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return

    def _hand_over(self, due: Sequence[tuple[UUID, UUID]]) -> None:
        try:
            self._send_all(due)
        except Exception as error:  # noqa: BLE001 (each broker has its own kinds)
            # They are due again after their lease.
            log.warning("broker out of reach", error=type(error).__name__, due=len(due))
