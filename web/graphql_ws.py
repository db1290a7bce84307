"""The websocket endpoint of /graphql: the handshake, and the sub-protocol graphql-transport-ws alone."""

import strawberry
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send

from schema.limits import Limits
from settings import Settings, get_settings
from web.client import client_of
from web.edge_context import ContextFactory
from web.graphql_operations import Operations
from web.graphql_ws_connection import Connection, SocketLimits
from web.graphql_ws_messages import PROTOCOL, Close
from web.graphql_ws_registry import ConnectionRegistry, LocalConnections
from web.origins import OriginAllowed, is_own


class GraphQLSocket:
    """An ASGI app for one path; mount it with `WebSocketRoute("/graphql", GraphQLSocket(...))`.

    Args:
        schema: what is served.
        context_for: called once a socket, with the payload of connection_init.
        limits: what one operation may ask.
        origin_allowed: whether pages of another origin than ours may connect. A handshake without an Origin comes from no
            browser, so no page abuses somebody's cookie with it, and is let through.
        registry: where sockets can be found when rights go; one of its own when left out.
        socket_limits: what one socket may do.
        settings: whose proxies are trusted and which origin is ours; the process's when left out.
        operations: shared with the HTTP endpoint; made here when left out.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        context_for: ContextFactory,
        limits: Limits,
        *,
        origin_allowed: OriginAllowed,
        registry: ConnectionRegistry | None = None,
        socket_limits: SocketLimits | None = None,
        settings: Settings | None = None,
        operations: Operations | None = None,
    ) -> None:
        self.context_for = context_for
        self.origin_allowed = origin_allowed
        self.registry = LocalConnections() if registry is None else registry
        self.socket_limits = socket_limits or SocketLimits()
        self.settings = settings or get_settings()
        self.operations = operations or Operations(schema, limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it closes."""
        http = HTTPConnection(scope)
        await receive()
        origin = http.headers.get("origin")
        if origin is not None and not is_own(origin, http, self.settings) and not await self.origin_allowed(origin):
            # Before it is accepted, closing is answering 403.
            await send({"type": "websocket.close", "code": Close.FORBIDDEN})
            return
        if PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            await send(
                {"type": "websocket.close", "code": Close.NOT_ACCEPTABLE, "reason": f"Speak {PROTOCOL} on this socket"}
            )
            return
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL})
        connection = Connection(
            http,
            receive,
            send,
            operations=self.operations,
            context_for=self.context_for,
            registry=self.registry,
            limits=self.socket_limits,
            network=client_of(http, self.settings).network,
        )
        await connection.run()
