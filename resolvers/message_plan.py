"""Planning of messages: rows with a due time, written in the transaction of the change that they tell of."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.appointment import AppointmentEventType
from domain.message import occasion
from domain.message_due import due_time
from domain.message_plan import MessagePlan, message_plan
from domain.notification import MessageChannel, NotificationEvent, SuppressionReason
from domain.notification_quiet import send_time
from models.appointment import Appointment
from models.appointment_change import TakeBack, write_change
from models.database import Transaction
from models.message_facts import Facts
from models.message_queue import PlannedMessage, write_messages
from resolvers.message_text import put_into_words
from settings import Settings

_WINDOW = ("arrival_starts_at", "arrival_ends_at", "starts_at", "ends_at")


async def write_and_tell(
    session: Transaction,
    appointment: Appointment,
    event: AppointmentEventType,
    before: Mapping[str, Any] | None,
    settings: Settings,
) -> None:
    """Write a changed appointment, and with it what the customer is to be told of the event; take back what it made stale.

    Args:
        appointment: locked, as it is after the event; one that has just been made is in the database already.
        before: its columns before the event (`models.appointment.snapshot`); None when it has just been made.
    """
    after = {name: getattr(appointment, name) for name in _WINDOW}
    plan = message_plan(
        event,
        before["status"] if before else None,
        appointment.status,
        promised=_promised(after)[0] is not None,
        moved=before is not None and _promised(before) != _promised(after),
    )
    stale = TakeBack(plan.take_back, plan.taken_back) if plan.take_back and before is not None else None
    tell = _events_of(plan)
    facts, taken = await write_change(session, appointment, tell, stale, made=before is None)
    if facts:
        await write_messages(session, [message for message in _planned(plan, facts, taken, settings) if message])


def _promised(columns: Mapping[str, Any]) -> tuple[Any, Any]:
    return columns["arrival_starts_at"] or columns["starts_at"], columns["arrival_ends_at"] or columns["ends_at"]


def _events_of(plan: MessagePlan) -> list[NotificationEvent]:
    if NotificationEvent.RESCHEDULED in plan.tell:
        return [*plan.tell, NotificationEvent.CONFIRMATION]
    return list(plan.tell)


def _planned(
    plan: MessagePlan,
    facts: Mapping[NotificationEvent, Facts],
    taken: set[tuple[NotificationEvent, MessageChannel]],
    settings: Settings,
) -> Iterator[PlannedMessage | None]:
    for event in plan.tell:
        for channel in MessageChannel:
            told = event
            if event is NotificationEvent.RESCHEDULED and not _wanted(facts, event, channel):
                # Where moves are not told but bookings are, the confirmation that had not gone out yet goes out with the
                # new time: else the customer would hear of neither.
                if (NotificationEvent.CONFIRMATION, channel) not in taken:
                    continue
                told = NotificationEvent.CONFIRMATION
            if _wanted(facts, told, channel):
                yield _message(facts[told], channel, settings)


def _wanted(facts: Mapping[NotificationEvent, Facts], event: NotificationEvent, channel: MessageChannel) -> bool:
    return event in facts and facts[event].switches.on(event, channel)


def _message(facts: Facts, channel: MessageChannel, settings: Settings) -> PlannedMessage | None:
    standing = facts.standing
    due = due_time(facts.event, facts.now, standing.starts_at, standing.ends_at, facts.offset_minutes)
    if due is None:
        return None
    recipient = facts.recipient(channel)
    reason = None
    if recipient is None:
        reason = SuppressionReason.NO_RECIPIENT
    elif facts.opted_out(channel):
        reason = SuppressionReason.OPTED_OUT
    words = put_into_words(facts, channel, settings)
    return PlannedMessage(
        tenant_id=facts.tenant_id,
        appointment_id=facts.appointment_id,
        customer_id=facts.customer_id,
        event=facts.event,
        channel=channel,
        occasion_at=occasion(facts.event, standing),
        recipient=recipient or "",
        subject=words.subject,
        body=words.body,
        segments=words.segments,
        send_at=send_time(facts.event, due, facts.quiet_hours_start, facts.quiet_hours_end, facts.visit.zone),
        reason=reason,
    )
