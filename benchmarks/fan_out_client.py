"""Many websockets in one process, read without a websocket library, so that the client is not what is measured."""

import asyncio
import base64
import os
import struct
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import orjson

PROTOCOL = "graphql-transport-ws"


class Socket(asyncio.Protocol):
    """A websocket client that does no more than it must."""

    def __init__(self, port: int, path: str, heard: Callable[[bytes], None]) -> None:
        self.port, self.path, self.heard = port, path, heard
        self.buffer = bytearray()
        self.open = asyncio.get_running_loop().create_future()
        self.first = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {PROTOCOL}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.open.done():
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self.buffer.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(bytes(self.buffer[:end]))
            del self.buffer[: end + 4]
            self.open.set_result(None)
        while len(self.buffer) >= 2:
            length, start = self.buffer[1] & 127, 2
            if length == 126:
                length, start = struct.unpack_from(">H", self.buffer, 2)[0] if len(self.buffer) >= 4 else 1 << 30, 4
            elif length == 127:
                length, start = struct.unpack_from(">Q", self.buffer, 2)[0] if len(self.buffer) >= 10 else 1 << 30, 10
            if len(self.buffer) < start + length:
                return
            opcode, payload = self.buffer[0] & 15, bytes(self.buffer[start : start + length])
            del self.buffer[: start + length]
            if opcode == 9:
                self.send(payload, 10)
            elif opcode == 1:
                if not self.first.done():
                    self.first.set_result(payload)
                else:
                    self.heard(payload)
            elif opcode == 8:
                raise ConnectionError(payload)

    def send(self, payload: bytes, opcode: int = 1) -> None:
        """Send a frame; its mask is zero, which changes nothing."""
        size = len(payload)
        head = bytes([128 | opcode, 128 | size]) if size < 126 else bytes([128 | opcode, 254]) + struct.pack(">H", size)
        self.transport.write(head + bytes(4) + payload)


class Count:
    """What all sockets heard together."""

    def __init__(self) -> None:
        self.heard = 0
        self.wanted = 0
        self.full = asyncio.Event()
        self.latencies: list[float] = []
        self.moments: dict[bytes, float] = {}
        self.last = b""

    def expect(self, number: int) -> None:
        self.heard, self.wanted = 0, number
        self.full.clear()
        self.latencies = []

    def __call__(self, payload: bytes) -> None:
        self.heard += 1
        self.last = payload
        at = payload.find(b'"occurredAt":"')
        if at >= 0:
            text = payload[at + 14 : payload.index(b'"', at + 14)]
            moment = self.moments.get(text)
            if moment is None:
                moment = self.moments[text] = datetime.fromisoformat(text.decode()).timestamp()
            self.latencies.append((time.time() - moment) * 1000)
        if self.heard >= self.wanted:
            self.full.set()


async def connect(
    port: int, path: str, count: Count, inits: Sequence[dict[str, str]], query: str | None
) -> list[Socket]:
    """Open a socket for each payload of `connection_init`, in lots, so that no listen queue overflows.

    Args:
        query: what each then subscribes to; None for a server that sends by itself.
    """
    loop, made = asyncio.get_running_loop(), []
    for start in range(0, len(inits), 50):
        lot = []
        for _ in inits[start : start + 50]:
            _, one = await loop.create_connection(lambda: Socket(port, path, count), "127.0.0.1", port)
            lot.append(one)
        await asyncio.gather(*(each.open for each in lot))
        if query is None:
            for each in lot:
                each.first.set_result(b"")
        else:
            for each, init in zip(lot, inits[start : start + 50], strict=True):
                each.send(orjson.dumps({"type": "connection_init", "payload": init}))
            await asyncio.gather(*(each.first for each in lot))
            subscribe = orjson.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}})
            for each in lot:
                each.send(subscribe)
        made += lot
    return made
