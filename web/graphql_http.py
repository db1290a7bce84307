"""GraphQL over HTTP: POST /graphql, as the GraphQL-over-HTTP specification has it and the graphql-http audits check it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import strawberry
import structlog
from graphql import OperationType
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from schema.limits import Limits
from settings import Settings, get_settings
from web.client import client_of
from web.edge_context import ContextFactory, EdgeContext
from web.errors import BAD_USER_INPUT, INTERNAL, MASK, FormattedError, OperationRefused, RequestRefused, plain_error
from web.graphql_negotiation import MediaType, answer_type, check_content_type
from web.graphql_operations import Operation, Operations
from web.graphql_request import GraphQLRequest, read_json, read_request
from web.request_id import request_id_of
from web.throttle import accounts_of

KINDS = frozenset({OperationType.QUERY, OperationType.MUTATION})
# A body over the limit is read on for this long, so that its sender gets to see the answer instead of a reset.
DRAIN_BYTES = 1_000_000

log = structlog.get_logger("graphql")


class ClientLeft(Exception):
    """The caller hung up before its request was whole."""


class GraphQLEndpoint:
    """An ASGI app for one path; mount it with `Route("/graphql", GraphQLEndpoint(...))`.

    Args:
        schema: what is served.
        context_for: makes each request's context.
        limits: what one request may ask.
        settings: whose proxies are trusted; the process's when left out.
        operations: shared with the websocket; made here when left out.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_for: ContextFactory,
        limits: Limits,
        *,
        settings: Settings | None = None,
        operations: Operations | None = None,
    ) -> None:
        self.context_for = context_for
        self.limits = limits
        self.settings = settings or get_settings()
        self.operations = operations or Operations(schema, limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        connection = HTTPConnection(scope)
        request_id = request_id_of(connection)
        media_type = MediaType.JSON
        headers: list[tuple[str, str]] = []
        try:
            media_type = answer_type(connection.headers.get("accept"))
            status, body = await self._answer(connection, receive, media_type, request_id, headers)
        except ClientLeft:
            return
        except OperationRefused as refused:
            extensions = {"cost": refused.cost} if refused.cost else None
            status = refused.status or media_type.refusal_status
            body = _errors(refused.errors, extensions)
            headers += refused.headers
        except RequestRefused as refused:
            status = refused.status
            body = _errors([plain_error(refused.code, refused.message, request_id)])
            headers += refused.headers
        except Exception:
            log.exception("request_failed", requestId=request_id)
            status, body = 500, _errors([plain_error(INTERNAL, MASK, request_id)])
        await _send(send, status, media_type, body, headers)

    async def _answer(
        self,
        connection: HTTPConnection,
        receive: Receive,
        media_type: MediaType,
        request_id: str,
        headers: list[tuple[str, str]],
    ) -> tuple[int, bytes]:
        deadline = asyncio.get_running_loop().time() + self.limits.seconds
        if connection.scope["method"] != "POST":
            raise RequestRefused(405, BAD_USER_INPUT, "GraphQL is asked by POST.", [("Allow", "POST")])
        check_content_type(connection.headers)
        body = await self._body(connection.headers, receive, deadline)
        request = read_request(read_json(body, self.limits))
        context, operation = await self._prepared(connection, request, deadline)
        structlog.contextvars.bind_contextvars(operation=operation.facts.name, kind=operation.facts.kind.value)
        if operation.facts.kind is OperationType.MUTATION and context.auth_by_cookie and not context.csrf_ok:
            raise RequestRefused(
                403, "FORBIDDEN", "A mutation with a session cookie repeats the CSRF cookie in X-CSRF-Token."
            )
        answer = await self.operations.run(operation, context, deadline)
        headers += context.response_headers
        return 200, answer

    async def _prepared(
        self, connection: HTTPConnection, request: GraphQLRequest, deadline: float
    ) -> tuple[EdgeContext, Operation]:
        try:
            async with asyncio.timeout_at(deadline) as limit:
                context = await self.context_for(connection, None)
                accounts = accounts_of(context.principal, client_of(connection, self.settings).network)
                return context, await self.operations.prepare(request, context, accounts, KINDS)
        except TimeoutError:
            if not limit.expired():
                raise
            raise RequestRefused(503, INTERNAL, "The request could not be looked at in time.") from None

    async def _body(self, headers: Headers, receive: Receive, deadline: float) -> bytes:
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > self.limits.body_bytes + DRAIN_BYTES:
            raise self._too_large()
        chunks: list[bytes] = []
        received = 0
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientLeft
                    chunk = message.get("body", b"")
                    received += len(chunk)
                    if received <= self.limits.body_bytes:
                        chunks.append(chunk)
                    elif received > self.limits.body_bytes + DRAIN_BYTES:
                        break
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise RequestRefused(
                408, BAD_USER_INPUT, "The request did not arrive in time.", [("Connection", "close")]
            ) from None
        if received > self.limits.body_bytes:
            raise self._too_large()
        return b"".join(chunks)

    def _too_large(self) -> RequestRefused:
        return RequestRefused(
            413, BAD_USER_INPUT, f"A request may have {self.limits.body_bytes:,} bytes.", [("Connection", "close")]
        )


def _errors(errors: list[FormattedError], extensions: dict[str, Any] | None = None) -> bytes:
    return orjson.dumps({"errors": errors, "extensions": extensions} if extensions else {"errors": errors})


async def _send(
    send: Send, status: int, media_type: MediaType, body: bytes, headers: Sequence[tuple[str, str]]
) -> None:
    fixed = [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    given = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": fixed + given})
    await send({"type": "http.response.body", "body": body})
