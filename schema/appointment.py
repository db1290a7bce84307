"""Appointments in the schema: the type, its lines and its history."""

from collections.abc import Callable, Collection, Hashable, Sequence
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from graphql import FieldNode

from domain.appointment import AppointmentEventType, AppointmentSource, AppointmentStatus, allowed_transitions
from domain.event_cursor import encode_cursor
from domain.ids import Prefix
from models.appointment import Appointment as AppointmentRow
from models.appointment import AppointmentLine as LineRow
from models.event import Event as EventRow
from models.ready import Ready
from models.ready_shapes import APPOINTMENT
from permissions.scopes import Scope
from resolvers.appointment_read import withheld
from schema.along import asked, read_along
from schema.attachment import Attachment
from schema.context import Info
from schema.customer import Customer, CustomerAddress
from schema.fields import relation
from schema.location import Location
from schema.message import Message
from schema.node import Node, node_id
from schema.ready import ready_made, shown
from schema.scalars import Json
from schema.service import Service, ServiceOption
from schema.technician import Technician
from schema.values import Money, TimeWindow, money, window

strawberry.enum(AppointmentStatus)
strawberry.enum(AppointmentSource)
strawberry.enum(AppointmentEventType)


@strawberry.type(description="The price is fixed when the line is added: later catalog changes leave it.")
class AppointmentLine:
    """A service of an appointment."""

    row: strawberry.Private[LineRow]
    quantity: int
    unit_price: Money

    @classmethod
    def of(cls, row: LineRow) -> "AppointmentLine":
        """The object of a row."""
        return cls(row=row, quantity=row.quantity, unit_price=money(row.unit_price))

    @relation(Scope.SERVICES_READ)
    def service(self, info: Info) -> Service:
        """What is done."""
        return info.context.load.service.one(self.row.service_id, Service.of)

    @relation(Scope.SERVICES_READ)
    def option(self, info: Info) -> ServiceOption | None:
        """The extra that was chosen."""
        return info.context.load.option.maybe(self.row.option_id, ServiceOption.of)


@strawberry.type
class FieldChange:
    """A field of the appointment, before and after."""

    field: str
    before: Json | None
    after: Json | None


@strawberry.type(description="One entry of the tenant's event stream: numbered without gaps, in commit order.")
class AppointmentEvent:
    """Something that happened to an appointment."""

    row: strawberry.Private[EventRow]
    cursor: str = strawberry.field(description="Resume a subscription after it.")
    type: AppointmentEventType
    occurred_at: datetime
    actor: str
    changes: list[FieldChange]
    shared_as: strawberry.Private[Hashable | None] = None

    @classmethod
    def of(cls, row: EventRow, fields: Collection[str] | None = None) -> "AppointmentEvent":
        """The object of a row; `fields` are those whose changes it tells, all when left out."""
        return cls(
            row=row,
            cursor=encode_cursor(row.tenant_id, row.seq),
            type=row.type,
            occurred_at=row.occurred_at,
            actor=row.actor,
            changes=[FieldChange(**change) for change in row.changes if fields is None or change["field"] in fields],
            shared_as=("event", row.seq, None if fields is None else frozenset(fields)),
        )

    @relation(
        Scope.APPOINTMENTS_READ,
        "The appointment as it is now, which includes at least this event. A technician who has lost it is told its"
        " number, status and technician, and nothing of its customer.",
    )
    async def appointment(self, info: Info) -> Annotated["Appointment", strawberry.lazy("schema.appointment")]:
        """What it happened to."""
        load, nodes = info.context.load, asked(info, ())
        load.along = lambda session, rows: read_along(info, session, rows, nodes)
        row = await load.appointment_of_event.load(self.row.appointment_id)
        if row is None:
            raise LookupError("an event's appointment is gone")
        return Appointment.of(row if info.context.caller.sees_work_of(row.technician_id) else withheld(row))


