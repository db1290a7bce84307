"""Gives each request its id, writes one line about it, and answers for what nothing else caught."""

from time import perf_counter

import orjson
import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings
from web.client import client_of
from web.errors import INTERNAL, MASK, plain_error
from web.request_id import assign_request_id

log = structlog.get_logger("access")
# Paths can hold tokens: /track/…, /files/…
LONGEST_SEGMENT = 24


class RequestLog:
    """The middleware around all that can fail; only the security headers, which its own answers need too, are outside it.

    Args:
        app: what it wraps.
        settings: whose proxies are trusted.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it when it ends; a websocket when it closes."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        request_id = assign_request_id(connection, self.settings)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(requestId=request_id)
        started = perf_counter()
        status: int | None = None

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                message = with_header(message, b"x-request-id", request_id.encode())
            elif message["type"] == "websocket.accept":
                status = 101
                message = with_header(message, b"x-request-id", request_id.encode())
            elif message["type"] == "websocket.close":
                status = message.get("code", 1000) if status == 101 else 403
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception:
            log.exception("request_failed")
            if status is None and scope["type"] == "http":
                await send_json(noting_send, 500, {"errors": [plain_error(INTERNAL, MASK, request_id)]})
            elif status is None:
                await noting_send({"type": "websocket.close", "code": 1011})
        finally:
            log.info(
                "request",
                method=scope.get("method", "WEBSOCKET"),
                path=shown_path(scope["path"]),
                status=status,
                milliseconds=round((perf_counter() - started) * 1000, 1),
                ip=client_of(connection, self.settings).ip,
            )


def shown_path(path: str) -> str:
    """The path for the log: long segments, which may be tokens, are left out."""
    return "/".join(part if len(part) <= LONGEST_SEGMENT else "…" for part in path[:500].split("/"))


def with_header(message: Message, name: bytes, value: bytes) -> Message:
    """The message with one more header."""
    return {**message, "headers": [*message.get("headers", ()), (name, value)]}


async def send_json(send: Send, status: int, value: object, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """A whole answer of JSON."""
    body = orjson.dumps(value)
    fixed = [(b"content-type", b"application/json; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})
