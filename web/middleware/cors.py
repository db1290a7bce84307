"""CORS for the sites of the tenants: an exact allowlist, asked for each origin, and never with cookies."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings
from web.errors import plain_error
from web.middleware.request_log import send_json
from web.origins import OriginAllowed, is_own
from web.request_id import request_id_of

METHODS = frozenset({"GET", "POST"})
REQUEST_HEADERS = frozenset({"accept", "authorization", "content-type", "x-request-id"})
MAX_AGE_SECONDS = 600


class Cors:
    """Answers preflights and marks responses to allowed origins.

    `Access-Control-Allow-Credentials` is never sent: another site's page acts for its visitor, not for whoever is logged in
    here. An origin that is not allowed gets its answer unmarked, which the browser keeps from the page.

    Args:
        app: what it wraps.
        settings: which origin is our own.
        origin_allowed: the allowlist of others.
    """

    def __init__(self, app: ASGIApp, settings: Settings, origin_allowed: OriginAllowed) -> None:
        self.app = app
        self.settings = settings
        self.origin_allowed = origin_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer the preflight."""
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        origin = headers.get("origin") if headers is not None else None
        if headers is None or origin is None or is_own(origin, HTTPConnection(scope), self.settings):
            await self.app(scope, receive, send)
            return
        allowed = await self.origin_allowed(origin)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._preflight(scope, send, headers, origin if allowed else None)
            return

        async def marking_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": list(message.get("headers", ()))}
                marked = MutableHeaders(scope=message)
                marked.add_vary_header("Origin")
                if allowed:
                    marked["Access-Control-Allow-Origin"] = origin
                    marked["Access-Control-Expose-Headers"] = "Retry-After, X-Request-ID"
            await send(message)

        await self.app(scope, receive, marking_send)

    async def _preflight(self, scope: Scope, send: Send, headers: Headers, origin: str | None) -> None:
        method = headers["access-control-request-method"]
        wanted = {
            part.strip().lower()
            for part in headers.get("access-control-request-headers", "").split(",")
            if part.strip()
        }
        if origin is None or method not in METHODS or not wanted <= REQUEST_HEADERS:
            error = plain_error(
                "FORBIDDEN", "Pages of this origin may not ask that.", request_id_of(HTTPConnection(scope))
            )
            await send_json(send, 403, {"errors": [error]}, ((b"vary", b"Origin"),))
            return
        answer = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-methods", ", ".join(sorted(METHODS)).encode()),
            (b"access-control-allow-headers", ", ".join(sorted(REQUEST_HEADERS)).encode()),
            (b"access-control-max-age", str(MAX_AGE_SECONDS).encode()),
            (b"vary", b"Origin"),
        ]
        await send({"type": "http.response.start", "status": 204, "headers": answer})
        await send({"type": "http.response.body", "body": b""})
