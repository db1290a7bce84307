"""Writing the security log in the transaction of what it tells of, and reading it."""

from typing import Any
from uuid import UUID

from domain.ids import new_id
from domain.security_event import SecurityEventType
from integrations.geoip import city_of
from models.database import Transaction
from models.page import Page
from models.security_event import SecurityEvent, page_of_security_events
from permissions.principal import Principal
from permissions.visitor import Visitor
from resolvers.caller import Caller
from settings import Settings


def record(
    session: Transaction,
    settings: Settings,
    visitor: Visitor,
    tenant_id: UUID,
    type: SecurityEventType,
    *,
    actor: str | None,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    **details: Any,
) -> None:
    """Add an entry; it is written with the transaction.

    Args:
        details: values of JSON, camelCase, ids as callers see them. No address, no number, nothing secret.
    """
    session.add(
        SecurityEvent(
            tenant_id=tenant_id,
            id=new_id(),
            type=type.value,
            actor=actor,
            user_id=user_id,
            api_key_id=api_key_id,
            ip=visitor.ip,
            city=city_of(settings.geoip_file, visitor.ip),
            user_agent=visitor.user_agent,
            details=details,
        )
    )


def record_of(session: Transaction, caller: Caller, type: SecurityEventType, **details: Any) -> None:
    """Add an entry about what a caller does."""
    record_by(session, caller.settings, caller.visitor, caller.principal, type, **details)


def record_by(
    session: Transaction,
    settings: Settings,
    visitor: Visitor,
    principal: Principal,
    type: SecurityEventType,
    **details: Any,
) -> None:
    """Add an entry about what a principal does."""
    record(
        session,
        settings,
        visitor,
        principal.tenant_id,
        type,
        actor=principal.actor,
        user_id=principal.user_id,
        api_key_id=principal.api_key_id,
        **details,
    )


async def list_security_events(caller: Caller, first: int | None, after: str | None) -> Page[SecurityEvent]:
    """A page of the log, newest first.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_security_events(session, first, after)
