"""Whose page a request comes from."""

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from settings import Settings
from web.client import client_of

OriginAllowed = Callable[[str], Awaitable[bool]]
"""Whether pages of an origin ("https://www.example.com", compared letter by letter) may use us from a browser."""


def is_own(origin: str, connection: HTTPConnection, settings: Settings) -> bool:
    """Whether it is the origin of our own pages: the public one, or the one that this request was sent to."""
    asked = f"{client_of(connection, settings).scheme}://{connection.headers.get('host', '')}"
    return origin in (settings.origin, asked)
