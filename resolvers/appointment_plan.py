"""Making appointments, giving them a time and a technician, and changing what is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.appointment import Action, AppointmentEventType, AppointmentSource, AppointmentStatus
from domain.errors import not_found
from domain.ids import new_id
from domain.window import Window, checked_window
from models.appointment import Appointment, lines_of, replace_lines
from models.appointment_change import Locked
from models.customer import Customer, CustomerAddress
from models.database import Transaction
from models.location import Location
from models.tenant import count_up
from resolvers.appointment import Change, available_technician, change_appointment, finish
from resolvers.appointment_line import NewLine, priced_lines
from resolvers.caller import Caller
from resolvers.idempotency import once

NUMBER_COUNTER = "appointment"
FIRST_NUMBER = 1_000


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """A visit to be made. Without `scheduled` it is a request."""

    location_id: UUID
    customer_id: UUID
    address_id: UUID
    lines: Sequence[NewLine]
    technician_id: UUID | None = None
    scheduled: Window | None = None
    arrival_window: Window | None = None
    notes: str | None = None
    internal_notes: str | None = None


async def create_appointment(
    caller: Caller, new: NewAppointment, source: AppointmentSource, idempotency_key: str | None = None
) -> Appointment:
    """Make an appointment.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT, SLOT_TAKEN, TECHNICIAN_UNAVAILABLE, IDEMPOTENCY_CONFLICT.
    """

    async def work(session: Transaction) -> Appointment:
        made = await once(
            session,
            caller,
            "appointmentCreate",
            idempotency_key,
            new,
            lambda inner: _insert(inner, caller, new, source),
        )
        found = await session.get(Appointment, (caller.tenant_id, made))
        if found is None:
            raise not_found("appointment")
        return found

    return await caller.transact(work)


async def _insert(session: Transaction, caller: Caller, new: NewAppointment, source: AppointmentSource) -> UUID:
    location = await session.get(Location, (caller.tenant_id, new.location_id))
    if location is None:
        raise not_found("location", "locationId")
    if await session.get(Customer, (caller.tenant_id, new.customer_id)) is None:
        raise not_found("customer", "customerId")
    address = await session.get(CustomerAddress, (caller.tenant_id, new.address_id))
    if address is None or address.customer_id != new.customer_id:
        raise not_found("address of that customer", "addressId")
    appointment = Appointment(
        tenant_id=caller.tenant_id,
        id=new_id(),
        version=1,
        status=AppointmentStatus.SCHEDULED if new.scheduled else AppointmentStatus.REQUESTED,
        location_id=new.location_id,
        customer_id=new.customer_id,
        address_id=new.address_id,
        technician_id=new.technician_id,
        notes=_text(new.notes),
        internal_notes=_text(new.internal_notes),
        source=source,
    )
    change = Change(session, caller, appointment, AppointmentEventType.CREATED)
    lines = await priced_lines(session, appointment, new.lines)
    _set_times(appointment, location, new.scheduled, new.arrival_window)
    if new.technician_id is not None:
        await available_technician(change, new.technician_id, appointment.starts_at, appointment.ends_at)
    # The counter's row is locked from here to the commit, so it comes after the technician's, as everywhere.
    appointment.number = FIRST_NUMBER + await count_up(session, caller.tenant_id, NUMBER_COUNTER)
    session.add(appointment)
    await session.flush()
    session.add_all(lines)
    await finish(change, None)
    return appointment.id


async def update_appointment(
    caller: Caller,
    appointment_id: UUID,
    expected_version: int | None,
    *,
    lines: Sequence[NewLine] | None,
    texts: dict[str, Any],
) -> Appointment:
    """Change lines (None: leave them), and the notes that `texts` names: notes, internal_notes.

    Raises:
        Refusal: as `change_appointment`.
    """

    async def edit(change: Change, _locked: Locked) -> None:
        for name, value in texts.items():
            setattr(change.appointment, name, _text(value))
        if lines is not None:
            existing = await lines_of(change.session, [change.appointment.id])
            rows = await priced_lines(change.session, change.appointment, lines, existing)
            await replace_lines(change.session, change.appointment, rows)

    return await change_appointment(caller, appointment_id, expected_version, Action.UPDATE, edit)


async def schedule_appointment(
    caller: Caller,
    appointment_id: UUID,
    expected_version: int | None,
    scheduled: Window,
    arrival_window: Window | None,
    technician_id: UUID | None,
) -> Appointment:
    """Give it a time, and a technician if one is named; without a promised window the location's length is promised.

    Raises:
        Refusal: as `change_appointment`; INVALID_INPUT for a window that is none.
    """

    async def edit(change: Change, locked: Locked) -> None:
        appointment = change.appointment
        first = appointment.starts_at is None
        change.event = AppointmentEventType.SCHEDULED if first else AppointmentEventType.RESCHEDULED
        moved = (appointment.starts_at, appointment.ends_at)
        technician = technician_id or appointment.technician_id
        if technician is not None:
            await available_technician(change, technician, scheduled.start, scheduled.end)
        _set_times(appointment, locked, scheduled, arrival_window)
        if technician is not None:
            if technician != appointment.technician_id and moved == (scheduled.start, scheduled.end):
                change.event = AppointmentEventType.ASSIGNED
            appointment.technician_id = technician

    return await change_appointment(
        caller, appointment_id, expected_version, Action.SCHEDULE, edit, joining=technician_id
    )


async def assign_appointment(
    caller: Caller, appointment_id: UUID, expected_version: int | None, technician_id: UUID | None
) -> Appointment:
    """Give it to a technician, or with None take the assignment back.

    Raises:
        Refusal: as `change_appointment`.
    """

    async def edit(change: Change, _locked: Locked) -> None:
        appointment = change.appointment
        change.event = AppointmentEventType.ASSIGNED if technician_id else AppointmentEventType.UNASSIGNED
        if technician_id is not None and technician_id != appointment.technician_id:
            await available_technician(change, technician_id, appointment.starts_at, appointment.ends_at)
        appointment.technician_id = technician_id

    return await change_appointment(
        caller, appointment_id, expected_version, Action.ASSIGN, edit, joining=technician_id
    )


def _set_times(
    appointment: Appointment, location: Location | Locked, scheduled: Window | None, arrival: Window | None
) -> None:
    if scheduled is not None:
        checked_window(scheduled, location.time_zone, "scheduled")
        appointment.starts_at, appointment.ends_at = scheduled.start, scheduled.end
        if arrival is None:
            length = timedelta(minutes=location.arrival_window_minutes)
            arrival = Window(scheduled.start, scheduled.start + length)
    if arrival is not None:
        checked_window(arrival, location.time_zone, "arrivalWindow")
        appointment.arrival_starts_at, appointment.arrival_ends_at = arrival.start, arrival.end


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None
