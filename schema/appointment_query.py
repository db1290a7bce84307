"""Finding appointments: pages, the dispatch board."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

import strawberry

from domain.appointment import AppointmentStatus
from domain.ids import Prefix
from models.appointment_list import AppointmentCriteria, AppointmentSort
from models.prepared import Readable
from permissions.scopes import Scope
from resolvers.appointment_read import list_appointments
from resolvers.board import Board, Lane, Part, ReadyParts, dispatch_board
from schema.along import asked, read_along
from schema.appointment import Appointment, converter, ready_appointments
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import query, relation
from schema.node import known_id, known_ids
from schema.ready import shown
from schema.technician import Technician, TechnicianPosition, ready_technicians
from schema.values import TimeWindow

strawberry.enum(AppointmentSort, name="AppointmentOrderField")


@strawberry.enum
class OrderDirection(StrEnum):
    """Which way a list runs."""

    ASC = "ASC"
    DESC = "DESC"


@strawberry.input
class AppointmentOrder:
    """What a list is sorted by; ties go by id."""

    field: AppointmentSort
    direction: OrderDirection = OrderDirection.ASC


@strawberry.input
class AppointmentFilter:
    """What is left out does not narrow. The start of the visit lies from `scheduledFrom` up to `scheduledTo`."""

    statuses: list[AppointmentStatus] | None = None
    technician_ids: list[strawberry.ID] | None = None
    customer_id: strawberry.ID | None = None
    location_id: strawberry.ID | None = None
    scheduled_from: datetime | None = None
    scheduled_to: datetime | None = None
    updated_since: datetime | None = None
    unassigned: bool | None = None

    def value(self) -> AppointmentCriteria:
        """The criteria of the query."""
        return AppointmentCriteria(
            statuses=self.statuses,
            technician_ids=known_ids(Prefix.TECHNICIAN, self.technician_ids),
            customer_id=known_id(Prefix.CUSTOMER, self.customer_id),
            location_id=known_id(Prefix.LOCATION, self.location_id),
            scheduled_from=self.scheduled_from,
            scheduled_to=self.scheduled_to,
            updated_since=self.updated_since,
            unassigned=self.unassigned,
        )


@strawberry.type
class BoardLane:
    """One technician's day."""

    lane: strawberry.Private[Lane]
    person: strawberry.Private[Technician]
    working: list[TimeWindow]
    appointments: list[Appointment]

    @classmethod
    def of(cls, lane: Lane, ready: ReadyParts) -> "BoardLane":
        """The object of a lane."""
        convert = converter(ready.lanes)
        person: Any = lane.technician
        return cls(
            lane=lane,
            person=Technician.of(person) if ready.technicians is None else cast("Technician", shown(person)),
            working=[TimeWindow(start=start, end=end) for start, end in lane.working],
            appointments=[convert(row) for row in lane.appointments],
        )

    @relation(Scope.TECHNICIANS_READ)
    def technician(self, info: Info) -> Technician:
        """Whose day."""
        return self.person

    @relation(Scope.TECHNICIANS_READ)
    def position(self, info: Info) -> TechnicianPosition | None:
        """Where the technician was last."""
        return TechnicianPosition.of(self.lane.position) if self.lane.position else None


@strawberry.type(
    description="Everything the board shows for one local day, as of `cursor`: subscribe from there and nothing is missed."
)
class DispatchBoard:
    """A day."""

    day: date
    cursor: str
    lanes: list[BoardLane]
    unassigned: list[Appointment]

    @classmethod
    def of(cls, board: Board, ready: ReadyParts) -> "DispatchBoard":
        """The object of a board."""
        return cls(
            day=board.day,
            cursor=board.cursor,
            lanes=[BoardLane.of(lane, ready) for lane in board.lanes],
            unassigned=[converter(ready.unassigned)(row) for row in board.unassigned],
        )


_PARTS = {
    Part.WORKING: ("lanes", "working"),
    Part.POSITIONS: ("lanes", "position"),
    Part.UNASSIGNED: ("unassigned",),
}


@strawberry.type
class AppointmentQuery:
    """Root fields."""

    @query(Scope.APPOINTMENTS_READ)
    async def appointments(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        filter: AppointmentFilter | None = None,
        order_by: AppointmentOrder | None = None,
    ) -> Connection[Appointment] | None:
        """Appointments, by number unless another order is asked for."""
        order = order_by or AppointmentOrder(field=AppointmentSort.NUMBER)
        nodes = asked(info, ("nodes",), ("edges", "node"))
        ready = ready_appointments(info, nodes)
        page = await list_appointments(
            info.context.caller,
            first,
            after,
            filter.value() if filter else AppointmentCriteria(),
            order.field,
            descending=order.direction is OrderDirection.DESC,
            along=lambda session, rows: read_along(info, session, rows, nodes),
            ready=ready,
        )
        return connection_of(page, converter(ready), edges=bool(asked(info, ("edges",))))  # type: ignore[no-any-return]

    @query(Scope.APPOINTMENTS_READ)
    async def dispatch_board(
        self, info: Info, day: date, location_id: strawberry.ID | None = None
    ) -> DispatchBoard | None:
        """The board of a date on the location's calendar."""
        of_lanes, of_unassigned = asked(info, ("lanes", "appointments")), asked(info, ("unassigned",))
        people = asked(info, ("lanes", "technician"))
        ready = ReadyParts(
            ready_technicians(info, people),
            ready_appointments(info, of_lanes),
            ready_appointments(info, of_unassigned),
        )
        rest = [
            *([] if ready.technicians else people),
            *([] if ready.lanes else of_lanes),
            *([] if ready.unassigned else of_unassigned),
        ]

        async def along(session: Readable, board: Board) -> None:
            if not rest:
                return
            info.context.load.location.add({place.id: place for place in board.locations})
            if not ready.technicians:
                info.context.load.technician.add({lane.technician.id: lane.technician for lane in board.lanes})
            visits = [] if ready.lanes else [visit for lane in board.lanes for visit in lane.appointments]
            waiting = [] if ready.unassigned else board.unassigned
            nodes = [*([] if ready.lanes else of_lanes), *([] if ready.unassigned else of_unassigned)]
            await read_along(info, session, [*visits, *waiting], nodes)

        parts = [part for part, path in _PARTS.items() if asked(info, path)]
        if rest:
            parts.append(Part.LOCATIONS)
        place = known_id(Prefix.LOCATION, location_id)
        return DispatchBoard.of(await dispatch_board(info.context.caller, day, place, parts, along, ready), ready)
