"""A message's facts of life: whether it is still true, and in which order providers' reports may move it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.appointment import AppointmentStatus
from domain.notification import MessageState, NotificationEvent

FINAL = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.FAILED,
        MessageState.SUPPRESSED,
        MessageState.CANCELLED,
    }
)
PROMISES = frozenset({NotificationEvent.CONFIRMATION, NotificationEvent.REMINDER, NotificationEvent.RESCHEDULED})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an appointment stands, as far as its messages are concerned. Instants are aware.

    `starts_at` and `ends_at` are the window that the customer was promised.
    """

    status: AppointmentStatus
    starts_at: datetime | None
    ends_at: datetime | None
    on_the_way_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None


def occasion(event: NotificationEvent, standing: Standing) -> datetime | None:
    """The moment that a message of this event tells of: stored when it is planned, compared when it is sent."""
    match event:
        case NotificationEvent.ON_THE_WAY:
            return standing.on_the_way_at
        case NotificationEvent.CANCELLED:
            return standing.cancelled_at
        case NotificationEvent.FOLLOW_UP:
            return standing.completed_at
        case _:
            return standing.starts_at


_TRUE_WHILE: Mapping[NotificationEvent, frozenset[AppointmentStatus]] = {
    NotificationEvent.CONFIRMATION: frozenset({AppointmentStatus.SCHEDULED, AppointmentStatus.ON_THE_WAY}),
    NotificationEvent.RESCHEDULED: frozenset({AppointmentStatus.SCHEDULED, AppointmentStatus.ON_THE_WAY}),
    NotificationEvent.REMINDER: frozenset({AppointmentStatus.SCHEDULED}),
    NotificationEvent.ON_THE_WAY: frozenset({AppointmentStatus.ON_THE_WAY}),
    NotificationEvent.CANCELLED: frozenset({AppointmentStatus.CANCELLED}),
    NotificationEvent.FOLLOW_UP: frozenset({AppointmentStatus.COMPLETED}),
}


def is_fresh(event: NotificationEvent, planned_for: datetime | None, standing: Standing, now: datetime) -> bool:
    """Whether what the message says is still so, and still of use."""
    if standing.status not in _TRUE_WHILE[event] or occasion(event, standing) != planned_for:
        return False
    if event is NotificationEvent.REMINDER:
        return standing.starts_at is not None and now < standing.starts_at
    if event in PROMISES:
        return standing.ends_at is not None and now < standing.ends_at
    return True


# Twilio's words for where a message stands: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
_REPORTED: Mapping[str, MessageState] = {
    "accepted": MessageState.SENT,
    "scheduled": MessageState.SENT,
    "queued": MessageState.SENT,
    "sending": MessageState.SENT,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "read": MessageState.DELIVERED,
    "undelivered": MessageState.FAILED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}


def reported_state(status: str) -> MessageState | None:
    """What a provider's word means; None for a word that means nothing here."""
    return _REPORTED.get(status.lower())


def earlier_states(target: MessageState) -> frozenset[MessageState]:
    """The states from which a report of `target` moves a message on; from all others it is late, or a replay.

    QUEUED is among them: what was taken for lost and waits to be sent again had gone out after all.
    """
    before = {MessageState.QUEUED, MessageState.SENDING}
    return frozenset(before if target is MessageState.SENT else before | {MessageState.SENT})
