"""A client's side of graphql-transport-ws."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.web.server import message


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """Read until the socket closes; the code and the reason."""
    try:
        while True:
            await asyncio.wait_for(socket.recv(), 10)
    except ConnectionClosed as end:
        frame = end.rcvd
    assert frame is not None, "dropped without a close frame"
    return frame.code, frame.reason


async def received(socket: ClientConnection) -> Any:
    text = await asyncio.wait_for(socket.recv(), 10)
    assert isinstance(text, str)
    return json.loads(text)


async def subscribe(socket: ClientConnection, id: str, query: str, **rest: Any) -> None:
    await socket.send(message("subscribe", id=id, payload={"query": query, **rest}))


async def still_works(socket: ClientConnection) -> None:
    await subscribe(socket, "still", "{ hello }")
    found = await received(socket)
    assert (found["id"], found["type"], found["payload"]["data"]) == ("still", "next", {"hello": "Hello, world"})
    assert await received(socket) == {"id": "still", "type": "complete"}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what gives no event, for at most ten seconds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
