"""What resolvers of one operation share: who calls, the database, the loaders. Made anew for each operation."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from uuid import uuid4

import strawberry

from auth.cookies import CSRF, SESSION, set_cookie
from auth.tokens import new_token
from models.database import Database
from permissions.guards import raise_unauthenticated
from permissions.principal import Principal
from resolvers.account import SESSION_LIFE
from resolvers.caller import Caller
from schema.loaders import Loaders
from settings import Settings
from subscriptions.hub import Hub


@dataclass
class Context:
    """One operation's surroundings.

    `response_headers` are sent with the HTTP answer (cookies at log-in); `client_ip` and `user_agent` are the caller's
    as the trusted proxies tell.
    """

    database: Database
    settings: Settings
    hub: Hub
    principal: Principal | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    client_ip: str | None = None
    user_agent: str | None = None
    secure: bool = False
    auth_by_cookie: bool = False
    csrf_ok: bool = False
    allow_introspection: bool = False

    @cached_property
    def caller(self) -> Caller:
        """The principal with the database.

        Raises:
            GraphQLError: UNAUTHENTICATED when nobody is logged in.
        """
        if self.principal is None:
            raise_unauthenticated()
        return Caller(self.principal, self.database, self.settings)

    def enter(self, principal: Principal, token: str) -> None:
        """Let the caller be this principal from now on, and send the cookies of its session."""
        self.principal = principal
        self.__dict__.pop("caller", None)
        self.forget_loaded()
        self._cookies(token, new_token(), SESSION_LIFE)

    def forget_loaded(self) -> None:
        """Load everything anew from here on."""
        self.__dict__.pop("load", None)

    def for_operation(self) -> "Context":
        """The same caller with nothing loaded yet, for the next operation of a websocket."""
        return replace(self, response_headers=[])

    def leave(self) -> None:
        """Take the cookies back."""
        self._cookies("", "", timedelta(0))

    def _cookies(self, session_token: str, csrf_token: str, life: timedelta) -> None:
        # The page's script reads the second one and repeats it in a header, which another site cannot.
        self.response_headers += [
            set_cookie(SESSION, session_token, secure=self.secure, http_only=True, life=life),
            set_cookie(CSRF, csrf_token, secure=self.secure, http_only=False, life=life),
        ]

    @cached_property
    def load(self) -> Loaders:
        """Rows by id, fetched together and once an operation."""
        return Loaders(self.caller)


Info = strawberry.Info[Context, None]
