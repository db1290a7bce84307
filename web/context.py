"""Who calls, told by an API key or the session cookie; makes the context that resolvers get."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from starlette.requests import HTTPConnection

from auth.cookies import CSRF_HEADER, SESSION, cookie_name
from auth.csrf import is_csrf_token
from integrations.payments import Payments
from models.database import Database
from permissions.principal import Principal
from permissions.visitor import Visitor
from resolvers.planning import Planning
from resolvers.principal import principal_of_key, principal_of_token
from resolvers.security_log import SecurityLog
from schema.context import Context
from settings import Settings
from subscriptions.hub import Hub
from web.client import client_of
from web.csrf import csrf_matches
from web.errors import RequestRefused
from web.origins import is_own
from web.request_id import request_id_of

BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Contexts:
    """Makes contexts of requests and websockets."""

    settings: Settings
    database: Database
    hub: Hub
    security_log: SecurityLog
    payments: Payments
    planning: Planning

    async def __call__(self, connection: HTTPConnection, init: Mapping[str, object] | None) -> Context:
        """The context of an HTTP request (`init` None), or of a websocket.

        A key that is wrong is never taken for nobody: a partner would find its requests half answered. A cookie counts
        on pages of our own alone.

        Raises:
            RequestRefused: UNAUTHENTICATED for a key that is wrong.
        """
        client = client_of(connection, self.settings)
        key = _key_of(connection, init)
        token = self._session_token(connection, client.secure)
        principal: Principal | None = None
        if key is not None:
            principal = await self._of_key(key)
        elif token:
            principal = await principal_of_token(self.database, token)
        return Context(
            database=self.database,
            settings=self.settings,
            hub=self.hub,
            principal=principal,
            request_id=request_id_of(connection),
            visitor=Visitor(client.ip, client.network, client.user_agent),
            security_log=self.security_log,
            payments=self.payments,
            planning=self.planning,
            secure=client.secure,
            auth_by_cookie=principal is not None and key is None,
            csrf_ok=csrf_matches(connection, client.secure) and self._csrf_is_of(connection, token),
            # Whoever runs it on this machine is its developer; elsewhere the schema is for those who are known.
            allow_introspection=principal is not None or client.loopback,
        )

    def _session_token(self, connection: HTTPConnection, secure: bool) -> str | None:
        """The cookie of a page of ours, or of a program, which names no origin.

        Browsers send it with another site's websocket too. A location may allow that site, which then acts for its visitor
        and not for whoever is logged in here.
        """
        origin = connection.headers.get("origin")
        if origin is not None and not is_own(origin, connection, self.settings):
            return None
        return connection.cookies.get(cookie_name(SESSION, secure=secure))

    async def _of_key(self, key: str) -> Principal:
        principal = await principal_of_key(self.database, self.settings.secret_key.get_secret_value(), key)
        return principal or _refuse("That API key is none of ours, was revoked, or has expired.")

    def _csrf_is_of(self, connection: HTTPConnection, session_token: str | None) -> bool:
        header = connection.headers.get(CSRF_HEADER, "")
        secret = self.settings.secret_key.get_secret_value()
        return session_token is not None and is_csrf_token(secret, session_token, header)


def _key_of(connection: HTTPConnection, init: Mapping[str, object] | None) -> str | None:
    """The API key that the caller sent, or None.

    Raises:
        RequestRefused: there is something in its place that cannot be one.
    """
    if init is not None and init.get("apiKey") is not None:
        given = init["apiKey"]
        return given if isinstance(given, str) else _refuse("apiKey is written as a string.")
    header = connection.headers.get("authorization")
    if header is None:
        return None
    scheme, _, key = header.partition(" ")
    if scheme.lower() != BEARER or not key.strip():
        _refuse("Authorization is written: Bearer KEY.")
    return key.strip()


def _refuse(message: str) -> NoReturn:
    raise RequestRefused(401, "UNAUTHENTICATED", message, [("WWW-Authenticate", "Bearer")])
