"""One websocket of graphql-transport-ws: its state, its operations, and how it ends.

Nothing is queued here. Whoever has something to send waits until the server takes it (uvicorn keeps 64 kB for each socket),
so a reader that is slow makes its subscriptions wait, and their sources decide when it has lagged. One that takes nothing
at all for `stall_seconds` is closed with 4410.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, NoReturn

import orjson
import structlog
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from permissions.principal import Principal
from subscriptions.errors import Lagged
from subscriptions.same import Same
from web.edge_context import ContextFactory, EdgeContext
from web.errors import OperationRefused, RequestRefused, outcome, plain_error
from web.graphql_operations import Operation, Operations
from web.graphql_request import GraphQLRequest
from web.graphql_ws_messages import (
    Close,
    Incoming,
    ProtocolError,
    about,
    plain,
    read_message,
    read_subscribe,
    reason_text,
)
from web.graphql_ws_registry import ConnectionRegistry
from web.throttle import Account, accounts_of
from web.websocket_protocol import FRAMES, text_frame

ALL_KINDS = frozenset(OperationType)
# Neither a source that has much to replay nor the server's send() need ever wait: others get their turn after so many.
FAIR_SHARE = 10

# Of an event's payload, which subscribers share; most give their operation the same id.
_NEXT: Same[bytes, bytes] = Same(lambda payload, id_: text_frame(about(str(id_), "next", payload).encode()))

log = structlog.get_logger("graphql.websocket")


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one websocket may do. Times in seconds.

    Attributes:
        init_seconds: from the handshake to connection_init.
        operations: at one time.
        stall_seconds: a reader that takes nothing for so long is gone.
        close_seconds: for the close frame to leave.
    """

    init_seconds: float = 5.0
    operations: int = 20
    stall_seconds: float = 10.0
    close_seconds: float = 2.0


class PeerGone(Exception):
    """There is nobody to send to any more, or the socket is closing."""


