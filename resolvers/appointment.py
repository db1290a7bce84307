"""Changing an appointment: locks in one order, the version, the event and the messages, all in one transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.appointment import (
    EVENT_OF,
    NEEDS_TECHNICIAN,
    Action,
    AppointmentEventType,
    AppointmentStatus,
    next_status,
)
from domain.appointment_change import field_changes
from domain.errors import ErrorCode, Refusal, invalid, not_found
from integrations.travel_time import TravelEngine
from models.appointment import Appointment, snapshot
from models.appointment_change import Locked, lock_change
from models.database import Transaction, record_event
from models.technician import has_time_off, hold_technicians
from resolvers.caller import Caller
from resolvers.eta import estimated_arrival, fetch_way
from resolvers.message_plan import write_and_tell


@dataclass(slots=True)
class Change:
    """An appointment under change: the row is locked, and `event` is what the stream will tell."""

    session: Transaction
    caller: Caller
    appointment: Appointment
    event: AppointmentEventType


Edit = Callable[[Change, Locked], Awaitable[None]]


async def change_appointment(
    caller: Caller,
    appointment_id: UUID,
    expected_version: int | None,
    action: Action,
    edit: Edit | None = None,
    *,
    joining: UUID | None = None,
    reason: str | None = None,
) -> Appointment:
    """Carry out an action: lock, check version and lifecycle, edit, bump the version, write event and messages.

    An edit that changes nothing leaves the version alone and writes no event.

    Args:
        joining: the technician that the edit may give it to.
        reason: why, in the caller's words; kept with the event.

    Raises:
        Refusal: NOT_FOUND, VERSION_CONFLICT (with the current row), INVALID_TRANSITION, SLOT_TAKEN,
            TECHNICIAN_UNAVAILABLE, BUSY, or what `edit` raises.
    """

    async def work(session: Transaction) -> Appointment:
        found = await lock_change(session, appointment_id, joining)
        if found is None:
            raise not_found("appointment", "appointmentId")
        appointment = found.appointment
        check_locked(caller, appointment, expected_version)
        before = snapshot(appointment)
        target = next_status(
            appointment.status, action, scheduled=action is Action.SCHEDULE or appointment.starts_at is not None
        )
        if action in NEEDS_TECHNICIAN and appointment.technician_id is None:
            raise Refusal(ErrorCode.INVALID_TRANSITION, "Assign a technician first.", ("input", "appointmentId"))
        change = Change(session, caller, appointment, EVENT_OF.get(action, AppointmentEventType.UPDATED))
        _stamp(appointment, action, target)
        if edit is not None:
            await edit(change, found)
        await finish(change, before, reason)
        return appointment

    return await caller.transact(work, opened=True)


def check_locked(caller: Caller, appointment: Appointment, expected_version: int | None) -> None:
    """Make sure that a locked appointment is the caller's to change, and of the version that the caller knows.

    Raises:
        Refusal: NOT_FOUND (also when it is not the calling technician's own), VERSION_CONFLICT.
    """
    if caller.visited_by not in (None, appointment.technician_id):
        raise not_found("appointment", "appointmentId")
    if expected_version is not None and expected_version != appointment.version:
        raise Refusal(
            ErrorCode.VERSION_CONFLICT,
            "Somebody changed the appointment meanwhile.",
            ("input", "expectedVersion"),
            current=appointment,
        )


async def finish(change: Change, before: dict[str, object] | None, reason: str | None = None) -> None:
    """Write the row, its event and its messages, if anything differs.

    Args:
        before: its columns before the change; None: it has just been made, and is flushed here with all that belongs to it.
    """
    appointment = change.appointment
    changes = field_changes(before, snapshot(appointment))
    if not changes and before is not None:
        return
    if reason and reason.strip():
        changes.append({"field": "reason", "before": None, "after": reason.strip()})
    if before is None:
        await change.session.flush()
    else:
        appointment.version += 1
    await write_and_tell(change.session, appointment, change.event, before, change.caller.settings)
    record_event(
        change.session,
        type=change.event,
        appointment_id=appointment.id,
        actor=change.caller.principal.actor,
        changes=changes,
    )


async def available_technician(
    change: Change, technician_id: UUID, starts_at: datetime | None, ends_at: datetime | None
) -> None:
    """Make sure that the technician is there and free to be planned; whether the calendar has room the table itself decides.

    Raises:
        Refusal: NOT_FOUND; TECHNICIAN_UNAVAILABLE when inactive or off at that time.
    """
    technician = (await hold_technicians(change.session, [technician_id])).get(technician_id)
    if technician is None:
        raise not_found("technician", "technicianId")
    if not technician.active:
        raise Refusal(ErrorCode.TECHNICIAN_UNAVAILABLE, f"{technician.name} is not active.", ("input", "technicianId"))
    if starts_at and ends_at and await has_time_off(change.session, technician_id, starts_at, ends_at):
        raise Refusal(
            ErrorCode.TECHNICIAN_UNAVAILABLE, f"{technician.name} is off at that time.", ("input", "technicianId")
        )


async def mark_on_the_way(
    caller: Caller, travel: TravelEngine, appointment_id: UUID, expected_version: int | None, eta_minutes: int | None
) -> Appointment:
    """The technician drives off: the board moves, and the customer is told, by rows of this one transaction.

    Args:
        eta_minutes: minutes until arrival; None: estimated from the technician's whereabouts, if they are known.

    Raises:
        Refusal: as `change_appointment`; INVALID_INPUT for minutes outside 0..1440.
    """
    if eta_minutes is not None and not 0 <= eta_minutes <= 1_440:
        raise invalid("An arrival lies 0 to 1440 minutes ahead.", "etaMinutes")

    if eta_minutes is None:
        await fetch_way(caller, travel, appointment_id)

    async def edit(change: Change, _locked: Locked) -> None:
        if eta_minutes is None:
            change.appointment.eta = await estimated_arrival(change.session, appointment_id, travel.times)
        else:
            change.appointment.eta = datetime.now(UTC) + timedelta(minutes=eta_minutes)

    return await change_appointment(caller, appointment_id, expected_version, Action.MARK_ON_THE_WAY, edit)


def _stamp(appointment: Appointment, action: Action, target: AppointmentStatus) -> None:
    now = datetime.now(UTC)
    appointment.status = target
    match action:
        case Action.MARK_ON_THE_WAY:
            appointment.on_the_way_at = now
        case Action.START:
            appointment.started_at, appointment.eta = now, None
        case Action.COMPLETE:
            appointment.completed_at, appointment.eta = now, None
        case Action.CANCEL | Action.MARK_NO_SHOW:
            appointment.cancelled_at, appointment.eta = now, None
        case Action.REOPEN:
            _unstamp(appointment, target)


def _unstamp(appointment: Appointment, target: AppointmentStatus) -> None:
    """Take back the moments that lie behind the status that it returns to."""
    appointment.completed_at = appointment.cancelled_at = None
    if target is not AppointmentStatus.IN_PROGRESS:
        appointment.on_the_way_at = appointment.started_at = appointment.eta = None
