"""A crowd of subscribers who come back by themselves, each with what it has seen and when."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import websockets

from domain.event_cursor import decode_cursor, encode_cursor
from tests.service import Client

EVENTS = (
    "subscription ($after: String) { appointmentEvents(after: $after) { cursor occurredAt appointment { version } } }"
)
# A client begins again soon, and not all at once.
WAIT_S = (0.05, 0.5)
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass
class Subscriber:
    """One of them."""

    tenant: UUID
    client: Client
    seen: list[int] = field(default_factory=list)
    latest: datetime = NEVER
    heard_at: float = 0.0
    connections: int = 0

    async def run(self) -> None:
        """Read until cancelled; whatever ends the stream, begin again behind the last event seen."""
        cursor = encode_cursor(self.tenant, 0)
        while True:
            try:
                async with self.client.subscribe(EVENTS, after=cursor) as stream:
                    self.connections += 1
                    while True:
                        message = json.loads(await stream.socket.recv())
                        if message["type"] == "ping":
                            await stream.socket.send('{"type":"pong"}')
                            continue
                        if message["type"] != "next" or "errors" in message["payload"]:
                            break
                        event = message["payload"]["data"]["appointmentEvents"]
                        cursor = event["cursor"]
                        self.seen.append(decode_cursor(self.tenant, cursor))
                        self.latest, self.heard_at = datetime.fromisoformat(event["occurredAt"]), time.monotonic()
            except (OSError, AssertionError, TimeoutError, websockets.WebSocketException):
                pass
            await asyncio.sleep(random.uniform(*WAIT_S))


@dataclass
class Crowd:
    """All of them, running until the block ends."""

    subscribers: list[Subscriber]
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def __aenter__(self) -> "Crowd":
        self.tasks = [asyncio.create_task(each.run()) for each in self.subscribers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        results = await asyncio.gather(*self.tasks, return_exceptions=True)
        # A reader that failed otherwise than by being cancelled is a failure of the test.
        assert [each for each in results if not isinstance(each, asyncio.CancelledError)] == []

    async def back(self, since: datetime, patience: float) -> list[float]:
        """Seconds that each needed to hear of something that happened after this moment; those who did not are left out."""
        began = time.monotonic()
        while time.monotonic() < began + patience and not all(each.latest > since for each in self.subscribers):
            await asyncio.sleep(0.02)
        return [each.heard_at - began for each in self.subscribers if each.latest > since]
