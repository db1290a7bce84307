"""What the GraphQL edge asks of the context that resolvers get; `schema.context.Context` has all of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from starlette.requests import HTTPConnection

from permissions.principal import Principal
from schema.compiled import Plans
from subscriptions.crowd import Outlet


class EdgeContext(Protocol):
    """The surroundings of one operation, as the edge sees them.

    Attributes:
        outlet: set for a subscription whose payloads may be written without waking it; its resolver hands it to the source.
        plans: those of the operation's document, which the edge sets.
    """

    outlet: Outlet | None
    plans: Plans | None

    @property
    def principal(self) -> Principal | None:
        """Who calls. Its budget is charged, and its websockets end when its rights do."""

    @property
    def request_id(self) -> str:
        """Carried by every error, and found in the log."""

    @property
    def response_headers(self) -> list[tuple[str, str]]:
        """Sent with the HTTP answer; resolvers append Set-Cookie here. Ignored on a websocket."""

    @property
    def allow_introspection(self) -> bool:
        """Whether `__schema` and `__type` answer."""

    @property
    def auth_by_cookie(self) -> bool:
        """Whether the principal comes from a cookie, which a browser sends from any site's page."""

    @property
    def csrf_ok(self) -> bool:
        """Whether the header repeats the CSRF cookie; see `web.csrf`."""

    def for_operation(self) -> "EdgeContext":
        """The same caller with nothing loaded yet.

        A websocket has one for each operation and each event: with one for the whole socket, loaders would answer
        tomorrow with what they loaded today.
        """


ContextFactory = Callable[[HTTPConnection, Mapping[str, object] | None], Awaitable[EdgeContext]]
"""Makes the context of an HTTP request (None), or of a websocket (the payload of connection_init, {} when it has none).

It may raise `web.errors.RequestRefused`, for a key that is wrong, say.
"""
