"""The security log in the schema."""

from datetime import datetime

import strawberry

from domain.ids import Prefix
from models.security_event import SecurityEvent as SecurityEventRow
from permissions.scopes import Scope
from resolvers.security_event import list_security_events
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import query
from schema.node import Node, node_id
from schema.scalars import Json


@strawberry.type
class SecurityEvent(Node):
    """Something about who gets in and what they may: kept for 365 days."""

    type: str = strawberry.field(description="LOGGED_IN, LOG_IN_FAILED, ROLE_CHANGED, …; see docs/security-log.md.")
    actor: str | None = strawberry.field(description="Null when nobody was logged in.")
    ip: str | None
    city: str | None
    user_agent: str | None
    occurred_at: datetime
    details: Json

    @classmethod
    def of(cls, row: SecurityEventRow) -> "SecurityEvent":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.SECURITY_EVENT, row.id),
            type=row.type,
            actor=row.actor,
            ip=row.ip,
            city=row.city,
            user_agent=row.user_agent,
            occurred_at=row.occurred_at,
            details=Json(row.details),
        )


@strawberry.type
class SecurityEventQuery:
    """Root fields."""

    @query(Scope.SECURITY_READ)
    async def security_events(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[SecurityEvent] | None:
        """Log-ins, failures, denials, changes of keys and roles, exports: newest first."""
        page = await list_security_events(info.context.caller, first, after)
        return connection_of(page, SecurityEvent.of)  # type: ignore[no-any-return]
