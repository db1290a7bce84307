"""Headers that tell browsers to be strict; a response that sets one of them itself keeps its own."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings
from web.client import client_of

CONTENT_SECURITY_POLICY = b"content-security-policy"
FRAME_OPTIONS = b"x-frame-options"
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
DEFAULTS: tuple[tuple[bytes, bytes], ...] = (
    (
        CONTENT_SECURITY_POLICY,
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), payment=(), usb=(), geolocation=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (FRAME_OPTIONS, b"DENY"),
)


class SecurityHeaders:
    """Adds the headers to every HTTP response.

    A page that other sites may frame (the booking widget) sends its own Content-Security-Policy with the origins that its
    location allows in `frame-ancestors`; X-Frame-Options, which cannot name them, is then left out.

    Args:
        app: what it wraps.
        settings: whose proxies are trusted.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its response's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        secure = client_of(HTTPConnection(scope), self.settings).secure

        async def completing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name.lower() for name, _ in given}
                if CONTENT_SECURITY_POLICY in names:
                    names.add(FRAME_OPTIONS)
                wanted = (*DEFAULTS, HSTS) if secure else DEFAULTS
                message = {**message, "headers": given + [each for each in wanted if each[0] not in names]}
            await send(message)

        await self.app(scope, receive, completing_send)
