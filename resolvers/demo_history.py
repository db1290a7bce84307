"""What led to each of the demo's visits: who booked, moved and did it, and when, all before now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from domain.appointment import AppointmentEventType, AppointmentSource, AppointmentStatus
from domain.local_time import at_local, check_zone, local_date
from resolvers.demo_data.people import INTERNAL_NOTES
from resolvers.demo_data.team import DISPATCHER, NIGHT_DESK, TECHNICIANS, TIME_ZONE
from resolvers.demo_pool import Visit

ONLINE, PARTNER = "Online booking", "Hill Country Home Warranty"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# How many days before the visit it was booked, and in which minutes of that day.
LEAD_DAYS = (1, 1, 2, 2, 3, 4, 5, 6, 8)
OFFICE = (7 * 60 + 30, 18 * 60)
# Minutes before setting off at which an emergency was called in; hours before now at which a request came.
CALLED, ASKED_HOURS = (8, 30), (1, 40)
# A visit that was moved had been planned so many hours nearer to noon.
MOVED_HOURS = (2, 3)

_E, _S, _FROM = AppointmentEventType, AppointmentStatus, AppointmentSource
# How a visit came about: the source, who made it, whether it had no time at first, or no technician.
WAYS = (
    (_FROM.DASHBOARD, DISPATCHER.name, False, False),
    (_FROM.DASHBOARD, DISPATCHER.name, True, True),
    (_FROM.DASHBOARD, DISPATCHER.name, False, True),
    (_FROM.BOOKING_PORTAL, ONLINE, False, False),
    (_FROM.PARTNER, PARTNER, True, True),
)
WEIGHTS = (5, 4, 3, 5, 2)
TIMES = ("starts_at", "ends_at", "arrival_starts_at", "arrival_ends_at")

REASONS = {
    _E.CANCELLED: ("It works again", "Found somebody sooner", "Has to travel", "Price", "Child is ill"),
    _E.NO_SHOW: ("Nobody opened, phone goes to voicemail", "Gate closed, no answer for a quarter of an hour"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a visit, and the columns that history follows as they were after it."""

    at: datetime
    type: AppointmentEventType
    actor: str
    after: dict[str, Any]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Where a visit came from and all that happened to it, in order."""

    source: AppointmentSource
    steps: list[Step]


def history(rng: Random, visit: Visit, columns: dict[str, Any], technician_id: UUID | None, now: datetime) -> History:
    """Tell how a visit came to be what it is; sets its moment of cancellation.

    Args:
        columns: those that never changed: duration_minutes, total, notes.
    """
    way = WAYS[0] if visit.emergency else rng.choices(WAYS, WEIGHTS)[0]
    created_at = _created_at(rng, visit, now)
    deadline = _deadline(visit, now)
    if visit.status is _S.CANCELLED:
        visit.cancelled_at = deadline = created_at + (deadline - created_at) * rng.uniform(0.5, 0.95)
    times = dict.fromkeys(TIMES) | _times(visit)
    state: dict[str, Any] = columns | times | {"technician_id": technician_id, "internal_notes": None, "eta": None}
    steps: list[Step] = []
    booked = list(_booking(rng, visit, state, way))
    for number, (type_, actor, after) in enumerate(booked):
        # One after the other between the first call and what comes after the booking.
        share = (number - rng.uniform(0.2, 0.8)) / len(booked) if number else 0
        steps.append(Step(created_at + (deadline - created_at) * share, type_, actor, after))
    for at, type_, actor, changes in _progress(visit):
        reason = rng.choice(REASONS[type_]) if type_ in REASONS else None
        steps.append(Step(at, type_, actor, steps[-1].after | changes, reason))
    return History(way[0], steps)


def _booking(
    rng: Random, visit: Visit, state: dict[str, Any], way: tuple[AppointmentSource, str, bool, bool]
) -> Iterator[tuple[AppointmentEventType, str, dict[str, Any]]]:
    _, maker, no_time, no_technician = way
    if visit.status is _S.REQUESTED:
        yield _E.CREATED, maker, state | {"status": _S.REQUESTED}
        return
    planned = state | {"status": _S.SCHEDULED}
    if visit.emergency:
        yield _E.CREATED, NIGHT_DESK.name, planned
        return
    moved = rng.random() < 0.1
    first = planned | (_moved(state, rng.choice(MOVED_HOURS)) if moved else {})
    nobody = {"technician_id": None} if no_technician or visit.technician is None else {}
    if no_time:
        yield _E.CREATED, maker, first | dict.fromkeys(TIMES) | nobody | {"status": _S.REQUESTED}
        yield _E.SCHEDULED, DISPATCHER.name, first
    else:
        yield _E.CREATED, maker, first | nobody
        if nobody and visit.technician is not None:
            yield _E.ASSIGNED, DISPATCHER.name, first
    if moved:
        yield _E.RESCHEDULED, DISPATCHER.name, planned
    if rng.random() < 0.12:
        yield _E.UPDATED, DISPATCHER.name, planned | {"internal_notes": rng.choice(INTERNAL_NOTES)}


def _progress(visit: Visit) -> Iterator[tuple[datetime, AppointmentEventType, str, dict[str, Any]]]:
    if visit.status is _S.CANCELLED and visit.cancelled_at:
        yield visit.cancelled_at, _E.CANCELLED, DISPATCHER.name, {"status": _S.CANCELLED}
        return
    if visit.technician is None or visit.on_the_way_at is None:
        return
    actor = TECHNICIANS[visit.technician].name
    expected = visit.eta or visit.started_at or visit.starts_at
    yield visit.on_the_way_at, _E.ON_THE_WAY, actor, {"status": _S.ON_THE_WAY, "eta": expected}
    if visit.started_at:
        yield visit.started_at, _E.STARTED, actor, {"status": _S.IN_PROGRESS, "eta": None}
    if visit.completed_at:
        yield visit.completed_at, _E.COMPLETED, actor, {"status": _S.COMPLETED}
    if visit.cancelled_at:
        yield visit.cancelled_at, _E.NO_SHOW, actor, {"status": _S.NO_SHOW, "eta": None}


def _times(visit: Visit) -> dict[str, datetime | None]:
    arrival = visit.arrival or (None, None)
    return dict(zip(TIMES, (visit.starts_at, visit.ends_at, *arrival), strict=True))


def _moved(state: dict[str, Any], hours: int) -> dict[str, Any]:
    morning = state["starts_at"].astimezone(check_zone(TIME_ZONE)).hour < 12
    return {name: state[name] + timedelta(hours=hours if morning else -hours) for name in TIMES}


def _deadline(visit: Visit, now: datetime) -> datetime:
    """By when the booking was done: the technician sets off, or it is now."""
    return min(visit.on_the_way_at or visit.leaves_at or visit.starts_at or now, now) - SECOND


def _created_at(rng: Random, visit: Visit, now: datetime) -> datetime:
    deadline = _deadline(visit, now)
    if visit.emergency:
        return deadline - rng.randint(*CALLED) * MINUTE
    if visit.status is _S.REQUESTED:
        return deadline - rng.randint(ASKED_HOURS[0] * 60, ASKED_HOURS[1] * 60) * MINUTE
    day = local_date(deadline, TIME_ZONE) - timedelta(days=rng.choice(LEAD_DAYS))
    return at_local(day, rng.randint(*OFFICE), TIME_ZONE) + rng.randint(0, 59) * SECOND
