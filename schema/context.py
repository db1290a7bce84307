"""What resolvers of one operation share: who calls, the database, the loaders. Made anew for each operation."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import strawberry

from models.database import Database
from permissions.guards import raise_unauthenticated
from permissions.principal import Principal
from resolvers.caller import Caller
from schema.loaders import Loaders
from settings import Settings


@dataclass
class Context:
    """One operation's surroundings.

    `response_headers` are sent with the HTTP answer (cookies at log-in); `client_ip` and `user_agent` are the caller's
    as the trusted proxies tell.
    """

    database: Database
    settings: Settings
    principal: Principal | None = None
    request_id: str = field(default_factory=lambda: uuid4().hex)
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    client_ip: str | None = None
    user_agent: str | None = None
    secure: bool = False
    hub: Any = None

    @cached_property
    def caller(self) -> Caller:
        """The principal with the database.

        Raises:
            GraphQLError: UNAUTHENTICATED when nobody is logged in.
        """
        if self.principal is None:
            raise_unauthenticated()
        return Caller(self.principal, self.database, self.settings)

    @cached_property
    def load(self) -> Loaders:
        """Rows by id, fetched together and once an operation."""
        return Loaders(self.caller)


Info = strawberry.Info[Context, None]
