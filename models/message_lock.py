"""The facts of a message at its claim: read again, and locked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.notification import MessageChannel, MessageState
from models.message import Message
from models.message_facts import APPOINTMENT, CUSTOMER, FACTS, RULE, SETTINGS, Facts, facts_of

# Shared locks on all that decides whether the message may go: whoever is about to move the appointment, switch the event
# off or opt out is waited for and seen; whoever comes later finds the message claimed. In the order in which changes of
# an appointment lock, and before the message itself.
_message = aliased(Message, name="m")
_mine = _message.id == bindparam("message")
_LOCKED = (
    FACTS.where(
        APPOINTMENT.c.id == select(_message.appointment_id).where(_mine).scalar_subquery(),
        RULE.c.event == select(_message.event).where(_mine).scalar_subquery(),
    )
    .add_columns(
        select(func.jsonb_build_array(_message.channel, _message.state, _message.occasion_at, _message.next_attempt_at))
        .where(_mine)
        .scalar_subquery()
        .label("message")
    )
    .with_for_update(read=True, of=[APPOINTMENT, CUSTOMER, SETTINGS, RULE])
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message as it stands before its claim; nothing of it is locked yet."""

    channel: MessageChannel
    state: MessageState
    occasion_at: datetime | None
    next_attempt_at: datetime


async def lock_facts(session: AsyncSession, message_id: UUID) -> tuple[Waiting, Facts] | None:
    """A message, and its facts, which nobody changes until the transaction ends; None when there is no such message, or its
    location has no such rule."""
    row = (await session.execute(_LOCKED, {"message": message_id})).first()
    if row is None:
        return None
    channel, state, occasion_at, next_attempt_at = row.message
    waiting = Waiting(
        MessageChannel(channel),
        MessageState(state),
        datetime.fromisoformat(occasion_at) if occasion_at else None,
        datetime.fromisoformat(next_attempt_at),
    )
    return waiting, facts_of(row)
