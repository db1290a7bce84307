"""Latest values by key (positions, presence): each process reads once what has changed, and a slow reader skips what is stale."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Generic, TypeVar
from uuid import UUID

import structlog
from broadcaster import Broadcast

from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.rights import rights_version
from subscriptions.backends import GAP

log = structlog.get_logger("hub")

V = TypeVar("V")
Read = Callable[[Transaction, Collection[UUID] | None], Awaitable[Mapping[UUID, V]]]

# Between two reads of one tenant: what is written meanwhile is read together.
PAUSE_S = 0.05
# A lost signal delays a value by at most this.
SWEEP_S = 5.0
RETRY_S = 1.0


class Reader:
    """What a subscriber has not been given yet: keys alone, so that it is no longer than there are keys."""

    def __init__(self) -> None:
        self.stale: dict[UUID, None] = {}
        self.woken = asyncio.Event()

    def tell(self, keys: Collection[UUID]) -> None:
        """Have the values of these keys given."""
        if keys:
            self.stale.update(dict.fromkeys(keys))
            self.woken.set()


class Watched(Generic[V]):
    """A tenant's readers in this process, and the values that were read last."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self.values: dict[UUID, V] = {}
        self.loaded = False
        self.all_due = False
        self.due: set[UUID] = set()
        self.rights: int | None = None
        self.work: asyncio.Task[None] | None = None
        self.expiries: dict[UUID, asyncio.TimerHandle] = {}


class Latest(Generic[V]):
    """Gives each reader the latest value of each key, whenever it has changed.

    A signal "tenant:key" names what to read. Nothing is queued but keys: whoever reads slowly finds the newest value when it
    comes to a key, and holds nobody up.

    Args:
        read: the values of these keys, or of all (None); those that there are not any more are missing.
        before_delivery: called with the tenant before values are given that may be younger than a change of its rights.
        seconds_left: after how long a value is to be read again because its time is over; None: it lasts.
    """

    def __init__(
        self,
        database: Database,
        broadcast: Broadcast,
        channel: str,
        read: Read[V],
        before_delivery: Callable[[UUID], Awaitable[None]],
        seconds_left: Callable[[V], float] | None = None,
    ) -> None:
        self._database = database
        self._broadcast = broadcast
        self._channel = channel
        self._read = read
        self._seconds_left = seconds_left
        self._tenants: dict[UUID, Watched[V]] = {}
        self._before_delivery = before_delivery

    async def values(self, tenant_id: UUID) -> AsyncGenerator[tuple[UUID, V | None], None]:
        """All values as they are now, then each that changes; None for one that there is not any more."""
        reader = Reader()
        watched = self._tenants.setdefault(tenant_id, Watched())
        watched.readers.add(reader)
        try:
            if watched.loaded:
                reader.tell(watched.values)
            else:
                self._mark(tenant_id, None)
            while True:
                await reader.woken.wait()
                while reader.stale:
                    key = next(iter(reader.stale))
                    del reader.stale[key]
                    yield key, watched.values.get(key)
                reader.woken.clear()
        finally:
            watched.readers.discard(reader)
            if not watched.readers and self._tenants.get(tenant_id) is watched:
                del self._tenants[tenant_id]
                for timer in watched.expiries.values():
                    timer.cancel()
                if watched.work:
                    watched.work.cancel()

    async def run(self) -> None:
        """Hear signals until cancelled."""
        sweep = asyncio.create_task(self._sweep())
        try:
            async with self._broadcast.subscribe(self._channel) as signals:
                while True:
                    message = (await signals.get()).message
                    if message == GAP:
                        self._mark_all()
                        continue
                    tenant, _, key = message.partition(":")
                    with suppress(ValueError):
                        self._mark(UUID(tenant), UUID(key))
        finally:
            sweep.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self._mark_all()

    def _mark_all(self) -> None:
        for tenant_id in list(self._tenants):
            self._mark(tenant_id, None)

    def _mark(self, tenant_id: UUID, key: UUID | None) -> None:
        watched = self._tenants.get(tenant_id)
        if watched is None:
            return
        if key is None:
            watched.all_due = True
        else:
            watched.due.add(key)
        if watched.work is None or watched.work.done():
            watched.work = asyncio.create_task(self._work(tenant_id, watched))

    async def _work(self, tenant_id: UUID, watched: Watched[V]) -> None:
        while watched.all_due or watched.due:
            keys = None if watched.all_due else list(watched.due)
            watched.all_due, watched.due = False, set()
            try:
                async with self._database.tenant(tenant_id) as session:
                    found = await self._read(session, keys)
                    # Read after the values: see `Hub`.
                    rights = await rights_version(session)
                if watched.rights != rights:
                    await self._before_delivery(tenant_id)
                    watched.rights = rights
            except UNREACHABLE as error:
                log.warning("values not read", channel=self._channel, error=type(error).__name__)
                watched.all_due = True
                await asyncio.sleep(RETRY_S)
                continue
            self._take(tenant_id, watched, keys, found)
            await asyncio.sleep(PAUSE_S)

    def _take(
        self, tenant_id: UUID, watched: Watched[V], keys: Collection[UUID] | None, found: Mapping[UUID, V]
    ) -> None:
        looked_at = {*watched.values, *found} if keys is None else keys
        changed = [key for key in looked_at if watched.values.get(key) != found.get(key)]
        for key in changed:
            if key in found:
                watched.values[key] = found[key]
            else:
                watched.values.pop(key, None)
        for key in looked_at:
            self._expire(tenant_id, watched, key, found.get(key))
        watched.loaded = True
        for reader in watched.readers:
            reader.tell(changed)

    def _expire(self, tenant_id: UUID, watched: Watched[V], key: UUID, value: V | None) -> None:
        timer = watched.expiries.pop(key, None)
        if timer:
            timer.cancel()
        if value is not None and self._seconds_left is not None:
            # A moment later: by the database's clock it must be over.
            delay = max(self._seconds_left(value), 0.0) + PAUSE_S
            watched.expiries[key] = asyncio.get_running_loop().call_later(delay, self._mark, tenant_id, key)