@strawberry.type
class Appointment(Node):
    """A visit to a customer."""

    row: strawberry.Private[AppointmentRow]
    number: int = strawberry.field(description="Counts up within the tenant: 1042.")
    version: int
    status: AppointmentStatus
    allowed_transitions: list[AppointmentStatus] = strawberry.field(
        description="The statuses that some mutation leads to from here."
    )
    total: Money
    duration_minutes: int
    arrival_window: TimeWindow | None = strawberry.field(description="What the customer was promised.")
    scheduled: TimeWindow | None = strawberry.field(description="When the technician is planned to be there.")
    eta: datetime | None
    notes: str | None
    internal_notes: str | None
    source: AppointmentSource
    on_the_way_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    cancelled_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: AppointmentRow) -> "Appointment":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.APPOINTMENT, row.id),
            number=row.number,
            version=row.version,
            status=row.status,
            allowed_transitions=allowed_transitions(
                row.status, scheduled=row.starts_at is not None, assigned=row.technician_id is not None
            ),
            total=money(row.total),
            duration_minutes=row.duration_minutes,
            arrival_window=window(row.arrival_starts_at, row.arrival_ends_at),
            scheduled=window(row.starts_at, row.ends_at),
            eta=row.eta,
            notes=row.notes,
            internal_notes=row.internal_notes,
            source=row.source,
            on_the_way_at=row.on_the_way_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
            cancelled_at=row.cancelled_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @relation(Scope.LOCATIONS_READ)
    def location(self, info: Info) -> Location:
        """The location that it belongs to."""
        return info.context.load.location.one(self.row.location_id, Location.of)

    @relation(Scope.CUSTOMERS_READ)
    def customer(self, info: Info) -> Customer:
        """Who is visited."""
        convert = Customer.of if self._is_visible(info) else Customer.withheld
        return info.context.load.customer.one(self.row.customer_id, convert)

    @relation(Scope.CUSTOMERS_READ)
    def address(self, info: Info) -> CustomerAddress:
        """Where."""
        convert = CustomerAddress.of if self._is_visible(info) else CustomerAddress.withheld
        return info.context.load.address.one(self.row.address_id, convert)

    @relation(Scope.TECHNICIANS_READ)
    def technician(self, info: Info) -> Technician | None:
        """Who visits."""
        return info.context.load.technician.maybe(self.row.technician_id, Technician.of)

    @relation(Scope.APPOINTMENTS_READ)
    def lines(self, info: Info) -> list[AppointmentLine]:
        """What is done, in order."""
        return info.context.load.lines.each(self.row.id, AppointmentLine.of) if self._is_visible(info) else []

    @relation(Scope.MESSAGES_READ)
    async def messages(self, info: Info) -> list[Message]:
        """What its customer was, will be or was not told, in order."""
        if not self._is_visible(info):
            return []
        return [Message.of(row) for row in await info.context.load.messages_of_appointment.load(self.row.id)]

    @relation(Scope.ATTACHMENTS_READ)
    def attachments(self, info: Info) -> list[Attachment]:
        """Photos and documents, in the order in which they came."""
        found = info.context.load.attachments_of_appointment
        return found.each(self.row.id, Attachment.of) if self._is_visible(info) else []

    @relation(Scope.APPOINTMENTS_READ)
    def history(self, info: Info) -> list[AppointmentEvent]:
        """All that happened to it, oldest first."""
        return info.context.load.history.each(self.row.id, AppointmentEvent.of) if self._is_visible(info) else []

    def _is_visible(self, info: Info) -> bool:
        # An appointment is reached by visibility, but for one way: the event that takes it from a technician.
        return info.context.caller.sees_work_of(self.row.technician_id)


def ready_appointments(info: Info, nodes: Sequence[FieldNode]) -> Ready | None:
    """What makes the answers of appointments, if PostgreSQL can write all that `nodes` ask of them."""
    return ready_made(info, "Appointment", AppointmentRow, APPOINTMENT, nodes)


def converter(ready: Ready | None) -> Callable[[Any], Appointment]:
    """What makes an appointment of a row, or of its answer."""
    return Appointment.of if ready is None else cast("Callable[[Any], Appointment]", shown)
