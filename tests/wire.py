"""What a program asks PostgreSQL, read off the wire: a socket between the two that passes everything on."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_ENDS = ("BEGIN", "COMMIT", "ROLLBACK", "DEALLOCATE")
_EXECUTE = re.compile(r"^EXECUTE (\w+)\(", re.MULTILINE)


class Wire:
    """Statements as they were executed, those that begin and end transactions apart."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.transactions = 0
        self._kept: dict[str, str] = {}

    def clear(self) -> None:
        """Forget what was seen."""
        self.statements.clear()
        self.transactions = 0

    def seen(self, text: str) -> None:
        """One statement, or several in one message. Those that are kept are seen when they are executed."""
        if text.startswith("BEGIN"):
            self.transactions += 1
        if text.startswith("PREPARE"):
            name, _, kept = text.removeprefix("PREPARE ").partition(" AS ")
            self._kept[name] = kept
        elif executed := _EXECUTE.search(text):
            self.statements.append(self._kept[executed[1]])
        elif not text.startswith(_ENDS):
            self.statements.append(text)


class _Reader:
    """The messages of one connection's frontend."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._buffer, self._started = wire, bytearray(), False
        self._named: dict[bytes, str] = {}
        self._bound = ""

    def feed(self, data: bytes) -> None:
        """Read on. The first message has no kind: it names user and database."""
        self._buffer += data
        while len(self._buffer) >= 5:
            at = 1 if self._started else 0
            end = at + int.from_bytes(self._buffer[at : at + 4])
            if len(self._buffer) < end:
                return
            kind, body = bytes(self._buffer[:at]), bytes(self._buffer[at + 4 : end])
            del self._buffer[:end]
            self._started = True
            self._message(kind, body)

    def _message(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"Q":
                self._wire.seen(body.rstrip(b"\0").decode())
            case b"P":
                name, text, _ = body.split(b"\0", 2)
                self._named[name] = text.decode()
            case b"B":
                self._bound = self._named[body.split(b"\0", 2)[1]]
            case b"E":
                self._wire.seen(self._bound)


@asynccontextmanager
async def tapped(url: str) -> AsyncIterator[tuple[str, Wire]]:
    """The same database by way of a socket that listens in, and what it hears."""
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    port = query.get("port", "5432")
    wire = Wire()
    tasks: set[asyncio.Task[None]] = set()
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_unix_connection(Path(query["host"]) / f".s.PGSQL.{port}")
        writers.extend((writer, ahead))
        heard = _Reader(wire)

        async def passed(source: asyncio.StreamReader, target: asyncio.StreamWriter, listening: bool) -> None:
            with suppress(ConnectionError):
                while data := await source.read(65536):
                    if listening:
                        heard.feed(data)
                    target.write(data)
                    await target.drain()
            target.close()

        for each in (passed(reader, ahead, True), passed(behind, writer, False)):
            task = asyncio.ensure_future(each)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    with TemporaryDirectory() as folder:
        server = await asyncio.start_unix_server(connected, Path(folder) / f".s.PGSQL.{port}")
        try:
            yield urlunsplit(parts._replace(query=urlencode({**query, "host": folder}))), wire
        finally:
            server.close()
            for writer in writers:
                writer.close()
            for writer in writers:
                with suppress(ConnectionError):
                    await writer.wait_closed()
            await asyncio.gather(*tasks)
