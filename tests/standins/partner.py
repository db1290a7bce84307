"""A partner's server on loopback: keeps what is posted to it, and answers what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[dict[str, Any]], str]


@dataclass
class Posted:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Partner:
    """The server. `answer` gives the status line, and perhaps headers, for an event."""

    port: int = 0
    answer: Answer = lambda _event: "204 No Content"
    posted: list[Posted] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def taken(self) -> list[tuple[str, str]]:
        """(appointment, event type) of all that was posted, in order."""
        return [(each.event["data"]["appointmentId"], each.event["type"]) for each in self.posted]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        posted = Posted(headers, await reader.readexactly(int(headers["content-length"])))
        self.posted.append(posted)
        writer.write(f"HTTP/1.1 {self.answer(posted.event)}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def partner() -> AsyncIterator[Partner]:
    made = Partner()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
