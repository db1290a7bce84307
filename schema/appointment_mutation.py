"""Changing appointments."""

from typing import Any
from uuid import UUID

import strawberry

from domain.appointment import Action, AppointmentSource
from domain.ids import Prefix
from models.appointment import Appointment as AppointmentRow
from permissions.scopes import Scope
from resolvers.appointment import change_appointment, mark_on_the_way
from resolvers.appointment_line import NewLine
from resolvers.appointment_plan import (
    NewAppointment,
    assign_appointment,
    create_appointment,
    schedule_appointment,
    update_appointment,
)
from schema.along import read_what_is_asked
from schema.appointment import Appointment
from schema.checks import Payload, UserError
from schema.context import Info
from schema.fields import mutation
from schema.node import id_of
from schema.values import TimeWindowInput, given


@strawberry.input
class AppointmentLineInput:
    """A service, perhaps with one of its options."""

    service_id: strawberry.ID
    option_id: strawberry.ID | None = None
    quantity: int | None = 1


@strawberry.input(description="Without `scheduled` it is REQUESTED; with it, SCHEDULED.")
class AppointmentCreateInput:
    """A new appointment."""

    idempotency_key: str | None = None
    location_id: strawberry.ID
    customer_id: strawberry.ID
    address_id: strawberry.ID
    lines: list[AppointmentLineInput]
    technician_id: strawberry.ID | None = None
    scheduled: TimeWindowInput | None = None
    arrival_window: TimeWindowInput | None = None
    notes: str | None = None
    internal_notes: str | None = None


@strawberry.input
class AppointmentUpdateInput:
    """What is left out stays as it is."""

    appointment_id: strawberry.ID
    expected_version: int | None = None
    lines: list[AppointmentLineInput] | None = None
    notes: str | None = strawberry.UNSET
    internal_notes: str | None = strawberry.UNSET


@strawberry.input
class AppointmentScheduleInput:
    """A time; without a technician the one that it has is kept."""

    appointment_id: strawberry.ID
    expected_version: int | None = None
    scheduled: TimeWindowInput
    arrival_window: TimeWindowInput | None = None
    technician_id: strawberry.ID | None = None


@strawberry.input(description="A null technicianId takes the assignment back.")
class AppointmentAssignInput:
    """A technician."""

    appointment_id: strawberry.ID
    technician_id: strawberry.ID | None = None
    expected_version: int | None = None


@strawberry.input
class AppointmentMarkOnTheWayInput:
    """The technician drives off."""

    appointment_id: strawberry.ID
    expected_version: int | None = None
    eta_minutes: int | None = strawberry.field(
        default=None, description="Estimated from the technician's whereabouts when left out."
    )


@strawberry.input
class AppointmentTransitionInput:
    """Which appointment; the reason is kept in its history."""

    appointment_id: strawberry.ID
    expected_version: int | None = None
    reason: str | None = None


@strawberry.type
class AppointmentPayload(Payload):
    """The appointment; with VERSION_CONFLICT it is the one as it is now, with any other error null."""

    appointment: Appointment | None = None

    @classmethod
    def refused(cls, errors: list[UserError], current: Any) -> "AppointmentPayload":
        """The answer to a refusal."""
        return cls(user_errors=errors, appointment=Appointment.of(current) if current is not None else None)


