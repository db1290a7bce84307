"""The servers that the stream is measured beside, each in a process of its own: `python -m benchmarks.fan_out_beside bare 8001`.

Both are told what to send over a control socket: how, how often, and the payload. They send it from memory, to sockets of the same uvicorn
with the same options as ours.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.scalars import JSON

from benchmarks.fan_out_client import PROTOCOL
from tests.process import ROOT, environment
from web.websocket_protocol import uvicorn_options

# Each event before the next is heard of, or all of them to a socket in one go.
APART, AT_ONCE = "apart", "at-once"


class Bare:
    """Sends what it is told to, to everybody, as often as it is told to."""

    def __init__(self) -> None:
        self.sends: set[Any] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket."""
        await receive()
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        if scope["path"] != "/control":
            self.sends.add(send)
        while (message := await receive())["type"] != "websocket.disconnect":
            how, events, payload = message["text"].split(" ", 2)
            for _ in range(int(events)):
                for each in self.sends:
                    await each({"type": "websocket.send", "text": payload})
                if how == APART:
                    await asyncio.sleep(0)
        self.sends.discard(send)


@strawberry.type
class Window:
    """A span of time."""

    start: str
    end: str


@strawberry.type
class Named:
    """A customer or a technician."""

    name: str


@strawberry.type
class Visit:
    """An appointment."""

    id: strawberry.ID
    number: int
    version: int
    status: str
    scheduled: Window | None
    technician: Named | None
    customer: Named


@strawberry.type
class Event:
    """What happened to it."""

    cursor: str
    type: str
    occurred_at: str
    actor: str
    appointment: Visit


def _event(told: dict[str, Any]) -> Event:
    visit = dict(told["appointment"])
    for name, kind in (("scheduled", Window), ("technician", Named), ("customer", Named)):
        visit[name] = kind(**visit[name]) if visit[name] else None
    return Event(
        cursor=told["cursor"],
        type=told["type"],
        occurred_at=told["occurredAt"],
        actor=told["actor"],
        appointment=Visit(**visit),
    )


class Stock:
    """Strawberry's own endpoint; each subscriber has a queue, and each executes each event."""

    def __init__(self) -> None:
        queues: set[asyncio.Queue[Event]] = set()

        @strawberry.type
        class Query:
            nothing: JSON | None = None

        @strawberry.type
        class Subscription:
            @strawberry.subscription
            async def appointment_events(self) -> AsyncGenerator[Event, None]:
                queue: asyncio.Queue[Event] = asyncio.Queue()
                queues.add(queue)
                try:
                    while True:
                        yield await queue.get()
                finally:
                    queues.discard(queue)

        self.queues = queues
        self.graphql = GraphQL[None, None](strawberry.Schema(Query, subscription=Subscription))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one socket."""
        if scope["path"] != "/control":
            await self.graphql(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        while (message := await receive())["type"] != "websocket.disconnect":
            _, events, payload = message["text"].split(" ", 2)
            event = _event(orjson.loads(payload)["payload"]["data"]["appointmentEvents"])
            for _ in range(int(events)):
                for queue in self.queues:
                    queue.put_nowait(event)


SERVERS: dict[str, type[Bare] | type[Stock]] = {"bare": Bare, "stock": Stock}


@contextmanager
def beside(name: str, port: int) -> Iterator[int]:
    """One of them in a process of its own; yields its id."""
    started = subprocess.Popen(  # noqa: S603 (ourselves)
        [sys.executable, "-m", "benchmarks.fan_out_beside", name, str(port)], cwd=ROOT, env=environment()
    )
    try:
        yield started.pid
    finally:
        started.kill()
        started.wait()


if __name__ == "__main__":
    uvicorn.run(
        SERVERS[sys.argv[1]](), port=int(sys.argv[2]), lifespan="off", loop="uvloop", **uvicorn_options(100_000)
    )
