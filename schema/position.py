"""Technicians' positions as they move, in the schema."""

from collections.abc import AsyncGenerator
from datetime import datetime

import strawberry

from domain.ids import Prefix
from permissions.scopes import Scope
from resolvers.position import PositionInput, report_position
from schema.checks import Payload, check_arguments
from schema.context import Info
from schema.fields import mutation, subscription
from schema.node import id_of, known_ids
from schema.technician import TechnicianPosition
from schema.values import GeoPointInput


@strawberry.type
class PositionSubscription:
    """Root fields."""

    @subscription(
        Scope.TECHNICIANS_READ,
        "Latest position of each technician: a slow reader skips stale ones and never holds others up. Begins with where"
        " everybody is now. Technicians see their own only, and nobody sees those who are off duty.",
    )
    async def technician_positions(
        self, info: Info, technician_ids: list[strawberry.ID] | None = None
    ) -> AsyncGenerator[TechnicianPosition, None]:
        """Positions as they are reported."""
        caller = info.context.caller
        check_arguments({"technician_ids": technician_ids})
        wanted = known_ids(Prefix.TECHNICIAN, technician_ids)
        async for technician_id, seen in info.context.hub.positions.values(caller.tenant_id):
            if seen is None or (wanted is not None and technician_id not in wanted):
                continue
            if caller.sees_work_of(technician_id):
                yield TechnicianPosition.of(seen)


@strawberry.input(description="For a technician's own session `technicianId` may be left out.")
class TechnicianPositionReportInput:
    """Where a technician is. Heading in degrees from north, speed in km/h."""

    technician_id: strawberry.ID | None = None
    point: GeoPointInput
    heading: float | None = None
    speed_kph: float | None = None
    recorded_at: datetime | None = None


@strawberry.type
class TechnicianPositionReportPayload(Payload):
    """The position that is kept: a later one, if there was one already."""

    position: TechnicianPosition | None = None


@strawberry.type
class PositionMutation:
    """Root fields."""

    @mutation(Scope.POSITIONS_REPORT)
    async def technician_position_report(
        self, info: Info, input: TechnicianPositionReportInput
    ) -> TechnicianPositionReportPayload:
        """Report where a technician is. No earlier position is kept; the arrival at the next customer follows from it."""
        who = None
        if input.technician_id is not None:
            who = id_of(Prefix.TECHNICIAN, input.technician_id, "technician", "technicianId")
        given = PositionInput(input.point.value(), input.heading, input.speed_kph, input.recorded_at)
        row = await report_position(info.context.caller, info.context.planning.travel, who, given)
        return TechnicianPositionReportPayload(position=TechnicianPosition.of(row))
