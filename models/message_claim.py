"""What a worker writes of a message: its claim, and how it ended. Each ending names the claim's fence, or changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notification import MessageState, SuppressionReason
from models.message import MESSAGE_CHANNEL, note_signal


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send a message once: `attempts` counts this one."""

    attempts: int
    fence: int


# The clock is the statement's and not the transaction's, which may have waited for locks since it began.
_CLAIM = text(
    """
    UPDATE messages m SET state = 'SENDING', attempts = attempts + 1, fence = fence + 1, claimed_at = clock_timestamp(),
      relay_at = clock_timestamp() + make_interval(secs => :claim_seconds), updated_at = clock_timestamp(),
      recipient = :recipient, subject = :subject, body = :body, segments = :segments, failure = NULL
    WHERE m.id = :id AND m.state = 'QUEUED' AND m.next_attempt_at <= clock_timestamp()
      -- In the order in which they were due, as long as the earlier one is on its way or about to be. One that waits for
      -- longer, or that may have gone out already, does not hold up the others.
      AND NOT EXISTS (
        SELECT FROM messages o
        WHERE o.appointment_id = m.appointment_id AND o.channel = m.channel AND (o.send_at, o.id) < (m.send_at, m.id)
          AND (o.state = 'QUEUED' AND o.next_attempt_at <= clock_timestamp() + interval '1 minute'
               OR o.state = 'SENDING' AND o.unknown_since IS NULL))
    RETURNING m.attempts, m.fence
    """
)


async def claim_message(session: AsyncSession, message_id: UUID, claim_seconds: float, **words: Any) -> Claim | None:
    """Take a queued message that is due and whose turn it is; None when it is not, or somebody else has.

    Args:
        claim_seconds: after this the claim counts as abandoned.
        words: recipient, subject, body and segments, as they are about to be sent.
    """
    row = (await session.execute(_CLAIM, {"id": message_id, "claim_seconds": claim_seconds, **words})).first()
    return Claim(row.attempts, row.fence) if row else None


async def put_off(session: AsyncSession, message_id: UUID, seconds: float) -> None:
    """Look at a queued message again in some seconds: it is another's turn."""
    await session.execute(
        text(
            "UPDATE messages SET relay_at = clock_timestamp() + make_interval(secs => :seconds)"
            " WHERE id = :id AND state = 'QUEUED' AND next_attempt_at <= clock_timestamp()"
        ),
        {"id": message_id, "seconds": seconds},
    )


async def defer(session: AsyncSession, message_id: UUID, until: datetime) -> None:
    """Let a queued message wait for the end of quiet hours; no attempt is counted."""
    await session.execute(
        text(
            "UPDATE messages SET send_at = :until, next_attempt_at = :until, relay_at = :until, updated_at = now()"
            " WHERE id = :id AND state = 'QUEUED'"
        ),
        {"id": message_id, "until": until},
    )


def _ending(assignments: str, condition: str) -> TextClause:
    # One statement, with the signal in it: whoever listens hears of what has been committed, and of nothing else.
    return text(
        f"WITH done AS (UPDATE messages SET {assignments}, updated_at = clock_timestamp() WHERE id = :id AND {condition}"  # noqa: S608
        f" RETURNING tenant_id, id) SELECT pg_notify('{MESSAGE_CHANNEL}', tenant_id || ':' || id) FROM done"
    )


async def _end(session: AsyncSession, statement: TextClause, **values: Any) -> bool:
    ended = (await session.execute(statement, values)).first() is not None
    if ended:
        note_signal(session, [values["id"]])
    return ended


_HELD = "fence = :fence AND state = 'SENDING'"
_ACCEPTED = _ending(
    "state = 'SENT', sent_at = clock_timestamp(), provider_id = :provider_id, unknown_since = NULL,"
    " segments = coalesce(:segments, segments)",
    _HELD,
)
_ENDED = _ending(
    "state = :state, reason = :reason, failure = :failure, provider_id = coalesce(:provider_id, provider_id),"
    " unknown_since = NULL",
    _HELD,
)
_SUPPRESSED = _ending("state = 'SUPPRESSED', reason = :reason, failure = :failure", "state = 'QUEUED'")


async def accept(
    session: AsyncSession, message_id: UUID, fence: int, provider_id: str | None, segments: int | None = None
) -> bool:
    """The provider has taken it: SENT. False when a report of the provider has come before us, or the claim is another's."""
    return await _end(session, _ACCEPTED, id=message_id, fence=fence, provider_id=provider_id, segments=segments)


async def fail(
    session: AsyncSession,
    message_id: UUID,
    fence: int,
    reason: SuppressionReason | None,
    failure: str,
    provider_id: str | None = None,
    state: MessageState = MessageState.FAILED,
) -> bool:
    """It will not be sent, for good: FAILED, or SUPPRESSED where that was somebody's will."""
    return await _end(
        session,
        _ENDED,
        id=message_id,
        fence=fence,
        state=state.value,
        reason=reason and reason.value,
        failure=failure,
        provider_id=provider_id,
    )


async def suppress(
    session: AsyncSession, message_id: UUID, reason: SuppressionReason | None, failure: str | None = None
) -> bool:
    """Hold a queued message back."""
    return await _end(session, _SUPPRESSED, id=message_id, reason=reason and reason.value, failure=failure)


async def requeue(session: AsyncSession, message_id: UUID, fence: int, seconds: float, failure: str | None) -> bool:
    """It has certainly not been sent: send it in some seconds."""
    found = await session.execute(
        text(
            "UPDATE messages SET state = 'QUEUED', unknown_since = NULL, failure = :failure, updated_at = now(),"
            " next_attempt_at = statement_timestamp() + make_interval(secs => :seconds),"
            " relay_at = statement_timestamp() + make_interval(secs => :seconds)"
            " WHERE id = :id AND fence = :fence AND state = 'SENDING' RETURNING id"
        ),
        {"id": message_id, "fence": fence, "seconds": seconds, "failure": failure},
    )
    return found.first() is not None


async def mark_unknown(session: AsyncSession, message_id: UUID, fence: int, seconds: float, failure: str) -> bool:
    """It may have been sent: find out in some seconds. The state stays SENDING, the fence the claim's."""
    found = await session.execute(
        text(
            "UPDATE messages SET unknown_since = coalesce(unknown_since, statement_timestamp()), failure = :failure,"
            " relay_at = statement_timestamp() + make_interval(secs => :seconds), updated_at = now()"
            " WHERE id = :id AND fence = :fence AND state = 'SENDING' RETURNING id"
        ),
        {"id": message_id, "fence": fence, "seconds": seconds, "failure": failure},
    )
    return found.first() is not None


_BROKEN = _ending(
    "attempts = attempts + 1, failure = :failure,"
    " state = CASE WHEN attempts + 1 >= :most THEN 'FAILED' ELSE state END,"
    " next_attempt_at = statement_timestamp() + make_interval(secs => :seconds),"
    " relay_at = statement_timestamp() + make_interval(secs => :seconds)",
    "state = 'QUEUED'",
)


async def give_up_on(session: AsyncSession, message_id: UUID, most_attempts: int, seconds: float, failure: str) -> None:
    """Count an attempt that broke down before it could claim, so that no row breaks workers for ever; the last one fails."""
    await _end(session, _BROKEN, id=message_id, most=most_attempts, seconds=seconds, failure=failure)
