"""The ledger as a queue: rows planned and taken back within a change of the appointment, and handed out when due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ids import new_id
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.message import MESSAGE_CHANNEL, note_signal
from models.prepared import ask


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message to be written down; with a reason it is one that is not going to be sent."""

    tenant_id: UUID
    appointment_id: UUID
    customer_id: UUID
    event: NotificationEvent
    channel: MessageChannel
    occasion_at: datetime | None
    recipient: str
    subject: str | None
    body: str
    segments: int | None
    send_at: datetime
    reason: SuppressionReason | None = None


# One statement whatever their number, so that its plan is kept: an INSERT for each row costs twice as much.
_WRITE = """
    WITH made AS (
    INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, reason, occasion_at, recipient,
      subject, body, segments, send_at, next_attempt_at, relay_at)
    SELECT tenant_id, id, appointment_id, customer_id, event, channel, state, reason, occasion_at, recipient,
      subject, body, segments, send_at, send_at, send_at
    FROM jsonb_to_recordset(CAST(%(rows)s AS jsonb)) AS r (tenant_id uuid, id uuid, appointment_id uuid, customer_id uuid,
      event text, channel text, state text, reason text, occasion_at timestamptz, recipient text, subject text, body text,
      segments integer, send_at timestamptz))
    SELECT pg_notify(%(channel)s, %(signal)s)
    """


async def write_messages(session: AsyncSession, planned: Sequence[PlannedMessage]) -> None:
    """Write planned messages."""
    if planned:
        rows = [_row(message) for message in planned]
        signal = note_signal(session, [row["id"] for row in rows])
        values = {"rows": orjson.dumps(rows).decode(), "channel": MESSAGE_CHANNEL, "signal": signal}
        await ask(session, _WRITE, values)


def _row(message: PlannedMessage) -> dict[str, Any]:
    state = MessageState.QUEUED if message.reason is None else MessageState.SUPPRESSED
    values = {name: getattr(message, name) for name in PlannedMessage.__slots__}
    return values | {"id": new_id(), "state": state}


_DISPATCH = text("SELECT tenant_id, id FROM dispatch_messages(:lease, :room)")


async def dispatch_messages(session: AsyncSession, lease_seconds: float, room: int) -> Sequence[tuple[UUID, UUID]]:
    """Take what somebody must look at now, of all tenants: (tenant, message), at most `room` with those handed out before.

    Each is due again after the lease, unless a worker has claimed or finished it by then: what a broker loses comes back.
    """
    found = await session.execute(_DISPATCH, {"lease": lease_seconds, "room": room})
    return [(row.tenant_id, row.id) for row in found]
