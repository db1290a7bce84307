"""Locations in the schema."""

from datetime import date
from typing import Annotated, Any

import strawberry

from domain.address import PointInput
from domain.ids import Prefix
from models.location import Location as LocationRow
from permissions.scopes import Scope
from resolvers.location import NewLocation, create_location, list_locations, update_location
from resolvers.location import ServiceArea as NewServiceArea
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.node import Node, id_of, node_id
from schema.notification import NotificationSettings
from schema.values import (
    Address,
    AddressInput,
    GeoPoint,
    GeoPointInput,
    OpeningHours,
    OpeningHoursInput,
    address_of,
    given,
    opening_hours,
    values,
)


@strawberry.type
class Closure:
    """A date on which the location is closed."""

    date: date
    reason: str | None


@strawberry.type(
    description="In the area when within `radiusKm` of the location, inside `polygon`, or in one of `postalCodes`:"
    " whichever are set."
)
class ServiceArea:
    """Where a location's technicians drive."""

    radius_km: float | None
    polygon: list[GeoPoint] | None
    postal_codes: list[str]


@strawberry.type(
    description="A place the business works from. Hours, service area, booking page and notifications are set here."
)
class Location(Node):
    """A location."""

    row: strawberry.Private[LocationRow]
    name: str
    slug: str = strawberry.field(description="Names the public booking page: /book/{slug}")
    time_zone: str
    address: Address
    opening_hours: list[OpeningHours]
    closures: list[Closure]
    service_area: ServiceArea
    arrival_window_minutes: int = strawberry.field(
        description="Length of the arrival windows that are offered, in minutes."
    )
    minimum_notice_minutes: int = strawberry.field(description="Notice that a booking needs, in minutes.")
    allowed_origins: list[str] = strawberry.field(
        description="Sites on which the widget may frame the booking page, and whose pages may call the API from a browser:"
        " exact origins such as https://www.example.com. A change takes effect within 15 seconds."
    )

    @classmethod
    def of(cls, row: LocationRow) -> "Location":
        """The object of a row."""
        corners = row.service_polygon
        return cls(
            row=row,
            id=node_id(Prefix.LOCATION, row.id),
            name=row.name,
            slug=row.slug,
            time_zone=row.time_zone,
            address=address_of(row),
            opening_hours=opening_hours(row.opening_hours),
            closures=[
                Closure(date=date.fromisoformat(closure["date"]), reason=closure["reason"]) for closure in row.closures
            ],
            service_area=ServiceArea(
                radius_km=row.service_radius_km,
                polygon=[GeoPoint(latitude=corner[0], longitude=corner[1]) for corner in corners] if corners else None,
                postal_codes=row.service_postal_codes,
            ),
            arrival_window_minutes=row.arrival_window_minutes,
            minimum_notice_minutes=row.minimum_notice_minutes,
            allowed_origins=row.allowed_origins,
        )

    @relation(Scope.LOCATIONS_READ)
    async def notification_settings(self, info: Info) -> NotificationSettings:
        """What it tells its customers."""
        found = await info.context.load.notifications.load(self.row.id)
        if found is None:
            raise LookupError("a location's notification settings are gone")
        return NotificationSettings.of(found)


LazyLocation = Annotated["Location", strawberry.lazy("schema.location")]


@strawberry.input
class ServiceAreaInput:
    """Whichever are set make up the area, together."""

    radius_km: float | None = None
    polygon: list[GeoPointInput] | None = None
    postal_codes: list[str] | None = None

    def value(self) -> NewServiceArea:
        """The use case's area."""
        corners: list[PointInput] | None = values(self.polygon) if self.polygon is not None else None
        return NewServiceArea(self.radius_km, corners, self.postal_codes or ())


@strawberry.input
class LocationCreateInput:
    """A new location."""

    name: str
    slug: str | None = None
    time_zone: str
    address: AddressInput
    opening_hours: list[OpeningHoursInput]
    service_area: ServiceAreaInput
    arrival_window_minutes: int | None = 120
    minimum_notice_minutes: int | None = 120
    allowed_origins: list[str] | None = None


@strawberry.input
class ClosureInput:
    """A date on which the location is closed."""

    date: date
    reason: str | None = None


@strawberry.input
class LocationUpdateInput:
    """What is left out stays as it is."""

    location_id: strawberry.ID
    name: str | None = strawberry.UNSET
    slug: str | None = strawberry.UNSET
    time_zone: str | None = strawberry.UNSET
    address: AddressInput | None = strawberry.UNSET
    opening_hours: list[OpeningHoursInput] | None = strawberry.UNSET
    closures: list[ClosureInput] | None = strawberry.UNSET
    service_area: ServiceAreaInput | None = strawberry.UNSET
    arrival_window_minutes: int | None = strawberry.UNSET
    minimum_notice_minutes: int | None = strawberry.UNSET
    allowed_origins: list[str] | None = strawberry.UNSET


@strawberry.type
class LocationCreatePayload(Payload):
    """The location, or why there is none."""

    location: Location | None = None


@strawberry.type
class LocationUpdatePayload(Payload):
    """The location, or why it did not change."""

    location: Location | None = None


@strawberry.type
class LocationQuery:
    """Root fields."""

    @query(Scope.LOCATIONS_READ)
    async def locations(self, info: Info) -> list[Location] | None:
        """All locations, by name."""
        return [Location.of(row) for row in await list_locations(info.context.caller)]


@strawberry.type
class LocationMutation:
    """Root fields."""

    @mutation(Scope.LOCATIONS_WRITE)
    async def location_create(self, info: Info, input: LocationCreateInput) -> LocationCreatePayload:
        """Make a location."""
        new = NewLocation(
            name=input.name,
            slug=input.slug,
            time_zone=input.time_zone,
            address=await info.context.placed(input.address.value()) or input.address.value(),
            opening_hours=values(input.opening_hours),
            service_area=input.service_area.value(),
            arrival_window_minutes=120 if input.arrival_window_minutes is None else input.arrival_window_minutes,
            minimum_notice_minutes=120 if input.minimum_notice_minutes is None else input.minimum_notice_minutes,
            allowed_origins=input.allowed_origins or (),
        )
        return LocationCreatePayload(location=Location.of(await create_location(info.context.caller, new)))

    @mutation(Scope.LOCATIONS_WRITE)
    async def location_update(self, info: Info, input: LocationUpdateInput) -> LocationUpdatePayload:
        """Change a location."""
        location_id = id_of(Prefix.LOCATION, input.location_id, "location", "locationId")
        changes = given(
            input,
            name=None,
            slug=None,
            time_zone=None,
            address=AddressInput.value,
            opening_hours=values,
            closures=_closures,
            service_area=ServiceAreaInput.value,
            arrival_window_minutes=None,
            minimum_notice_minutes=None,
            allowed_origins=None,
        )
        if changes.get("address") is not None:
            changes["address"] = await info.context.placed(changes["address"])
        row = await update_location(info.context.caller, location_id, changes)
        return LocationUpdatePayload(location=Location.of(row))


def _closures(closures: list[ClosureInput]) -> list[tuple[Any, str | None]]:
    return [(closure.date, closure.reason) for closure in closures]
