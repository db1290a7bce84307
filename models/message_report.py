"""What providers report of messages, whenever it comes: a state moves on, and never back."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.message import earlier_states
from domain.notification import MessageState
from models.message import MESSAGE_CHANNEL, note_signal

# OUTCOME_UNKNOWN was given up on: a late report is the answer that was waited for.
_REPORT = text(
    f"""
    WITH done AS (
      UPDATE messages SET state = CAST(:state AS text), provider_id = coalesce(provider_id, :provider_id), unknown_since = NULL,
        reason = :reason, failure = :failure, segments = coalesce(:segments, segments),
        sent_at = CASE WHEN :went_out THEN coalesce(sent_at, clock_timestamp()) ELSE sent_at END,
        delivered_at = CASE WHEN CAST(:state AS text) = 'DELIVERED' THEN clock_timestamp() END,
        updated_at = clock_timestamp()
      WHERE id = :id AND (provider_id IS NULL OR provider_id = :provider_id) AND attempts > 0
        AND (state = ANY(:earlier) OR reason = 'OUTCOME_UNKNOWN')
      RETURNING tenant_id, id)
    SELECT pg_notify('{MESSAGE_CHANNEL}', tenant_id || ':' || id) FROM done
    """  # noqa: S608
)


async def report(
    session: AsyncSession,
    message_id: UUID,
    state: MessageState,
    provider_id: str,
    *,
    reason: str | None = None,
    failure: str | None = None,
    segments: int | None = None,
) -> bool:
    """Move a message on to what its provider reports; False for a replay, a late report, or another request's."""
    found = await session.execute(
        _REPORT,
        {
            "id": message_id,
            "state": state.value,
            "provider_id": provider_id,
            "reason": reason,
            "failure": failure,
            "segments": segments,
            "went_out": state is not MessageState.FAILED,
            "earlier": [each.value for each in earlier_states(state)],
        },
    )
    moved = found.first() is not None
    if moved:
        note_signal(session, [message_id])
    return moved
