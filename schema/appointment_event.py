"""The live stream of appointment events in the schema."""

from collections.abc import AsyncGenerator
from uuid import UUID

import strawberry

from domain.errors import Refusal
from domain.event_cursor import decode_cursor
from domain.ids import Prefix, encode
from models.appointment import Appointment as AppointmentRow
from models.event import Event as EventRow
from permissions.scopes import Scope
from schema.appointment import AppointmentEvent
from schema.checks import as_graphql_error, check_arguments
from schema.context import Info
from schema.fields import subscription
from schema.node import known_id, known_ids
from subscriptions.same import Same


@strawberry.type
class EventSubscription:
    """Root fields."""

    @subscription(
        Scope.APPOINTMENTS_READ,
        "Every change of the tenant's appointments, in order. With `after`, first what was missed since that cursor;"
        " never a gap, never one twice.",
    )
    async def appointment_events(
        self,
        info: Info,
        after: str | None = None,
        technician_ids: list[strawberry.ID] | None = None,
        location_id: strawberry.ID | None = None,
    ) -> AsyncGenerator[AppointmentEvent, None]:
        """Events behind a cursor, or from now on.

        Raises:
            GraphQLError: BAD_USER_INPUT for a cursor that is none of this stream, or older than what is kept of it.
        """
        caller = info.context.caller
        check_arguments({"after": after, "technician_ids": technician_ids, "location_id": location_id})
        try:
            position = decode_cursor(caller.tenant_id, after) if after is not None else None
            if position is not None:
                await info.context.hub.require_kept(caller.tenant_id, position)
        except Refusal as refusal:
            raise as_graphql_error(refusal) from refusal
        technicians = known_ids(Prefix.TECHNICIAN, technician_ids)
        own = caller.visited_by
        if own is not None:
            technicians = [each for each in technicians or [own] if each == own]
        place = known_id(Prefix.LOCATION, location_id)
        # Whoever sees but a part must look at each event; all others are told of each in the same way.
        outlet = info.context.outlet if technicians is None and place is None else None
        async for event in info.context.hub.events(caller.tenant_id, position, outlet, _TOLD.of):
            # Each event is answered from the rows of its moment: yesterday's loaders would answer with yesterday's.
            info.context.forget_loaded()
            if technicians is not None or place is not None:
                appointment = await info.context.hub.subject(event)
                if not _concerns(event, appointment, technicians, place):
                    continue
                if appointment is not None and not caller.sees_work_of(appointment.technician_id):
                    # Lost by now: only the event that took it is told, and nothing else that came with it.
                    if _takes_from(event, own):
                        yield AppointmentEvent.of(event, fields={"technicianId"})
                    continue
            yield _TOLD.of(event)


# The hub hands one row to all: what is made of it is made once. Whoever reads it anew, has another row.
_TOLD: Same[EventRow, AppointmentEvent] = Same(lambda event, _: AppointmentEvent.of(event))


def _takes_from(event: EventRow, technician_id: UUID | None) -> bool:
    before = encode(Prefix.TECHNICIAN, technician_id) if technician_id else None
    return any(change["field"] == "technicianId" and change["before"] == before for change in event.changes)


def _concerns(
    event: EventRow, appointment: AppointmentRow | None, technicians: list[UUID] | None, place: UUID | None
) -> bool:
    """Whether a filter lets an event through: by who has it now, or who had or got it by this very event."""
    if appointment is None or (place is not None and appointment.location_id != place):
        return False
    if technicians is None:
        return True
    if appointment.technician_id in technicians:
        return True
    wanted = {encode(Prefix.TECHNICIAN, each) for each in technicians}
    return any(
        change["field"] == "technicianId" and wanted & {change["before"], change["after"]} for change in event.changes
    )
