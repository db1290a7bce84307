"""Reminders that wait, and their times, when a location changes when it reminds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.notification import MessageState, NotificationEvent
from models.appointment import Appointment
from models.message import Message
from models.message_list import database_now


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder that waits, of a visit whose promised window begins at `visit_at`."""

    message_id: UUID
    visit_at: datetime
    send_at: datetime


async def queued_reminders(session: AsyncSession, location_id: UUID) -> tuple[datetime, Sequence[Reminder]]:
    """The database's clock, and the location's reminders that no worker has tried to send."""
    now = await database_now(session)
    found = await session.execute(
        select(Message.id, Message.occasion_at, Message.send_at)
        .join(
            Appointment,
            (Appointment.tenant_id == Message.tenant_id) & (Appointment.id == Message.appointment_id),
        )
        .where(
            Appointment.location_id == location_id,
            Message.state == MessageState.QUEUED,
            Message.event == NotificationEvent.REMINDER,
            Message.attempts == 0,
            Message.occasion_at.is_not(None),
        )
    )
    return now, [Reminder(row.id, row.occasion_at, row.send_at) for row in found]


async def retime(session: AsyncSession, times: Mapping[UUID, datetime]) -> None:
    """Give messages that still wait these times."""
    if not times:
        return
    await session.execute(
        text(
            "UPDATE messages m SET send_at = t.moment, next_attempt_at = t.moment, relay_at = t.moment,"
            " updated_at = now()"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:moments AS timestamptz[])) AS t (id, moment)"
            " WHERE m.id = t.id AND m.state = 'QUEUED' AND m.attempts = 0"
        ),
        {"ids": list(times), "moments": list(times.values())},
    )
