"""What a change of an appointment has its customer told, and what it makes untrue: one table."""

from dataclasses import dataclass

from domain.appointment import AppointmentEventType, AppointmentStatus
from domain.notification import MessageState, NotificationEvent

_E = NotificationEvent
_PROMISED = frozenset({_E.CONFIRMATION, _E.REMINDER, _E.RESCHEDULED})
_BEFORE_ARRIVAL = _PROMISED | {_E.ON_THE_WAY}
EVERYTHING = frozenset(NotificationEvent)


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """`take_back`: queued messages of these events become `taken_back`; `tell`: these are planned anew.

    What the appointment outlived is SUPPRESSED as superseded; what goes with the visit itself is CANCELLED.
    """

    take_back: frozenset[NotificationEvent] = frozenset()
    tell: tuple[NotificationEvent, ...] = ()
    taken_back: MessageState = MessageState.SUPPRESSED


NOTHING = MessagePlan()
_NEW = MessagePlan(tell=(_E.CONFIRMATION, _E.REMINDER))
_MOVED = MessagePlan(take_back=_PROMISED, tell=(_E.RESCHEDULED, _E.REMINDER))


def message_plan(
    event: AppointmentEventType,
    before: AppointmentStatus | None,
    after: AppointmentStatus,
    *,
    promised: bool,
    moved: bool,
) -> MessagePlan:
    """The plan for an event.

    Args:
        before: the status before it; None when it has just been made.
        promised: whether the customer has been promised a window.
        moved: whether that window differs from the one before.
    """
    match event:
        case AppointmentEventType.CREATED | AppointmentEventType.SCHEDULED:
            return _NEW if promised and after is AppointmentStatus.SCHEDULED else NOTHING
        case AppointmentEventType.RESCHEDULED | AppointmentEventType.ASSIGNED:
            # Within the same promised window there is nothing to tell: the customer was never given another time.
            return _MOVED if promised and moved and after is AppointmentStatus.SCHEDULED else NOTHING
        case AppointmentEventType.ON_THE_WAY:
            return MessagePlan(take_back=frozenset({_E.REMINDER, _E.ON_THE_WAY}), tell=(_E.ON_THE_WAY,))
        case AppointmentEventType.STARTED:
            return MessagePlan(take_back=_BEFORE_ARRIVAL)
        case AppointmentEventType.COMPLETED:
            return MessagePlan(take_back=_BEFORE_ARRIVAL, tell=(_E.FOLLOW_UP,))
        case AppointmentEventType.CANCELLED:
            # Who was never promised a time need not hear that it is off.
            return MessagePlan(EVERYTHING, (_E.CANCELLED,) if promised else (), MessageState.CANCELLED)
        case AppointmentEventType.NO_SHOW:
            return MessagePlan(take_back=EVERYTHING, taken_back=MessageState.CANCELLED)
        case AppointmentEventType.REOPENED:
            return _reopened(before, after, promised=promised)
        case _:
            return NOTHING


def _reopened(before: AppointmentStatus | None, after: AppointmentStatus, *, promised: bool) -> MessagePlan:
    stale = frozenset({_E.ON_THE_WAY, _E.CANCELLED, _E.FOLLOW_UP})
    if after is not AppointmentStatus.SCHEDULED or not promised:
        return MessagePlan(take_back=stale)
    # Who was told that it is cancelled must hear that it is not.
    again = (_E.CONFIRMATION, _E.REMINDER) if before is AppointmentStatus.CANCELLED else (_E.REMINDER,)
    return MessagePlan(take_back=stale | {_E.REMINDER}, tell=again)
