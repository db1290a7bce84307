"""The product as callers meet it: a real server on loopback, and clients that log in."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette

from cli.listen import listen
from settings import Settings
from web.app import LIMITS, create_app
from web.websocket_protocol import uvicorn_options

# Made once: reading the machine's certificates takes longer than most tests.
TLS = ssl.create_default_context()


@dataclass
class Client:
    """A browser, or nobody yet: keeps cookies and sends the CSRF header."""

    url: str
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(verify=TLS, timeout=30))
    #: Where its sockets go, if to another server than its requests.
    streams: str = ""
    #: Makes the connection of a socket, if not from here.
    dial: Callable[[], socket.socket] | None = None

    @property
    def socket_url(self) -> str:
        return (self.streams or self.url).replace("http", "ws", 1)

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        headers = {}
        if token := self.http.cookies.get("sps_csrf"):
            headers["x-csrf-token"] = token
        return await self.http.post(self.url, json={"query": query, "variables": variables}, headers=headers)

    async def ask(self, query: str, **variables: Any) -> Any:
        """The answer's data; errors fail the test."""
        body = (await self.post(query, **variables)).json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def do(self, mutation: str, fields: str = "userErrors { code path }", **input_: Any) -> Any:
        """A mutation with one input object, by its name; its payload."""
        type_ = f"{mutation[0].upper()}{mutation[1:]}Input"
        if mutation in TRANSITIONS:
            type_ = "AppointmentTransitionInput"
        query = f"mutation ($input: {type_}!) {{ it: {mutation}(input: $input) {{ {fields} }} }}"
        return (await self.ask(query, input=input_))["it"]

    @property
    def cookie_header(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())}

    @asynccontextmanager
    async def subscribe(self, query: str, **variables: Any) -> AsyncIterator["Stream"]:
        """A subscription over a websocket of its own."""
        async with websockets.connect(
            self.socket_url,
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
            additional_headers=self.cookie_header,
            sock=self.dial() if self.dial else None,
        ) as socket_:
            await socket_.send(json.dumps({"type": "connection_init"}))
            assert json.loads(await socket_.recv()) == {"type": "connection_ack"}
            payload = {"query": query, "variables": variables}
            await socket_.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            # Operations of a socket begin in order: the pong tells that this one stands.
            yield Stream(socket_)


@dataclass
class Stream:
    """What a subscription answers."""

    socket: websockets.ClientConnection

    async def next(self, seconds: float = 10) -> Any:
        """The next message's payload; anything but data fails the test."""
        message = json.loads(await asyncio.wait_for(self.socket.recv(), seconds))
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]


TRANSITIONS = {
    "appointmentStart",
    "appointmentComplete",
    "appointmentCancel",
    "appointmentMarkNoShow",
    "appointmentReopen",
}


@dataclass
class Service:
    """A running product."""

    port: int
    app: Starlette
    clients: list[Client] = field(default_factory=list)
    #: Where its clients send their requests, if to another server than their sockets go to.
    other: str | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Client:
        """Somebody new."""
        made = Client(f"{self.other or self.origin}/graphql", streams=f"{self.origin}/graphql")
        self.clients.append(made)
        return made


@asynccontextmanager
async def running_service(database_url: str, **settings: Any) -> AsyncIterator[Service]:
    """Serve on a free port until the block ends."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = create_app(Settings(database_url=database_url, port=port, **settings))
    config = uvicorn.Config(app, lifespan="on", **uvicorn_options(LIMITS.body_bytes))
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    service = Service(port, app)
    try:
        yield service
    finally:
        for client in service.clients:
            await client.http.aclose()
        for each in server.servers:
            each.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)
        await server.lifespan.shutdown()
