"""A real uvicorn on loopback around the sample schema."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from websockets.asyncio.client import ClientConnection

from cli.listen import listen
from schema.limits import Limits
from settings import Settings
from tests.web.sample_schema import World, contexts, schema
from web.graphql_http import GraphQLEndpoint
from web.graphql_operations import Operations
from web.graphql_ws import GraphQLSocket
from web.graphql_ws_connection import SocketLimits
from web.graphql_ws_registry import LocalConnections
from web.middleware.cors import Cors
from web.middleware.request_log import RequestLog
from web.middleware.secure_transport import SecureTransport
from web.middleware.security_headers import SecurityHeaders
from web.throttle import DEFAULT_RATES, Rate, TokenBuckets
from web.trusted_documents import TrustedDocuments
from web.websocket_protocol import uvicorn_options

# Made once: reading the machine's certificates takes longer than most tests here.
TLS = ssl.create_default_context()
GRAPHQL = "application/graphql-response+json"


@dataclass
class Edge:
    """A running server and what is inside it."""

    port: int
    world: World
    operations: Operations
    registry: LocalConnections
    http: httpx.AsyncClient
    limits: Limits
    connections: set[Any]
    tasks: set[Any]
    sockets: list[ClientConnection] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    async def post(self, query: str, variables: Any = None, **rest: Any) -> httpx.Response:
        headers = {"accept": GRAPHQL, **rest.pop("headers", {})}
        body = {"query": query, "variables": variables, **rest}
        return await self.http.post(self.url, json=body, headers=headers)

    async def connect(self, init: Any = None, **options: Any) -> ClientConnection:
        """A websocket; acknowledged when `init` is given (as the payload of connection_init)."""
        found = await websockets.connect(
            f"ws://127.0.0.1:{self.port}/graphql",
            subprotocols=options.pop("subprotocols", ["graphql-transport-ws"]),
            ping_interval=None,
            **options,
        )
        self.sockets.append(found)
        if init is not None:
            await found.send(message("connection_init", payload=init))
            assert await found.recv() == '{"type":"connection_ack"}'
        return found


def message(type: str, **rest: Any) -> str:
    return json.dumps({"type": type, **rest})


def build_app(edge_world: World, operations: Operations, registry: LocalConnections, **options: Any) -> ASGIApp:
    settings: Settings = options["settings"]

    async def origin_allowed(origin: str) -> bool:
        return origin == "https://shop.example"

    def frameable(_request: object) -> HTMLResponse:
        return HTMLResponse("widget", headers={"Content-Security-Policy": "frame-ancestors https://shop.example"})

    def broken(_request: object) -> PlainTextResponse:
        raise RuntimeError("broken page")

    factory = contexts(edge_world)
    shared: dict[str, Any] = {"settings": settings, "operations": operations}
    return Starlette(
        routes=[
            Route("/graphql", GraphQLEndpoint(schema, factory, operations.limits, **shared)),
            WebSocketRoute(
                "/graphql",
                GraphQLSocket(
                    schema,
                    factory,
                    operations.limits,
                    origin_allowed=origin_allowed,
                    registry=registry,
                    socket_limits=options.get("socket_limits"),
                    **shared,
                ),
            ),
            Route("/widget", frameable),
            Route("/broken", broken),
        ],
        middleware=[
            Middleware(SecurityHeaders, settings=settings),
            Middleware(RequestLog, settings=settings),
            Middleware(SecureTransport, settings=settings),
            Middleware(Cors, settings=settings, origin_allowed=origin_allowed),
        ],
    )


async def stop(server: uvicorn.Server) -> None:
    """End its connections and wait for their tasks; `shutdown` would sleep 0.1 s on top."""
    for each in server.servers:
        each.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


@asynccontextmanager
async def running(
    *,
    limits: Limits | None = None,
    rates: Mapping[str, Rate] = DEFAULT_RATES,
    now: Callable[[], float] = monotonic,
    socket_limits: SocketLimits | None = None,
    trusted: TrustedDocuments | None = None,
    trusted_proxies: str = "",
    host: str = "127.0.0.1",
    **options: Any,
) -> AsyncIterator[Edge]:
    """Serve on a free port until the block ends."""
    limits = limits or Limits()
    world = World()
    operations = Operations(schema, limits, TokenBuckets(rates, now), trusted=trusted)
    registry = LocalConnections()
    listener = listen(host, 0)
    port = listener.getsockname()[1]
    settings = Settings(trusted_proxies=trusted_proxies, port=port)
    app = build_app(world, operations, registry, settings=settings, socket_limits=socket_limits)
    config = uvicorn.Config(app, lifespan="off", **{**uvicorn_options(limits.body_bytes), **options})
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # serve() does the same, but takes the process's signals and looks only every 0.1 s whether it should end.
    await server.startup(sockets=[listener])
    try:
        state = server.server_state
        async with httpx.AsyncClient(verify=TLS) as http:
            edge = Edge(port, world, operations, registry, http, limits, state.connections, state.tasks)
            yield edge
            for each in edge.sockets:
                # No closing handshake: a socket that was never read to its end would wait for one.
                each.transport.abort()
                await each.wait_closed()
    finally:
        await stop(server)
