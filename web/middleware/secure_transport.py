"""Refuses plain HTTP from anywhere but this machine. It does not redirect: the secrets have been sent by then."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from settings import Settings
from web.client import client_of
from web.errors import plain_error
from web.middleware.request_log import send_json
from web.request_id import request_id_of

MESSAGE = (
    "This server is reached over HTTPS. Behind a proxy that speaks it, name the proxy's address in SPS_TRUSTED_PROXIES "
    "and have it send X-Forwarded-Proto."
)


class SecureTransport:
    """Lets through HTTPS, what a trusted proxy says came over HTTPS, and callers on loopback.

    Args:
        app: what it wraps.
        settings: whose proxies are trusted.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        client = client_of(connection, self.settings)
        if client.secure or client.loopback:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "HTTPS only"})
        else:
            error = plain_error("FORBIDDEN", MESSAGE, request_id_of(connection))
            await send_json(send, 403, {"errors": [error]}, ((b"connection", b"close"),))