@strawberry.type
class AppointmentMutation:
    """Root fields."""

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def appointment_create(self, info: Info, input: AppointmentCreateInput) -> AppointmentPayload:
        """Make an appointment."""
        caller = info.context.caller
        new = NewAppointment(
            location_id=id_of(Prefix.LOCATION, input.location_id, "location", "locationId"),
            customer_id=id_of(Prefix.CUSTOMER, input.customer_id, "customer", "customerId"),
            address_id=id_of(Prefix.CUSTOMER_ADDRESS, input.address_id, "address of that customer", "addressId"),
            lines=_lines(input.lines),
            technician_id=_technician(input.technician_id),
            scheduled=input.scheduled.value() if input.scheduled else None,
            arrival_window=input.arrival_window.value() if input.arrival_window else None,
            notes=input.notes,
            internal_notes=input.internal_notes,
        )
        source = AppointmentSource.PARTNER if caller.principal.api_key_id else AppointmentSource.DASHBOARD
        return await _payload(info, await create_appointment(caller, new, source, input.idempotency_key))

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def appointment_update(self, info: Info, input: AppointmentUpdateInput) -> AppointmentPayload:
        """Change lines and notes. A line that stays keeps its price."""
        return await _payload(
            info,
            await update_appointment(
                info.context.caller,
                _appointment(input.appointment_id),
                input.expected_version,
                lines=_lines(input.lines) if input.lines is not None else None,
                texts=given(input, notes=None, internal_notes=None),
            ),
        )

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def appointment_schedule(self, info: Info, input: AppointmentScheduleInput) -> AppointmentPayload:
        """Give it a time."""
        return await _payload(
            info,
            await schedule_appointment(
                info.context.caller,
                _appointment(input.appointment_id),
                input.expected_version,
                input.scheduled.value(),
                input.arrival_window.value() if input.arrival_window else None,
                _technician(input.technician_id),
            ),
        )

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def appointment_assign(self, info: Info, input: AppointmentAssignInput) -> AppointmentPayload:
        """Give it to a technician, or take it back."""
        return await _payload(
            info,
            await assign_appointment(
                info.context.caller,
                _appointment(input.appointment_id),
                input.expected_version,
                _technician(input.technician_id),
            ),
        )

    @mutation(Scope.APPOINTMENTS_PROGRESS)
    async def appointment_mark_on_the_way(self, info: Info, input: AppointmentMarkOnTheWayInput) -> AppointmentPayload:
        """The technician drives off: the board moves and the customer is told."""
        return await _payload(
            info,
            await mark_on_the_way(
                info.context.caller,
                info.context.planning.travel,
                _appointment(input.appointment_id),
                input.expected_version,
                input.eta_minutes,
            ),
        )

    @mutation(Scope.APPOINTMENTS_PROGRESS)
    async def appointment_start(self, info: Info, input: AppointmentTransitionInput) -> AppointmentPayload:
        """The technician is there and begins."""
        return await _move(info, input, Action.START)

    @mutation(Scope.APPOINTMENTS_PROGRESS)
    async def appointment_complete(self, info: Info, input: AppointmentTransitionInput) -> AppointmentPayload:
        """The work is done."""
        return await _move(info, input, Action.COMPLETE)

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def appointment_cancel(self, info: Info, input: AppointmentTransitionInput) -> AppointmentPayload:
        """The visit does not take place."""
        return await _move(info, input, Action.CANCEL)

    @mutation(Scope.APPOINTMENTS_PROGRESS)
    async def appointment_mark_no_show(self, info: Info, input: AppointmentTransitionInput) -> AppointmentPayload:
        """Nobody was there."""
        return await _move(info, input, Action.MARK_NO_SHOW)

    @mutation(Scope.APPOINTMENTS_PROGRESS)
    async def appointment_reopen(self, info: Info, input: AppointmentTransitionInput) -> AppointmentPayload:
        """Undo: back to the plan, or on with a job that was closed too early."""
        return await _move(info, input, Action.REOPEN)


async def _move(info: Info, input: AppointmentTransitionInput, action: Action) -> AppointmentPayload:
    row = await change_appointment(
        info.context.caller, _appointment(input.appointment_id), input.expected_version, action, reason=input.reason
    )
    return await _payload(info, row)


async def _payload(info: Info, row: AppointmentRow) -> AppointmentPayload:
    await read_what_is_asked(info, [row], "appointment")
    return AppointmentPayload(appointment=Appointment.of(row))


def _appointment(text: str) -> UUID:
    return id_of(Prefix.APPOINTMENT, text, "appointment", "appointmentId")


def _technician(text: str | None) -> UUID | None:
    return id_of(Prefix.TECHNICIAN, text, "technician", "technicianId") if text is not None else None


def _lines(lines: list[AppointmentLineInput]) -> list[NewLine]:
    return [
        NewLine(
            service_id=id_of(Prefix.SERVICE, line.service_id, "service", "lines", str(index), "serviceId"),
            option_id=id_of(
                Prefix.SERVICE_OPTION, line.option_id, "option of that service", "lines", str(index), "optionId"
            )
            if line.option_id is not None
            else None,
            quantity=1 if line.quantity is None else line.quantity,
        )
        for index, line in enumerate(lines)
    ]
