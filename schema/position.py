"""Technicians' positions as they move, in the schema."""

from collections.abc import AsyncGenerator

import strawberry

from domain.ids import Prefix
from permissions.scopes import Scope
from schema.checks import check_arguments
from schema.context import Info
from schema.fields import subscription
from schema.node import known_ids
from schema.technician import TechnicianPosition


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
