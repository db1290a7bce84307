"""Who calls, told by the session cookie; makes the context that resolvers get."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from auth.cookies import SESSION, cookie_name
from models.database import Database
from permissions.principal import Principal
from resolvers.account import principal_of_token
from schema.context import Context
from settings import Settings
from subscriptions.hub import Hub
from web.client import client_of
from web.csrf import csrf_matches
from web.request_id import request_id_of


@dataclass(frozen=True, slots=True)
class Contexts:
    """Makes contexts of requests and websockets."""

    settings: Settings
    database: Database
    hub: Hub

    async def __call__(self, connection: HTTPConnection, init: Mapping[str, object] | None) -> Context:
        """The context of an HTTP request (`init` None), or of a websocket."""
        client = client_of(connection, self.settings)
        principal = await self._principal(connection, secure=client.secure)
        return Context(
            database=self.database,
            settings=self.settings,
            hub=self.hub,
            principal=principal,
            request_id=request_id_of(connection),
            client_ip=client.ip,
            user_agent=client.user_agent,
            secure=client.secure,
            auth_by_cookie=principal is not None,
            csrf_ok=csrf_matches(connection, client.secure),
            # Whoever runs it on this machine is its developer; elsewhere the schema is for those who are known.
            allow_introspection=principal is not None or client.loopback,
        )

    async def _principal(self, connection: HTTPConnection, *, secure: bool) -> Principal | None:
        token = connection.cookies.get(cookie_name(SESSION, secure=secure))
        return await principal_of_token(self.database, token) if token else None
