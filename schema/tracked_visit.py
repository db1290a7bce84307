"""The customer's tracking page in the schema: public, opened by the token of a message."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from uuid import UUID

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

# Looked at again after this even if nothing was heard: the token may have expired.
LOOK_S = 30.0


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
    time_zone: str = strawberry.field(
        description="Of the location that the visit is booked at, by its IANA name: the clock that its times were agreed on."
    )

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
            time_zone=visit.time_zone,
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
        async for visit in _followed(info, token, *found):
            yield TrackedVisit.of(visit)


async def _followed(info: Info, token: str, tenant_id: UUID, appointment_id: UUID) -> AsyncGenerator[Visit, None]:
    """The visit whenever it, or the place of who is on the way to it, has changed; until there is nothing left to follow."""
    hub = info.context.hub
    # Behind a number read before the first look: what changes in between is heard. A reader that began "from now on" would
    # find its number whenever it gets to it, which may be after the look.
    events, places = hub.events(tenant_id, await hub.newest(tenant_id)), hub.positions.values(tenant_id)
    happened, moved = asyncio.ensure_future(anext(events)), asyncio.ensure_future(anext(places))
    shown: Visit | None = None
    try:
        while opened(info.context.settings, token):
            visit = await tracked_visit(info.context.database, tenant_id, appointment_id)
            if visit is None:
                return
            if visit != shown:
                yield visit
                shown = visit
            if visit.status not in UNDER_WAY:
                return
            concerned = False
            while not concerned:
                done, _ = await asyncio.wait({happened, moved}, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                concerned = not done
                if happened in done:
                    concerned = happened.result().appointment_id == appointment_id
                    happened = asyncio.ensure_future(anext(events))
                if moved in done:
                    concerned |= moved.result()[0] == visit.technician_id
                    moved = asyncio.ensure_future(anext(places))
    finally:
        for waiting in (happened, moved):
            waiting.cancel()
        await asyncio.gather(happened, moved, return_exceptions=True)
        await events.aclose()
        await places.aclose()
