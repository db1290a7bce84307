"""Those who read a tenant's events: each by itself, or in a crowd that is told the same, for which each event is made once.

A subscriber's task that is woken for an event costs more than the event's bytes. While it waits at the end of the stream, its crowd
writes for it; whoever is elsewhere, or cannot take the bytes at this moment, has the event queued and is woken as if there were no crowd.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from models.event import Event

log = structlog.get_logger("hub")

# Events that wait for a subscriber which does not read; one who is further behind comes back with its cursor.
MOST_WAITING = 1_000
# Others get their turn, and what is written leaves, after so many.
FAIR_SHARE = 100


@dataclass(frozen=True, slots=True)
class Outlet:
    """How a source may have payloads written for a subscriber without waking it.

    Attributes:
        group: those of one group get the same payload for the same item.
        payload: of an item as the source would yield it.
        write: writes a payload at once, or answers False: the subscriber cannot take it now, or is not to have it any more.
    """

    group: Hashable
    payload: Callable[[Any], Awaitable[bytes]]
    write: Callable[[bytes], bool]


class Subscriber:
    """One reader's place in a tenant's stream."""

    def __init__(self, outlet: Outlet | None = None) -> None:
        self.outlet = outlet
        self.waiting: asyncio.Queue[Event | None] = asyncio.Queue(MOST_WAITING)
        self.lagged = False
        # The last event that it was given, or had read before it came.
        self.position = 0
        self._idle = False

    async def next(self) -> Event | None:
        """The next event that was queued for it; None: it fell behind. Until then its crowd may write for it."""
        self._idle = True
        try:
            return await self.waiting.get()
        finally:
            self._idle = False

    def give(self, event: Event) -> None:
        """Queue an event, or note that the reader fell behind."""
        if self.lagged:
            return
        if self.waiting.qsize() >= MOST_WAITING - 1:
            self.lag()
        else:
            self.waiting.put_nowait(event)

    def lag(self) -> None:
        """Let it go: once it has taken what is queued it is told so."""
        if not self.lagged:
            self.lagged = True
            self.waiting.put_nowait(None)

    def push(self, event: Event, payload: bytes, write: Callable[[bytes], bool]) -> bool:
        """Write the event for it, if it waits for this very one.

        Returns:
            Whether it has the event now; else it must be queued.
        """
        # What is queued for it already has the numbers between, which its position then lacks.
        if not self._idle or event.seq != self.position + 1 or not write(payload):
            return False
        self.position = event.seq
        return True


class Crowd:
    """Subscribers of one group.

    Events are passed on one after the other, each when its payload is there: first to be written or queued, for every member, is
    the older one.

    Args:
        item_of: what the source yields for an event.
    """

    def __init__(self, item_of: Callable[[Event], object]) -> None:
        self.members: dict[Subscriber, Outlet] = {}
        self._item_of = item_of
        self._waiting: deque[Event] = deque()
        self._work: asyncio.Task[None] | None = None

    def give(self, event: Event) -> None:
        """Pass an event on to all members."""
        if len(self._waiting) >= MOST_WAITING:
            for member in self.members:
                member.lag()
            return
        self._waiting.append(event)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._pass_on())

    def stop(self) -> None:
        """Pass nothing on any more."""
        if self._work:
            self._work.cancel()

    async def _pass_on(self) -> None:
        while self._waiting and self.members:
            event = self._waiting.popleft()
            payload = await self._payload(event)
            for number, (member, outlet) in enumerate(list(self.members.items()), 1):
                if payload is None or not _pushed(member, event, payload, outlet):
                    member.give(event)
                if number % FAIR_SHARE == 0:
                    await asyncio.sleep(0)

    async def _payload(self, event: Event) -> bytes | None:
        outlet = next(iter(self.members.values()))
        try:
            return await outlet.payload(self._item_of(event))
        except Exception:  # noqa: BLE001 (each member tries by itself, and tells its own reader what it meets)
            return None


def _pushed(member: Subscriber, event: Event, payload: bytes, outlet: Outlet) -> bool:
    try:
        return member.push(event, payload, outlet.write)
    except Exception:
        # One socket's failure is not to cost the others behind it the event.
        log.exception("payload not written")
        return False


class TenantStream:
    """A tenant's subscribers in this process, and how far the rows have been read."""

    def __init__(self) -> None:
        self.alone: set[Subscriber] = set()
        self.crowds: dict[Hashable, Crowd] = {}
        self.last: int | None = None
        self.last_at: datetime | None = None
        # The tenant's count of changes of rights for which its sockets have been looked at.
        self.rights: int | None = None
        self.reading = asyncio.Lock()

    @property
    def subscribers(self) -> int:
        """How many they are."""
        return len(self.alone) + sum(len(crowd.members) for crowd in self.crowds.values())

    def enter(self, outlet: Outlet | None, item_of: Callable[[Event], object]) -> Subscriber:
        """One more; with an outlet it is one of a crowd."""
        subscriber = Subscriber(outlet)
        if outlet is None:
            self.alone.add(subscriber)
        else:
            self.crowds.setdefault(outlet.group, Crowd(item_of)).members[subscriber] = outlet
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """One less."""
        if subscriber.outlet is None:
            self.alone.discard(subscriber)
            return
        crowd = self.crowds[subscriber.outlet.group]
        del crowd.members[subscriber]
        if not crowd.members:
            del self.crowds[subscriber.outlet.group]

    def give(self, event: Event) -> None:
        """Hand an event to all."""
        for subscriber in self.alone:
            subscriber.give(event)
        for crowd in self.crowds.values():
            crowd.give(event)

    def stop(self) -> None:
        """Hand on nothing any more."""
        for crowd in self.crowds.values():
            crowd.stop()
