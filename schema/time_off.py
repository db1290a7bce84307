"""Time off of technicians in the schema."""

import strawberry

from domain.ids import Prefix
from models.technician import TimeOff as TimeOffRow
from permissions.scopes import Scope
from resolvers.technician import add_time_off, remove_time_off
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation
from schema.node import Node, id_of, node_id
from schema.values import TimeWindow, TimeWindowInput


@strawberry.type
class TimeOff(Node):
    """A time in which a technician does not work."""

    window: TimeWindow
    reason: str | None

    @classmethod
    def of(cls, row: TimeOffRow) -> "TimeOff":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.TIME_OFF, row.id),
            window=TimeWindow(start=row.starts_at, end=row.ends_at),
            reason=row.reason,
        )


@strawberry.input
class TimeOffAddInput:
    """A time in which the technician does not work."""

    technician_id: strawberry.ID
    window: TimeWindowInput
    reason: str | None = None


@strawberry.input
class TimeOffRemoveInput:
    """Which time off."""

    time_off_id: strawberry.ID


@strawberry.type
class TimeOffAddPayload(Payload):
    """The time off, or why there is none."""

    time_off: TimeOff | None = None


@strawberry.type
class TimeOffRemovePayload(Payload):
    """Whether it went."""


@strawberry.type
class TimeOffMutation:
    """Root fields."""

    @mutation(Scope.TECHNICIANS_WRITE)
    async def time_off_add(self, info: Info, input: TimeOffAddInput) -> TimeOffAddPayload:
        """Enter a time off. Appointments in it stay where they are."""
        technician_id = id_of(Prefix.TECHNICIAN, input.technician_id, "technician", "technicianId")
        window = input.window.value()
        row = await add_time_off(info.context.caller, technician_id, window.start, window.end, input.reason)
        return TimeOffAddPayload(time_off=TimeOff.of(row))

    @mutation(Scope.TECHNICIANS_WRITE)
    async def time_off_remove(self, info: Info, input: TimeOffRemoveInput) -> TimeOffRemovePayload:
        """Delete a time off."""
        await remove_time_off(info.context.caller, id_of(Prefix.TIME_OFF, input.time_off_id, "time off", "timeOffId"))
        return TimeOffRemovePayload()
