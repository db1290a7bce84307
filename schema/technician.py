"""Technicians, their time off and their positions in the schema."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from graphql import FieldNode

from domain.hours import LunchInput
from domain.ids import Prefix
from models.position import SeenPosition
from models.ready import Ready
from models.ready_shapes import TECHNICIAN
from models.technician import Technician as TechnicianRow
from models.technician import TechnicianPosition as PositionRow
from permissions.scopes import Scope
from resolvers.technician import (
    create_technician,
    list_technicians,
    update_technician,
)
from schema.checks import Payload
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.location import Location
from schema.node import Node, id_of, known_id, node_id
from schema.ready import ready_made
from schema.scalars import EmailAddress, LocalTime, PhoneNumber
from schema.time_off import TimeOff
from schema.values import (
    GeoPoint,
    GeoPointInput,
    OpeningHours,
    OpeningHoursInput,
    given,
    opening_hours,
    point,
    values,
)


@strawberry.type(description="Taken once a working day, between jobs.")
class LunchBreak:
    """A technician's lunch."""

    duration_minutes: int
    earliest: LocalTime
    latest: LocalTime


@strawberry.type
class TechnicianPosition:
    """Where a technician was last."""

    technician_id: strawberry.ID
    point: GeoPoint
    heading: float | None
    speed_kph: float | None
    recorded_at: datetime
    shared_as: strawberry.Private[Hashable | None] = None

    @classmethod
    def of(cls, row: PositionRow | SeenPosition) -> "TechnicianPosition":
        """The object of a row."""
        return cls(
            technician_id=node_id(Prefix.TECHNICIAN, row.technician_id),
            point=GeoPoint(latitude=row.latitude, longitude=row.longitude),
            heading=row.heading,
            speed_kph=row.speed_kph,
            recorded_at=row.recorded_at,
            shared_as=row if isinstance(row, SeenPosition) else None,
        )


@strawberry.type
class Technician(Node):
    """Somebody who visits customers."""

    row: strawberry.Private[TechnicianRow]
    name: str
    email: EmailAddress | None
    phone: PhoneNumber | None
    color: str
    skills: list[str]
    active: bool
    working_hours: list[OpeningHours]
    lunch: LunchBreak | None = strawberry.field(description="Taken once a working day, between jobs.")

    @classmethod
    def of(cls, row: TechnicianRow) -> "Technician":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.TECHNICIAN, row.id),
            name=row.name,
            email=EmailAddress(row.email) if row.email else None,
            phone=PhoneNumber(row.phone) if row.phone else None,
            color=row.color,
            skills=row.skills,
            active=row.active,
            working_hours=opening_hours(row.working_hours),
            lunch=LunchBreak(
                duration_minutes=row.lunch["durationMinutes"],
                earliest=LocalTime(row.lunch["earliest"]),
                latest=LocalTime(row.lunch["latest"]),
            )
            if row.lunch
            else None,
        )

    @relation(
        Scope.TECHNICIANS_READ,
        "Where the working day starts and ends; the location's address when null. Technicians see their own only.",
    )
    async def home_base(self, info: Info) -> GeoPoint | None:
        """A home, mostly."""
        if not info.context.caller.sees_work_of(self.row.id):
            return None
        return point(self.row.home_latitude, self.row.home_longitude)

    @relation(Scope.LOCATIONS_READ)
    def location(self, info: Info) -> Location:
        """Where the technician belongs."""
        return info.context.load.location.one(self.row.location_id, Location.of)

    @relation(Scope.TECHNICIANS_READ)
    def time_off(
        self,
        info: Info,
        from_: Annotated[datetime | None, strawberry.argument(name="from")] = None,
        to: datetime | None = None,
    ) -> list[TimeOff]:
        """Time off that touches the span, in order; technicians see their own only."""
        if not info.context.caller.sees_work_of(self.row.id):
            return []
        return info.context.load.time_off_between(from_, to).each(self.row.id, TimeOff.of)

    @relation(Scope.TECHNICIANS_READ)
    async def position(self, info: Info) -> TechnicianPosition | None:
        """The latest position; technicians see their own only."""
        if not info.context.caller.sees_work_of(self.row.id):
            return None
        found = await info.context.load.position.load(self.row.id)
        return TechnicianPosition.of(found[0]) if found else None


