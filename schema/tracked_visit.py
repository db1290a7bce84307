"""The customer's tracking page in the schema: public, opened by the token of a message."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

import strawberry

from domain.appointment import AppointmentStatus
from domain.errors import ErrorCode, Refusal
from resolvers.tracked_visit import UNDER_WAY, opened, tracked_visit
from resolvers.tracked_visit import TrackedVisit as Visit
from schema.checks import as_graphql_error, check_arguments
from schema.context import Info
from schema.fields import PUBLIC, query, subscription
from schema.scalars import PhoneNumber
from schema.values import GeoPoint, TimeWindow, point, window

# A technician's position is looked up this often, while somebody watches it come nearer.
LOOK_S = 5.0


@strawberry.type(
    description="What a customer sees through the link in a message. No other customer's data is reachable from it."
)
class TrackedVisit:
    """A visit."""

    business_name: str
    business_phone: PhoneNumber | None
    status: AppointmentStatus
    arrival_window: TimeWindow | None
    eta: datetime | None
    technician_name: str | None = strawberry.field(description="First name.")
    position: GeoPoint | None = strawberry.field(description="Only while the technician is on the way.")
    service_names: list[str]

    @classmethod
    def of(cls, visit: Visit) -> "TrackedVisit":
        """The object of a visit."""
        return cls(
            business_name=visit.business_name,
            business_phone=PhoneNumber(visit.business_phone) if visit.business_phone else None,
            status=visit.status,
            arrival_window=window(visit.starts_at, visit.ends_at),
            eta=visit.eta,
            technician_name=visit.technician_name,
            position=point(visit.latitude, visit.longitude),
            service_names=list(visit.service_names),
        )


@strawberry.type
class TrackedVisitQuery:
    """Root fields."""

    @query(PUBLIC, "Public: the token from a message.")
    async def tracked_visit(self, info: Info, token: str) -> TrackedVisit | None:
        """The visit of a token; null for one that is none, or has expired."""
        found = opened(info.context.settings, token)
        visit = await tracked_visit(info.context.database, *found) if found else None
        return TrackedVisit.of(visit) if visit else None


@strawberry.type
class TrackedVisitSubscription:
    """Root fields."""

    @subscription(PUBLIC, "Public: the token from a message.")
    async def tracked_visit(self, info: Info, token: str) -> AsyncGenerator[TrackedVisit, None]:
        """The visit as it is now, and whenever that changes; it ends when the technician has arrived.

        Raises:
            GraphQLError: BAD_USER_INPUT for a token that is none, or has expired.
        """
        check_arguments({"token": token})
        found = opened(info.context.settings, token)
        if found is None:
            raise as_graphql_error(Refusal(ErrorCode.TOKEN_EXPIRED, "This link is not valid any more.", ("token",)))
        tenant_id, appointment_id = found
        events = info.context.hub.events(tenant_id, None)
        # Begun before the first look: what changes in between is heard.
        heard = asyncio.ensure_future(anext(events))
        shown: Visit | None = None
        try:
            while opened(info.context.settings, token):
                visit = await tracked_visit(info.context.database, tenant_id, appointment_id)
                if visit is None:
                    return
                if visit != shown:
                    yield TrackedVisit.of(visit)
                    shown = visit
                if visit.status not in UNDER_WAY:
                    return
                while True:
                    await asyncio.wait({heard}, timeout=LOOK_S)
                    if not heard.done():
                        break
                    event = heard.result()
                    heard = asyncio.ensure_future(anext(events))
                    if event.appointment_id == appointment_id:
                        break
        finally:
            heard.cancel()
            await asyncio.gather(heard, return_exceptions=True)
            await events.aclose()
