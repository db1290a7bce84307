"""Pages of the ledger, newest first, and what became of messages since a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notification import MessageState
from models.appointment import Appointment
from models.message import Message
from models.page import Order, Page, fetch_page, instant
from models.query import rows, select_rows

NEWEST = Order[Message](
    "message-newest", Message.__table__.c.created_at, lambda row: instant(row.created_at), descending=True
)
# A reader that was away for longer than this many changes reads the ledger instead.
MOST_CAUGHT_UP = 1_000


@dataclass(frozen=True, slots=True)
class MessageCriteria:
    """What a list holds; what is None does not narrow it. `visited_by`: only about this technician's appointments."""

    states: Sequence[MessageState] | None = None
    appointment_id: UUID | None = None
    customer_id: UUID | None = None
    visited_by: UUID | None = None


async def page_of_messages(
    session: AsyncSession, first: int | None, cursor: str | None, criteria: MessageCriteria
) -> Page[Message]:
    """A page of messages, newest first.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    statement = select_rows(Message)
    if criteria.states is not None:
        statement = statement.where(Message.state.in_(criteria.states))
    if criteria.appointment_id is not None:
        statement = statement.where(Message.appointment_id == criteria.appointment_id)
    if criteria.customer_id is not None:
        statement = statement.where(Message.customer_id == criteria.customer_id)
    if criteria.visited_by is not None:
        statement = statement.where(_about_visits_of(criteria.visited_by))
    return await fetch_page(session, Message, statement, NEWEST, first, cursor)


async def visible_messages(
    session: AsyncSession, message_ids: Sequence[UUID], visited_by: UUID | None
) -> Sequence[Message]:
    """Those of these messages that exist; a technician's about the technician's own appointments."""
    statement = select_rows(Message).where(Message.id.in_(message_ids))
    if visited_by is not None:
        statement = statement.where(_about_visits_of(visited_by))
    return await rows(session, Message, statement)


async def database_now(session: AsyncSession) -> datetime:
    """The database's clock, by which rows are stamped."""
    now: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def messages_changed_since(session: AsyncSession, moment: datetime) -> Sequence[UUID]:
    """The ids of messages whose rows changed at or after a moment, oldest change first."""
    statement = select_rows(Message).where(Message.updated_at >= moment)
    found = await rows(session, Message, statement.order_by(Message.updated_at, Message.id).limit(MOST_CAUGHT_UP))
    return [row.id for row in found]


def _about_visits_of(technician_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        Appointment.tenant_id == Message.tenant_id,
        Appointment.id == Message.appointment_id,
        Appointment.technician_id == technician_id,
    )
