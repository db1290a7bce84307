"""The ledger as a queue: rows planned and taken back within a change of the appointment, and handed out when due."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, func, insert, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.ids import new_id
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.message import Message


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


async def write_messages(session: AsyncSession, planned: Sequence[PlannedMessage]) -> None:
    """Write planned messages, all in one statement."""
    if planned:
        await session.execute(insert(cast("Table", Message.__table__)), [_row(message) for message in planned])


def _row(message: PlannedMessage) -> dict[str, Any]:
    return {
        "tenant_id": message.tenant_id,
        "id": new_id(),
        "appointment_id": message.appointment_id,
        "customer_id": message.customer_id,
        "event": message.event,
        "channel": message.channel,
        "state": MessageState.QUEUED if message.reason is None else MessageState.SUPPRESSED,
        "reason": message.reason,
        "occasion_at": message.occasion_at,
        "recipient": message.recipient,
        "subject": message.subject,
        "body": message.body,
        "segments": message.segments,
        "send_at": message.send_at,
        "next_attempt_at": message.send_at,
        "relay_at": message.send_at,
    }


async def take_back(
    session: AsyncSession, appointment_id: UUID, events: Collection[NotificationEvent], state: MessageState
) -> Sequence[tuple[NotificationEvent, MessageChannel]]:
    """Take back the queued messages of these events; what a worker has claimed is on its way and stays.

    Returns:
        Event and channel of each that was taken back.
    """
    found = await session.execute(
        update(Message)
        .where(
            Message.appointment_id == appointment_id,
            Message.state == MessageState.QUEUED,
            Message.event.in_(events),
        )
        .values(
            state=state,
            reason=SuppressionReason.SUPERSEDED if state is MessageState.SUPPRESSED else None,
            updated_at=func.now(),
        )
        .returning(Message.event, Message.channel)
        .execution_options(synchronize_session=False)
    )
    return [(row.event, row.channel) for row in found]


_DISPATCH = text("SELECT tenant_id, id FROM dispatch_messages(:lease, :room)")


async def dispatch_messages(session: AsyncSession, lease_seconds: float, room: int) -> Sequence[tuple[UUID, UUID]]:
    """Take what somebody must look at now, of all tenants: (tenant, message), at most `room` with those handed out before.

    Each is due again after the lease, unless a worker has claimed or finished it by then: what a broker loses comes back.
    """
    found = await session.execute(_DISPATCH, {"lease": lease_seconds, "room": room})
    return [(row.tenant_id, row.id) for row in found]
