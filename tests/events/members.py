"""Members of a crowd without a socket: what each was given, and how."""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models.event import Event
from subscriptions.crowd import Outlet, Subscriber, TenantStream
from subscriptions.errors import Lagged


def event(seq: int) -> Event:
    return Event(tenant_id=UUID(int=1), seq=seq, occurred_at=datetime.now(UTC))


@dataclass
class Socket:
    """A member's end, which notes what it is given, and how."""

    #: How many payloads it does not take at once.
    full: int = 0
    broken: bool = False
    group: Hashable = "all alike"
    written: list[int] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    #: Payloads are made while it is set.
    making: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.making.set()

    async def payload(self, item: Any) -> bytes:
        self.made.append(item.seq)
        await self.making.wait()
        return str(item.seq).encode()

    def write(self, payload: bytes) -> bool:
        if self.broken:
            raise OSError("a socket that nobody had foreseen")
        if self.full:
            self.full -= 1
            return False
        self.written.append(int(payload))
        return True

    @property
    def outlet(self) -> Outlet:
        return Outlet(self.group, self.payload, self.write)

    def enter(self, stream: TenantStream, position: int = 0) -> Subscriber:
        subscriber = stream.enter(self.outlet, lambda each: each)
        subscriber.position = position
        return subscriber

    async def read(self, subscriber: Subscriber) -> None:
        """As the hub does for a socket, as far as it is told to."""
        while (heard := await subscriber.next()) is not None:
            self.queued.append(heard.seq)
            subscriber.position = heard.seq
        raise Lagged


async def quiet() -> None:
    """Until everybody who could run has run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def cancelled(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
