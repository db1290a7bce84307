"""Message states as they change: each process listens once, reads each changed row once, hands it to all its subscribers."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from broadcaster import Broadcast

from models.database import Database
from models.errors import UNREACHABLE
from models.message import MESSAGE_CHANNEL, Message
from models.message_list import database_now, messages_changed_since, visible_messages
from subscriptions.backends import GAP
from subscriptions.errors import Lagged

log = structlog.get_logger("hub")

MOST_WAITING = 1_000


class Watchers:
    """A tenant's subscribers in this process, and the moment (the database's) up to which they have been told."""

    def __init__(self, since: datetime) -> None:
        self.queues: set[asyncio.Queue[Message | None]] = set()
        self.since = since


class MessageHub:
    """Hands changed messages to subscribers, as they are when they are read.

    A signal names a message alone. After a gap in the signals, whatever has changed since the last one is read.
    """

    def __init__(self, database: Database, broadcast: Broadcast) -> None:
        self._database = database
        self._broadcast = broadcast
        self._tenants: dict[UUID, Watchers] = {}

    async def changes(self, tenant_id: UUID) -> AsyncGenerator[Message, None]:
        """The tenant's messages whose state changes from now on.

        Raises:
            Lagged: the reader fell too far behind.
        """
        queue: asyncio.Queue[Message | None] = asyncio.Queue(MOST_WAITING)
        if tenant_id not in self._tenants:
            async with self._database.tenant(tenant_id) as session:
                since = await database_now(session)
            self._tenants.setdefault(tenant_id, Watchers(since))
        watchers = self._tenants[tenant_id]
        watchers.queues.add(queue)
        try:
            while True:
                changed = await queue.get()
                if changed is None:
                    raise Lagged
                yield changed
        finally:
            watchers.queues.discard(queue)
            if not watchers.queues and self._tenants.get(tenant_id) is watchers:
                del self._tenants[tenant_id]

    async def listen(self) -> None:
        """Hear signals until cancelled."""
        async with self._broadcast.subscribe(MESSAGE_CHANNEL) as signals:
            while True:
                signal = await signals.get()
                try:
                    if signal.message == GAP:
                        for tenant_id in list(self._tenants):
                            await self._catch_up(tenant_id)
                    else:
                        tenant, _, messages = signal.message.partition(":")
                        await self._tell(UUID(tenant), [UUID(each) for each in messages.split(",")])
                except UNREACHABLE as error:
                    # The connection that signals come by is then lost too: its return says so, and all is read.
                    log.warning("messages not read", error=type(error).__name__)

    async def _catch_up(self, tenant_id: UUID) -> None:
        watchers = self._tenants.get(tenant_id)
        if watchers is None:
            return
        async with self._database.tenant(tenant_id) as session:
            changed = await messages_changed_since(session, watchers.since)
        await self._tell(tenant_id, changed)

    async def _tell(self, tenant_id: UUID, message_ids: Sequence[UUID]) -> None:
        watchers = self._tenants.get(tenant_id)
        if watchers is None or not message_ids:
            return
        async with self._database.tenant(tenant_id) as session:
            rows = await visible_messages(session, message_ids, None)
        for row in sorted(rows, key=lambda each: each.updated_at):
            watchers.since = max(watchers.since, row.updated_at)
            for queue in list(watchers.queues):
                if queue.qsize() >= MOST_WAITING - 1:
                    watchers.queues.discard(queue)
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(row)
