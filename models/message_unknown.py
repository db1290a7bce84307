"""Messages whose outcome nobody knows: claimed by a worker that is gone, or sent without an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notification import MessageChannel, MessageState, NotificationEvent
from models.message import Message
from models.message_report import report


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that may have been sent. `definite_at`: from then on a list without it proves that it was not.

    `now` is the database's clock.
    """

    message_id: UUID
    event: NotificationEvent
    channel: MessageChannel
    recipient: str
    body: str
    occasion_at: datetime | None
    attempts: int
    fence: int
    claimed_at: datetime
    unknown_since: datetime
    definite_at: datetime
    now: datetime


_ABANDONED = text(
    "UPDATE messages SET unknown_since = clock_timestamp(), updated_at = now(),"
    " failure = 'the worker was lost before it could tell'"
    " WHERE id = :id AND state = 'SENDING' AND unknown_since IS NULL"
    " AND claimed_at < clock_timestamp() - make_interval(secs => :claim_seconds)"
)
_READ = select(
    Message.event,
    Message.channel,
    Message.recipient,
    Message.body,
    Message.occasion_at,
    Message.attempts,
    Message.fence,
    Message.claimed_at,
    Message.unknown_since,
    func.least(
        Message.claimed_at + bindparam("claim", type_=Interval),
        Message.unknown_since + bindparam("settle", type_=Interval),
    ).label("definite_at"),
    func.clock_timestamp().label("now"),
)


async def unknown_message(
    session: AsyncSession, message_id: UUID, claim_seconds: float, settle_seconds: float
) -> Unknown | None:
    """The message, if its outcome is unknown: because a worker said so, or because its claim ran out.

    Args:
        claim_seconds: a claim that is older counts as abandoned, and its request as ended.
        settle_seconds: after an ambiguous end, the time in which the provider's list still fills.
    """
    await session.execute(_ABANDONED, {"id": message_id, "claim_seconds": claim_seconds})
    found = await session.execute(
        _READ.where(
            Message.id == message_id, Message.state == MessageState.SENDING, Message.unknown_since.is_not(None)
        ),
        {"claim": timedelta(seconds=claim_seconds), "settle": timedelta(seconds=settle_seconds)},
    )
    row: Any = found.first()
    return None if row is None else Unknown(message_id=message_id, **row._mapping)


async def has_twin_in_flight(session: AsyncSession, unknown: Unknown) -> bool:
    """Whether the same words are just being sent to the same recipient: what the list then shows may be the twin's."""
    found = await session.execute(
        select(Message.id)
        .where(
            Message.state == MessageState.SENDING,
            Message.unknown_since.is_(None),
            Message.recipient == unknown.recipient,
            Message.body == unknown.body,
            Message.id != unknown.message_id,
        )
        .limit(1)
    )
    return found.first() is not None


async def adopt(session: AsyncSession, unknown: Unknown, provider_id: str, **reported: Any) -> bool:
    """Take a listed message for this one, unless it is another's: each proves one message alone."""
    # Two that look for the same words see the same list: the second must see whom the first took.
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:listed, 0))"), {"listed": provider_id})
    found = await session.execute(
        text("SELECT is_another_message(:listed, :recipient, :own)"),
        {"listed": provider_id, "recipient": unknown.recipient, "own": unknown.message_id},
    )
    if found.scalar_one():
        return False
    return await report(session, unknown.message_id, provider_id=provider_id, **reported)


async def look_again(session: AsyncSession, message_id: UUID, fence: int, seconds: float) -> None:
    """Leave it unknown for some more seconds."""
    await session.execute(
        text(
            "UPDATE messages SET relay_at = clock_timestamp() + make_interval(secs => :seconds)"
            " WHERE id = :id AND fence = :fence AND state = 'SENDING'"
        ),
        {"id": message_id, "fence": fence, "seconds": seconds},
    )
