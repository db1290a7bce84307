"""What a source writes past a subscription's task: it stops with the subscription, the rights and the reader's pace."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from schema.limits import Limits
from subscriptions.crowd import Outlet
from tests.web.sample_schema import World, contexts, schema
from tests.web.server import message
from web.graphql_operations import Operations
from web.graphql_ws_connection import Connection, SocketLimits
from web.graphql_ws_registry import FORBIDDEN, LocalConnections
from web.websocket_protocol import FRAMES

FOREVER = "subscription { forever }"


@dataclass
class Wire:
    """A socket's other end, in hand: what the client says, and what reaches it."""

    world: World = field(default_factory=World)
    registry: LocalConnections = field(default_factory=LocalConnections)
    said: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    frames: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    #: Called whenever the server turns to the client again, in the same turn of the loop as what it did before.
    when_asked: Callable[[], None] = lambda: None
    taking: asyncio.Event = field(default_factory=asyncio.Event)

    def connection(self) -> Connection:
        """The server's end."""
        self.taking.set()
        scope = {"type": "websocket", "headers": [], "path": "/graphql", "extensions": {FRAMES: self.write_frame}}
        return Connection(
            HTTPConnection(scope),
            self.receive,
            self.send,
            operations=Operations(schema, Limits()),
            context_for=contexts(self.world),
            registry=self.registry,
            limits=SocketLimits(),
            network="127.0.0.1",
        )

    def write_frame(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return True

    async def receive(self) -> dict[str, Any]:
        self.when_asked()
        return await self.said.get()

    async def send(self, event: Any) -> None:
        self.texts.append(str(event.get("text", event.get("code"))))
        await self.taking.wait()

    def say(self, type_: str, **rest: Any) -> None:
        self.said.put_nowait({"type": "websocket.receive", "text": message(type_, **rest)})

    async def outlet(self, key: str | None = "ada") -> Outlet | None:
        """Subscribe; what the source is given, once it waits for something to yield."""
        self.say("connection_init", payload={"apiKey": key} if key else {})
        self.say("subscribe", id="a", payload={"query": FOREVER})
        await self.world.started.wait()
        return self.world.outlets[-1]


async def ended(serving: "asyncio.Task[None]") -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def test_what_is_written_arrives_with_the_subscriptions_id() -> None:
    wire = Wire()
    serving = asyncio.create_task(wire.connection().run())
    outlet = await wire.outlet()
    assert outlet is not None
    before = len(wire.frames)
    assert outlet.write(b'{"data":1}')
    assert [frame[2:] for frame in wire.frames[before:]] == [b'{"id":"a","type":"next","payload":{"data":1}}']
    await ended(serving)


async def test_who_is_nobody_shares_with_nobody() -> None:
    wire = Wire()
    serving = asyncio.create_task(wire.connection().run())
    assert await wire.outlet(None) is None
    await ended(serving)


async def test_nothing_is_written_after_the_client_has_unsubscribed() -> None:
    wire, taken = Wire(), []
    serving = asyncio.create_task(wire.connection().run())
    outlet = await wire.outlet()
    assert outlet is not None
    await asyncio.sleep(0)
    # The server has handled "complete" and asks for more: the subscription's task has not run since.
    wire.when_asked = lambda: taken.append((outlet.write(b"{}"), wire.world.open_sources))
    before = len(wire.frames)
    wire.say("complete", id="a")
    while not taken:
        await asyncio.sleep(0)
    assert (taken, len(wire.frames)) == ([(False, 1)], before)
    wire.when_asked = lambda: None
    # The same id again is another subscription.
    wire.world.started.clear()
    wire.say("subscribe", id="a", payload={"query": FOREVER})
    await wire.world.started.wait()
    again = wire.world.outlets[-1]
    assert again is not None
    assert (outlet.write(b"{}"), again.write(b"{}")) == (False, True)
    await ended(serving)


async def test_nothing_is_written_after_the_rights_have_gone() -> None:
    wire = Wire()
    serving = asyncio.create_task(wire.connection().run())
    outlet = await wire.outlet()
    assert outlet is not None
    before = len(wire.frames)
    user = next(iter(wire.registry._open.values())).copy().pop().principal
    assert user is not None
    assert wire.registry.close_matching(user_id=user.user_id) == 1
    assert not outlet.write(b"{}")
    await serving
    assert not outlet.write(b"{}")
    assert (len(wire.frames), wire.texts[-1]) == (before, str(int(FORBIDDEN)))


async def test_nothing_overtakes_what_the_socket_is_sending() -> None:
    wire = Wire()
    serving = asyncio.create_task(wire.connection().run())
    outlet = await wire.outlet()
    assert outlet is not None
    wire.taking.clear()
    wire.say("ping")
    while '{"type":"pong"}' not in wire.texts:
        await asyncio.sleep(0)
    assert not outlet.write(b"{}")
    wire.taking.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert outlet.write(b"{}")
    await ended(serving)
