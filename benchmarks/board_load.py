"""Requests as fast as a server answers them, over a few connections that are kept; a client that costs little itself."""

import asyncio
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress


def request(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A POST of JSON, ready to be sent."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class _Client(asyncio.Protocol):
    """One connection: the next request when the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        self.requests, self.until = requests, until
        self.took: list[float] = []
        self.answer = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = bytearray()
        self.wanted = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Read on; send the next one when the answer is whole."""
        self.buffer += data
        if self.wanted < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self.buffer[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                self._fail(ConnectionError(bytes(self.buffer[:2_000]).decode(errors="replace")))
                return
            self.wanted = end + 4 + int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(self.buffer) < self.wanted:
            return
        self.took.append(time.perf_counter() - self.began)
        self.answer = bytes(self.buffer[self.buffer.find(b"\r\n\r\n") + 4 : self.wanted])
        if b'"errors"' in self.answer[:20]:
            self._fail(ConnectionError(self.answer[:2_000].decode(errors="replace")))
        elif time.perf_counter() >= self.until:
            self.transport.close()
            self.done.set_result(None)
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """The server hung up."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def _send(self) -> None:
        upcoming = next(self.requests, None)
        if upcoming is None:
            self.transport.close()
            self.done.set_result(None)
            return
        self.buffer.clear()
        self.wanted = -1
        self.began = time.perf_counter()
        self.transport.write(upcoming)

    def _fail(self, error: Exception) -> None:
        self.done.set_exception(error)
        self.transport.abort()


async def load(port: int, requests: Iterable[bytes], connections: int, seconds: float) -> tuple[float, list[float]]:
    """Requests a second, and what each took, in milliseconds; over when the seconds are, or the requests.

    Raises:
        ConnectionError: an answer was no 200, or held errors.
    """
    loop, upcoming = asyncio.get_running_loop(), iter(requests)
    began = time.perf_counter()
    made = [
        (await loop.create_connection(lambda: _Client(upcoming, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(each.done for each in made))
    took = [one_took * 1000 for each in made for one_took in each.took]
    return len(took) / (time.perf_counter() - began), took


async def one(port: int, request_: bytes) -> bytes:
    """The body of the answer to one request."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: _Client(iter([request_]), 0.0), "127.0.0.1", port)
    await client.done
    return client.answer


def wait_for(port: int, deadline: float) -> None:
    """Wait until something listens on the port.

    Raises:
        TimeoutError: nothing does by the deadline, on the monotonic clock.
    """
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server on port {port}")