class Connection:
    """A websocket that has been accepted. It is the `LiveConnection` that a registry can close."""

    def __init__(
        self,
        http: HTTPConnection,
        receive: Receive,
        send: Send,
        *,
        operations: Operations,
        context_for: ContextFactory,
        registry: ConnectionRegistry,
        limits: SocketLimits,
        network: str,
    ) -> None:
        self.http = http
        self.receive = receive
        self.transmit = send
        self.write_frame: Callable[[bytes], bool] | None = http.scope.get("extensions", {}).get(FRAMES)
        self.operations = operations
        self.context_for = context_for
        self.registry = registry
        self.limits = limits
        self.network = network
        self.loop = asyncio.get_running_loop()
        self.context: EdgeContext | None = None
        self.initialised = False
        self.registered = False
        self.running: dict[str, asyncio.Task[None]] = {}
        # Also those that were completed by the client and still tidy up.
        self.tasks: set[asyncio.Task[None]] = set()
        self.closing: asyncio.Future[tuple[int, str]] = self.loop.create_future()
        self.sending = 0
        self.progress_at = 0.0

    @property
    def principal(self) -> Principal | None:
        """Whose socket it is, once that is settled."""
        return self.context.principal if self.context else None

    def close(self, code: int, reason: str) -> None:
        """Send nothing more, and close. The first call decides the code."""
        if not self.closing.done():
            self.closing.set_result((code, reason))

    async def run(self) -> None:
        """Serve until either end closes."""
        reader = asyncio.create_task(self._read())
        init_timer = self.loop.call_later(self.limits.init_seconds, self._init_timeout)
        self.watch_timer = self.loop.call_later(self.limits.stall_seconds, self._watch)
        try:
            ends: set[asyncio.Future[Any]] = {reader, self.closing}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            init_timer.cancel()
            self.watch_timer.cancel()
            if self.registered:
                self.registry.unregister(self)
            tasks = [reader, *self.tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.closing.done():
            await self._send_close(*self.closing.result())

    async def _read(self) -> None:
        try:
            while True:
                message = await self.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._handle(read_message(message.get("text"), self.operations.limits))
        except ProtocolError as error:
            self.close(error.code, error.reason)
        except PeerGone:
            return
        except Exception:
            log.exception("websocket_failed")
            self.close(Close.INTERNAL, "Something went wrong on our side")

    async def _handle(self, message: Incoming) -> None:
        if message.type == "connection_init":
            await self._initialise(message)
        elif message.type == "ping":
            await self.send(plain("pong", message.payload))
        elif message.type == "subscribe":
            self._subscribe(message)
        elif message.type == "complete":
            task = self.running.pop(message.id, None)
            if task is not None:
                task.cancel()

    async def _initialise(self, message: Incoming) -> None:
        if self.initialised:
            raise ProtocolError(Close.INIT_TWICE, "Too many initialisation requests")
        self.initialised = True
        since = monotonic()
        try:
            async with asyncio.timeout(self.operations.limits.seconds):
                self.context = await self.context_for(self.http, message.payload or {})
        except RequestRefused as refused:
            code = Close.UNAUTHORIZED if refused.code == "UNAUTHENTICATED" else Close.FORBIDDEN
            raise ProtocolError(code, refused.message) from refused
        self.registered = True
        self.registry.register(self, since)
        await self.send(plain("connection_ack"))

    def _subscribe(self, message: Incoming) -> None:
        if self.context is None:
            raise ProtocolError(Close.UNAUTHORIZED, "Unauthorized")
        if message.id in self.running:
            raise ProtocolError(Close.DUPLICATE_ID, f"Subscriber for {message.id} already exists")
        request = read_subscribe(message.payload)
        context = self.context.for_operation()
        crowded = len(self.running) >= self.limits.operations
        task = asyncio.create_task(self._operate(message.id, request, context, crowded))
        self.running[message.id] = task
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _operate(self, id_: str, request: GraphQLRequest, context: EdgeContext, crowded: bool) -> None:
        try:
            if crowded:
                self._refuse_another(context)
            deadline = self.loop.time() + self.operations.limits.seconds
            async with asyncio.timeout_at(deadline):
                operation = await self.operations.prepare(request, context, self._accounts(), ALL_KINDS)
            await self._deliver(id_, operation, context, deadline)
            await self._finish(id_, about(id_, "complete"))
        except OperationRefused as refused:
            await self._finish(id_, about(id_, "error", orjson.dumps(refused.errors)))
        except Lagged:
            self.close(Close.LAGGED, "Reader too slow: come back with your cursor")
        except PeerGone:
            return
        except Exception as error:  # noqa: BLE001 (masked and logged)
            await self._finish(id_, about(id_, "error", orjson.dumps([outcome(error, context.request_id)])))
        finally:
            if self.running.get(id_) is asyncio.current_task():
                del self.running[id_]

    async def _deliver(self, id_: str, operation: Operation, context: EdgeContext, deadline: float) -> None:
        if operation.facts.kind is not OperationType.SUBSCRIPTION:
            await self.send(about(id_, "next", await self.operations.run(operation, context, deadline)))
            return
        task = asyncio.current_task()

        def write(payload: bytes) -> bool:
            # Whoever has unsubscribed hears no more, though the task may not have learned it yet.
            return self.running.get(id_) is task and self._write(_NEXT.of(payload, id_))

        events = self.operations.events(operation, context, deadline, write)
        try:
            sent = 0
            async for payload in events:
                if not self._write(_NEXT.of(payload, id_)):
                    await self.send(about(id_, "next", payload))
                sent += 1
                if sent % FAIR_SHARE == 0:
                    await asyncio.sleep(0)
        finally:
            await events.aclose()

    async def _finish(self, id_: str, message: str) -> None:
        # The id is free before its last message is out: the client may use it again as soon as it has read it.
        if self.running.get(id_) is not asyncio.current_task():
            return
        del self.running[id_]
        try:
            await self.send(message)
        except PeerGone:
            return

    def _write(self, frame: bytes) -> bool:
        """Write a frame at once, if the socket is to go on, its reader is not slow, and the server can."""
        if self.closing.done() or self.sending or self.write_frame is None:
            return False
        return self.write_frame(frame)

    async def send(self, text: str) -> None:
        """Send one message, waiting while the reader is slow.

        Raises:
            PeerGone: nobody is there to read it.
        """
        if self.closing.done():
            raise PeerGone
        if not self.sending:
            self.progress_at = self.loop.time()
        self.sending += 1
        try:
            await self.transmit({"type": "websocket.send", "text": text})
        except OSError as error:
            raise PeerGone from error
        finally:
            self.sending -= 1
            self.progress_at = self.loop.time()

    def _refuse_another(self, context: EdgeContext) -> NoReturn:
        message = f"A socket may have {self.limits.operations} operations at one time."
        raise OperationRefused([plain_error("THROTTLED", message, context.request_id)])

    def _accounts(self) -> tuple[Account, ...]:
        return accounts_of(self.principal, self.network)

    def _init_timeout(self) -> None:
        if not self.initialised:
            self.close(Close.INIT_TIMEOUT, "Connection initialisation timeout")

    def _watch(self) -> None:
        quiet = self.loop.time() - self.progress_at if self.sending else 0.0
        if quiet >= self.limits.stall_seconds:
            self.close(Close.LAGGED, "Reader too slow: come back with your cursor")
        else:
            self.watch_timer = self.loop.call_later(self.limits.stall_seconds - quiet, self._watch)

    async def _send_close(self, code: int, reason: str) -> None:
        try:
            async with asyncio.timeout(self.limits.close_seconds):
                await self.transmit({"type": "websocket.close", "code": code, "reason": reason_text(reason)})
        except (TimeoutError, OSError):
            # A reader that takes nothing does not take the close frame either; the server drops the connection.
            log.info("close_not_taken", code=code)
