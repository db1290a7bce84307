"""The hub: each process listens once, reads a tenant's new events once, and hands them to all its subscribers."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from uuid import UUID

import structlog
from broadcaster import Broadcast
from broadcaster._base import Subscriber as Signals

from domain.errors import ErrorCode, Refusal
from models.appointment import Appointment
from models.database import SIGNAL_CHANNEL, Database
from models.errors import UNREACHABLE
from models.event import Event, events_after, is_kept, last_seq, newest_of
from models.position import POSITION_CHANNEL, SeenPosition, visible_positions
from models.presence import PRESENCE_CHANNEL, Present, present_at
from models.query import by_ids
from models.rights import rights_version
from subscriptions.backends import GAP, ReconnectingBackend
from subscriptions.crowd import Outlet, TenantStream
from subscriptions.errors import Lagged
from subscriptions.latest import Latest
from subscriptions.message_hub import MessageHub
from subscriptions.once import Once

log = structlog.get_logger("hub")

BATCH = 500
# A lost signal delays an event by at most this.
SWEEP_S = 2.0
SUBJECT_S, MOST_SUBJECTS = 2.0, 10_000


class Hub:
    """Hands committed events to subscribers: in order, none missed, none twice.

    A signal "tenant T is at N" is only a hint. What is delivered are the rows behind the last one read, so that a lost
    signal or a reconnection delays an event and never loses or doubles it.
    """

    def __init__(self, database: Database, backend: ReconnectingBackend) -> None:
        self._database = database
        self._backend = backend
        self._broadcast = Broadcast(backend=backend)
        self.messages = MessageHub(database, self._broadcast)
        self.positions: Latest[SeenPosition] = Latest(
            database, self._broadcast, POSITION_CHANNEL, visible_positions, self._rights_changed
        )
        self.presence: Latest[tuple[Present, ...]] = Latest(
            database,
            self._broadcast,
            PRESENCE_CHANNEL,
            present_at,
            self._rights_changed,
            lambda present: min(each.seconds_left for each in present),
        )
        self._streams: dict[UUID, TenantStream] = {}
        # The appointment of an event, for those who look whether it concerns them.
        self._subjects: Once[Appointment | None] = Once(SUBJECT_S, lambda _: 1, MOST_SUBJECTS)
        self._tasks: set[asyncio.Task[None]] = set()
        # Called with a tenant whose rights have changed, before events that may be younger than the change are delivered.
        self.before_delivery: Callable[[UUID], Awaitable[None]] | None = None

    @property
    def subscribers(self) -> int:
        """How many subscriptions to events this process serves."""
        return sum(stream.subscribers for stream in self._streams.values())

    async def start(self) -> None:
        """Begin to listen."""
        await self._broadcast.connect()
        self._tasks = {
            asyncio.create_task(self._listen()),
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self.messages.listen()),
            asyncio.create_task(self.positions.run()),
            asyncio.create_task(self.presence.run()),
        }

    async def stop(self) -> None:
        """Stop listening."""
        for stream in self._streams.values():
            stream.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._broadcast.disconnect()

    async def publish(self, tenant_id: UUID, seq: int) -> None:
        """Signal other processes, where the broadcast is not the database's own."""
        await self._broadcast.publish(SIGNAL_CHANNEL, f"{tenant_id}:{seq}")

    async def publish_signal(self, channel: str, payload: str) -> None:
        """Send any other signal to other processes, likewise."""
        await self._broadcast.publish(channel, payload)

    def signals(self, channel: str) -> AbstractAsyncContextManager[Signals]:
        """Listen to a channel on the process's one connection; `GAP` says that something may have been missed."""
        return self._broadcast.subscribe(channel)

    async def events(
        self,
        tenant_id: UUID,
        after: int | None,
        outlet: Outlet | None = None,
        item_of: Callable[[Event], object] = lambda event: event,
    ) -> AsyncGenerator[Event, None]:
        """The tenant's events behind `after` (None: from now on): first from the table, then as they are committed.

        Args:
            outlet: of a caller that would yield `item_of(event)` for each of them. While it waits for the next one, that may be
                written there instead of being yielded.

        Raises:
            Lagged: the reader fell too far behind.
        """
        stream = self._streams.setdefault(tenant_id, TenantStream())
        # Registered before the first look at the table: what is committed in between is heard, and skipped if read.
        subscriber = stream.enter(outlet, item_of)
        try:
            subscriber.position = await self.newest(tenant_id) if after is None else after
            if stream.last is None:
                stream.last = subscriber.position if after is None else await self.newest(tenant_id)
            async for event in self._replay(tenant_id, subscriber.position):
                subscriber.position = event.seq
                yield event
            while True:
                heard = await subscriber.next()
                if heard is None:
                    raise Lagged
                if heard.seq <= subscriber.position:
                    continue
                if heard.seq > subscriber.position + 1:
                    async for event in self._replay(tenant_id, subscriber.position):
                        subscriber.position = event.seq
                        yield event
                    continue
                subscriber.position = heard.seq
                yield heard
        finally:
            stream.leave(subscriber)
            if not stream.subscribers and self._streams.get(tenant_id) is stream:
                del self._streams[tenant_id]

    async def require_kept(self, tenant_id: UUID, after: int) -> None:
        """See that all events behind a cursor are there still.

        Raises:
            Refusal: INVALID_INPUT when some are kept no longer, so that what was missed cannot be told.
        """
        async with self._database.tenant(tenant_id) as session:
            kept = await is_kept(session, after)
        if not kept:
            raise Refusal(
                ErrorCode.INVALID_INPUT,
                "That cursor is older than the events that are kept: read anew, and go on from the cursor that you get.",
                ("after",),
            )

    async def subject(self, event: Event) -> Appointment | None:
        """The event's appointment as it was at the event or later; read once for all who ask at about the same time."""

        async def read() -> Appointment | None:
            async with self._database.tenant(event.tenant_id) as session:
                return (await by_ids(session, Appointment, [event.appointment_id])).get(event.appointment_id)

        return await self._subjects.get((event.tenant_id, event.seq), read)

    def read_up_to(self, tenant_id: UUID) -> int | None:
        """How far this process has read the tenant's events; None without a subscriber."""
        stream = self._streams.get(tenant_id)
        return stream.last if stream else None

    async def newest(self, tenant_id: UUID) -> int:
        async with self._database.tenant(tenant_id) as session:
            return await last_seq(session)

    async def _batch(self, tenant_id: UUID, position: int, last_at: datetime | None = None) -> Sequence[Event]:
        async with self._database.tenant(tenant_id) as session:
            events = await events_after(session, position, BATCH, last_at)
            # Read after the events: whoever sees an event sees every change of rights that was committed before it.
            rights = await rights_version(session) if events else None
        if rights is not None:
            await self._check_rights(tenant_id, rights)
        return events

    async def _rights_changed(self, tenant_id: UUID) -> None:
        if self.before_delivery is not None:
            await self.before_delivery(tenant_id)

    async def _check_rights(self, tenant_id: UUID, rights: int) -> None:
        stream = self._streams.get(tenant_id)
        if self.before_delivery is None or stream is None or stream.rights == rights:
            return
        await self.before_delivery(tenant_id)
        stream.rights = rights

    async def _replay(self, tenant_id: UUID, position: int, last_at: datetime | None = None) -> AsyncIterator[Event]:
        while True:
            batch = await self._batch(tenant_id, position, last_at)
            if last_at is not None and (not batch or batch[-1].seq - position != len(batch)):
                # Nothing, or a number is missing: unless there is no more, the database's clock was set back by more than is
                # allowed for, and numbers alone are certain.
                batch = await self._batch(tenant_id, position)
            if not batch:
                return
            for event in batch:
                yield event
            position, last_at = batch[-1].seq, batch[-1].occurred_at
            if len(batch) < BATCH:
                return

    async def _listen(self) -> None:
        async with self._broadcast.subscribe(SIGNAL_CHANNEL) as signals:
            while True:
                signal = await signals.get()
                if signal.message == GAP:
                    for tenant_id in list(self._streams):
                        self._wake(tenant_id)
                    continue
                with suppress(ValueError):
                    self._wake(UUID(signal.message.partition(":")[0]))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                async with self._database.anonymous() as session:
                    newest = await newest_of(session, list(self._streams))
            except UNREACHABLE as error:
                log.warning("events not looked for", error=type(error).__name__)
                continue
            for tenant_id, seq in newest.items():
                stream = self._streams.get(tenant_id)
                if stream is not None and stream.last is not None and seq > stream.last:
                    self._wake(tenant_id)

    def _wake(self, tenant_id: UUID) -> None:
        stream = self._streams.get(tenant_id)
        if stream is None or stream.last is None:
            return
        task = asyncio.create_task(self._deliver(tenant_id, stream))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, tenant_id: UUID, stream: TenantStream) -> None:
        # One reader at a time: two that read the same rows would hand them out twice, or out of order.
        async with stream.reading:
            try:
                async for event in self._replay(tenant_id, stream.last or 0, stream.last_at):
                    stream.give(event)
                    stream.last, stream.last_at = event.seq, event.occurred_at
            except UNREACHABLE as error:
                # The next sweep or reconnection tries again; nothing is lost, the position has not moved.
                log.warning("events not read", error=type(error).__name__)