def ready_technicians(info: Info, nodes: Sequence[FieldNode]) -> Ready | None:
    """What makes the answers of technicians, if PostgreSQL can write all that `nodes` ask of them."""
    return ready_made(info, "Technician", TechnicianRow, TECHNICIAN, nodes)


@strawberry.input
class TechnicianFilter:
    """What is left out does not narrow."""

    location_id: strawberry.ID | None = None
    skill: str | None = None
    active: bool | None = None


@strawberry.input
class LunchBreakInput:
    """Taken once a working day, between jobs."""

    duration_minutes: int
    earliest: LocalTime
    latest: LocalTime

    def value(self) -> LunchInput:
        """The domain's break."""
        return LunchInput(self.duration_minutes, self.earliest, self.latest)


@strawberry.input
class TechnicianCreateInput:
    """A new technician."""

    name: str
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    color: str | None = None
    skills: list[str] | None = None
    location_id: strawberry.ID
    home_base: GeoPointInput | None = None
    working_hours: list[OpeningHoursInput] | None = None
    lunch: LunchBreakInput | None = None


@strawberry.input
class TechnicianUpdateInput:
    """What is left out stays as it is."""

    technician_id: strawberry.ID
    name: str | None = strawberry.UNSET
    email: EmailAddress | None = strawberry.UNSET
    phone: PhoneNumber | None = strawberry.UNSET
    color: str | None = strawberry.UNSET
    skills: list[str] | None = strawberry.UNSET
    active: bool | None = strawberry.UNSET
    home_base: GeoPointInput | None = strawberry.UNSET
    working_hours: list[OpeningHoursInput] | None = strawberry.UNSET
    lunch: LunchBreakInput | None = strawberry.UNSET


@strawberry.type
class TechnicianCreatePayload(Payload):
    """The technician, or why there is none."""

    technician: Technician | None = None


@strawberry.type
class TechnicianUpdatePayload(Payload):
    """The technician, or why nothing changed."""

    technician: Technician | None = None


@strawberry.type
class TechnicianQuery:
    """Root fields."""

    @query(Scope.TECHNICIANS_READ)
    async def technicians(
        self, info: Info, first: int | None = None, after: str | None = None, filter: TechnicianFilter | None = None
    ) -> Connection[Technician] | None:
        """Technicians, by name."""
        wanted = filter or TechnicianFilter()
        page = await list_technicians(
            info.context.caller,
            first,
            after,
            location_id=known_id(Prefix.LOCATION, wanted.location_id),
            skill=wanted.skill,
            active=wanted.active,
        )
        return connection_of(page, Technician.of)  # type: ignore[no-any-return]


@strawberry.type
class TechnicianMutation:
    """Root fields."""

    @mutation(Scope.TECHNICIANS_WRITE)
    async def technician_create(self, info: Info, input: TechnicianCreateInput) -> TechnicianCreatePayload:
        """Make a technician."""
        location_id = id_of(Prefix.LOCATION, input.location_id, "location", "locationId")
        row = await create_technician(info.context.caller, location_id, _changes(input))
        return TechnicianCreatePayload(technician=Technician.of(row))

    @mutation(Scope.TECHNICIANS_WRITE)
    async def technician_update(self, info: Info, input: TechnicianUpdateInput) -> TechnicianUpdatePayload:
        """Change a technician."""
        technician_id = id_of(Prefix.TECHNICIAN, input.technician_id, "technician", "technicianId")
        changes = _changes(input) | given(input, active=None)
        row = await update_technician(info.context.caller, technician_id, changes)
        return TechnicianUpdatePayload(technician=Technician.of(row))


def _changes(source: TechnicianCreateInput | TechnicianUpdateInput) -> dict[str, Any]:
    return given(
        source,
        name=None,
        email=None,
        phone=None,
        color=None,
        skills=None,
        home_base=GeoPointInput.value,
        working_hours=values,
        lunch=LunchBreakInput.value,
    )
