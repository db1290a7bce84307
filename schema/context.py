"""What resolvers of one operation share: who calls, the database, the loaders. Made anew for each operation."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from uuid import uuid4

import strawberry

from auth.cookies import CSRF, SESSION, set_cookie
from auth.csrf import csrf_token
from domain.address import Address, checked_address
from integrations.payments import LocalPayments, Payments
from models.database import Database
from permissions.guards import raise_unauthenticated
from permissions.principal import Principal
from permissions.visitor import UNKNOWN, Visitor
from resolvers.booking_portal import BookingSite
from resolvers.caller import Caller
from resolvers.geocoding import with_place
from resolvers.guest import Guest
from resolvers.log_in_session import SESSION_LIFE, LoggedIn
from resolvers.planning import Planning
from resolvers.security_log import SecurityLog
from schema.compiled import Plans
from schema.loaders import Loaders
from settings import Settings
from subscriptions.crowd import Outlet
from subscriptions.hub import Hub


@dataclass
class Context:
    """One operation's surroundings.

    `response_headers` are sent with the HTTP answer (cookies at log-in); `visitor` is the caller's end as the trusted
    proxies tell; `security_log` takes what is refused; `outlet` is a subscription's, see `web.edge_context`.
    """

    database: Database
    settings: Settings
    hub: Hub
    principal: Principal | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    visitor: Visitor = UNKNOWN
    payments: Payments = field(default_factory=LocalPayments)
    planning: Planning = field(default_factory=Planning)
    security_log: SecurityLog | None = None
    secure: bool = False
    auth_by_cookie: bool = False
    csrf_ok: bool = False
    allow_introspection: bool = False
    # Those of the operation's document; without them everything is read as rows.
    plans: Plans | None = None
    outlet: Outlet | None = None

    @cached_property
    def caller(self) -> Caller:
        """The principal with the database.

        Raises:
            GraphQLError: UNAUTHENTICATED when nobody is logged in.
        """
        if self.principal is None:
            raise_unauthenticated()
        return Caller(self.principal, self.database, self.settings, self.visitor)

    @cached_property
    def guest(self) -> Guest:
        """The caller as somebody unknown, for what needs no log-in."""
        log = self.security_log or SecurityLog(self.database, self.settings)
        return Guest(self.database, self.settings, self.visitor, log)

    @property
    def booking_site(self) -> BookingSite:
        """What the public booking page needs."""
        return BookingSite(self.database, self.settings, self.planning)

    async def placed(self, address: Address | None) -> Address | None:
        """An address with its place, where one is found: asked before a use case, since no geocoder is asked in a transaction.

        Raises:
            Refusal: INVALID_INPUT.
        """
        if address is None:
            return None
        secret = self.settings.secret_key.get_secret_value()
        return await with_place(self.planning, self.database, secret, checked_address(address, "address"))

    def denied(self, scope: str) -> None:
        """Have the security log told that the caller lacks a scope."""
        if self.security_log is not None and self.principal is not None:
            self.security_log.denied(self.principal, scope, self.visitor)

    def enter(self, opened: LoggedIn) -> None:
        """Let the caller be whoever has logged in from now on, and send the cookies of the session."""
        self.principal = opened.principal
        self.__dict__.pop("caller", None)
        self.forget_loaded()
        secret = self.settings.secret_key.get_secret_value()
        self._cookies(opened.token, csrf_token(secret, opened.token), SESSION_LIFE)

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
