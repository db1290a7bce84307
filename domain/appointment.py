"""The life of an appointment: one table of transitions, from which the allowed moves and the refusals come."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from domain.errors import ErrorCode, Refusal


class AppointmentStatus(StrEnum):
    """Where an appointment stands."""

    REQUESTED = "REQUESTED"
    SCHEDULED = "SCHEDULED"
    ON_THE_WAY = "ON_THE_WAY"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"


class AppointmentSource(StrEnum):
    """Who made it."""

    DASHBOARD = "DASHBOARD"
    BOOKING_PORTAL = "BOOKING_PORTAL"
    PARTNER = "PARTNER"


class AppointmentEventType(StrEnum):
    """What happened to it, as the event stream tells."""

    CREATED = "CREATED"
    SCHEDULED = "SCHEDULED"
    RESCHEDULED = "RESCHEDULED"
    ASSIGNED = "ASSIGNED"
    UNASSIGNED = "UNASSIGNED"
    ON_THE_WAY = "ON_THE_WAY"
    STARTED = "STARTED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"
    REOPENED = "REOPENED"
    UPDATED = "UPDATED"
    ETA_CHANGED = "ETA_CHANGED"


class Action(StrEnum):
    """What somebody asks of an appointment."""

    UPDATE = "update"
    SCHEDULE = "schedule"
    ASSIGN = "assign"
    MARK_ON_THE_WAY = "mark on the way"
    START = "start"
    COMPLETE = "complete"
    CANCEL = "cancel"
    MARK_NO_SHOW = "mark as no-show"
    REOPEN = "reopen"


_S = AppointmentStatus
TRANSITIONS: Mapping[Action, Mapping[AppointmentStatus, AppointmentStatus]] = {
    Action.UPDATE: {s: s for s in (_S.REQUESTED, _S.SCHEDULED, _S.ON_THE_WAY, _S.IN_PROGRESS)},
    Action.SCHEDULE: {_S.REQUESTED: _S.SCHEDULED, _S.SCHEDULED: _S.SCHEDULED},
    Action.ASSIGN: {_S.REQUESTED: _S.REQUESTED, _S.SCHEDULED: _S.SCHEDULED},
    Action.MARK_ON_THE_WAY: {_S.SCHEDULED: _S.ON_THE_WAY},
    Action.START: {_S.SCHEDULED: _S.IN_PROGRESS, _S.ON_THE_WAY: _S.IN_PROGRESS},
    Action.COMPLETE: {_S.IN_PROGRESS: _S.COMPLETED},
    Action.CANCEL: dict.fromkeys((_S.REQUESTED, _S.SCHEDULED, _S.ON_THE_WAY, _S.IN_PROGRESS), _S.CANCELLED),
    Action.MARK_NO_SHOW: dict.fromkeys((_S.SCHEDULED, _S.ON_THE_WAY, _S.IN_PROGRESS), _S.NO_SHOW),
    # Undo and reopen: a mistaken "on the way" or "start" goes back to the plan, a job closed too early goes on.
    Action.REOPEN: {
        _S.ON_THE_WAY: _S.SCHEDULED,
        _S.IN_PROGRESS: _S.SCHEDULED,
        _S.COMPLETED: _S.IN_PROGRESS,
        _S.CANCELLED: _S.SCHEDULED,
        _S.NO_SHOW: _S.SCHEDULED,
    },
}

EVENT_OF: Mapping[Action, AppointmentEventType] = {
    Action.UPDATE: AppointmentEventType.UPDATED,
    Action.MARK_ON_THE_WAY: AppointmentEventType.ON_THE_WAY,
    Action.START: AppointmentEventType.STARTED,
    Action.COMPLETE: AppointmentEventType.COMPLETED,
    Action.CANCEL: AppointmentEventType.CANCELLED,
    Action.MARK_NO_SHOW: AppointmentEventType.NO_SHOW,
    Action.REOPEN: AppointmentEventType.REOPENED,
}

# These occupy the technician's time: the exclusion constraint of the table has the same list.
OCCUPYING = (_S.SCHEDULED, _S.ON_THE_WAY, _S.IN_PROGRESS)


def next_status(current: AppointmentStatus, action: Action, *, scheduled: bool) -> AppointmentStatus:
    """The status after the action.

    Args:
        scheduled: whether the appointment has a time; one cancelled before it had goes back to REQUESTED.

    Raises:
        Refusal: INVALID_TRANSITION when the table does not allow it.
    """
    target = TRANSITIONS[action].get(current)
    if target is None:
        raise Refusal(
            ErrorCode.INVALID_TRANSITION,
            f"An appointment that is {current} cannot {action.value}."
            if action in (Action.START, Action.COMPLETE, Action.REOPEN)
            else f"You cannot {action.value} an appointment that is {current}.",
            ("input", "appointmentId"),
        )
    if target is _S.SCHEDULED and not scheduled:
        return _S.REQUESTED
    return target


@cache
def allowed_transitions(current: AppointmentStatus, *, scheduled: bool, assigned: bool) -> list[AppointmentStatus]:
    """The other statuses that some action leads to from here, in the order of the enum."""
    reachable: set[AppointmentStatus] = set()
    for action, table in TRANSITIONS.items():
        if current not in table or (action in NEEDS_TECHNICIAN and not assigned):
            continue
        wanted = table[current]
        # Scheduling brings the time along; every other way to SCHEDULED needs one already.
        reachable.add(wanted if action is Action.SCHEDULE else next_status(current, action, scheduled=scheduled))
    reachable.discard(current)
    return [status for status in AppointmentStatus if status in reachable]


NEEDS_TECHNICIAN = frozenset({Action.MARK_ON_THE_WAY, Action.START})
