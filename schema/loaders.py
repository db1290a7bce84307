"""Rows by key, gathered over an operation and fetched together: a list of a hundred costs as many queries as one row."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TypeVar, cast
from uuid import UUID

from strawberry.dataloader import DataLoader

from models.api_key import ApiKey
from models.appointment import Appointment, AppointmentLine, lines_of
from models.attachment import Attachment, attachments_of_appointments, attachments_of_equipment
from models.base import TenantRow
from models.billing_record import BillingRecord
from models.customer import Customer, CustomerAddress, CustomPrice, addresses_of, custom_prices_of
from models.database import Transaction
from models.equipment import Equipment, equipment_at
from models.event import Event, history_of
from models.export import Export
from models.location import Location
from models.message import Message
from models.position import SeenPosition, positions_on_duty
from models.prepared import Readable
from models.query import by_ids
from models.ready import HasReady, Ready
from models.security_event import SecurityEvent
from models.service import Service, ServiceCategory, ServiceOption, options_of, services_of_categories
from models.technician import Technician, TimeOff, time_off_of
from models.user import User
from models.webhook import WebhookDelivery, WebhookEndpoint
from resolvers.appointment_read import appointments_by_id
from resolvers.attachment import attachments_by_id
from resolvers.caller import Caller
from resolvers.equipment import equipment_by_id
from resolvers.grouping import grouped
from resolvers.message import messages_by_appointment, messages_by_id
from resolvers.notification import LocationNotifications, notifications_by_location
from schema.loading import ListLoader, RowLoader

M = TypeVar("M", bound=TenantRow)
V = TypeVar("V")


class Loaders:
    """One operation's loaders. A key of nobody, or of another tenant, loads None or an empty list."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        # Reads what the appointments of events lead to, in the transaction that reads them.
        self.along: Callable[[Readable, Sequence[Appointment]], Awaitable[None]] | None = None
        self._ready: dict[Ready, RowLoader[HasReady]] = {}
        self._time_off: dict[tuple[datetime | None, datetime | None], ListLoader[TimeOff]] = {}

    def _by_id(self, model: type[M]) -> RowLoader[M]:
        async def read(session: Transaction, keys: Sequence[UUID]) -> Mapping[UUID, M | None]:
            return {**await by_ids(session, model, keys)}

        return RowLoader(self._caller, read, prepared=True)

    def _lists(
        self, read: Callable[[Transaction, Sequence[UUID]], Awaitable[Sequence[V]]], key_of: Callable[[V], UUID | None]
    ) -> ListLoader[V]:
        async def read_lists(session: Transaction, keys: Sequence[UUID]) -> Mapping[UUID, list[V]]:
            found = grouped(await read(session, keys), key_of)
            return {key: rows for key, rows in found.items() if key is not None}

        return ListLoader(self._caller, read_lists)

    @cached_property
    def user(self) -> RowLoader[User]:
        """A user."""
        return self._by_id(User)

    @cached_property
    def api_key(self) -> RowLoader[ApiKey]:
        """An API key."""
        return self._by_id(ApiKey)

    @cached_property
    def security_event(self) -> RowLoader[SecurityEvent]:
        """An entry of the security log."""
        return self._by_id(SecurityEvent)

    @cached_property
    def webhook_endpoint(self) -> RowLoader[WebhookEndpoint]:
        """A webhook endpoint."""
        return self._by_id(WebhookEndpoint)

    @cached_property
    def webhook_delivery(self) -> RowLoader[WebhookDelivery]:
        """A delivery to a webhook endpoint."""
        return self._by_id(WebhookDelivery)

    @cached_property
    def location(self) -> RowLoader[Location]:
        """A location."""
        return self._by_id(Location)

    @cached_property
    def technician(self) -> RowLoader[Technician]:
        """A technician."""
        return self._by_id(Technician)

    @cached_property
    def time_off(self) -> RowLoader[TimeOff]:
        """A time off."""
        return self._by_id(TimeOff)

    def time_off_between(self, start: datetime | None, end: datetime | None) -> ListLoader[TimeOff]:
        """A technician's time off that touches a span, in order; an open end is None."""
        if (start, end) not in self._time_off:
            self._time_off[start, end] = self._lists(
                lambda session, ids: time_off_of(session, ids, start, end), lambda row: row.technician_id
            )
        return self._time_off[start, end]

    @cached_property
    def customer(self) -> RowLoader[Customer]:
        """A customer."""
        return self._by_id(Customer)

    @cached_property
    def address(self) -> RowLoader[CustomerAddress]:
        """A customer's address."""
        return self._by_id(CustomerAddress)

    @cached_property
    def category(self) -> RowLoader[ServiceCategory]:
        """A service category."""
        return self._by_id(ServiceCategory)

    @cached_property
    def service(self) -> RowLoader[Service]:
        """A service."""
        return self._by_id(Service)

    @cached_property
    def option(self) -> RowLoader[ServiceOption]:
        """A service's option."""
        return self._by_id(ServiceOption)

    @cached_property
    def invoice(self) -> RowLoader[BillingRecord]:
        """An invoice of ours to the business."""
        return self._by_id(BillingRecord)

    @cached_property
    def appointment(self) -> DataLoader[UUID, Appointment | None]:
        """An appointment that the caller may see."""

        async def load(keys: list[UUID]) -> list[Appointment | None]:
            found = await appointments_by_id(self._caller, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    def ready_appointment(self, ready: Ready) -> RowLoader[HasReady]:
        """The answer of an appointment, for a caller who may see all of them."""
        if ready not in self._ready:

            async def read(session: Transaction, keys: Sequence[UUID]) -> Mapping[UUID, HasReady | None]:
                found = await by_ids(session, Appointment, keys, ready)
                return cast("Mapping[UUID, HasReady | None]", found)

            self._ready[ready] = RowLoader(self._caller, read, prepared=True)
        return self._ready[ready]

    @cached_property
    def appointment_of_event(self) -> RowLoader[Appointment]:
        """The appointment of an event that the caller may see: somebody who lost it is still told so."""

        async def read(session: Transaction, keys: Sequence[UUID]) -> Mapping[UUID, Appointment | None]:
            found = await by_ids(session, Appointment, keys)
            if self.along is not None:
                await self.along(session, list(found.values()))
            return {**found}

        return RowLoader(self._caller, read, prepared=True)

    @cached_property
    def lines(self) -> ListLoader[AppointmentLine]:
        """An appointment's lines."""
        return self._lists(lines_of, lambda row: row.appointment_id)

    @cached_property
    def history(self) -> ListLoader[Event]:
        """An appointment's events, oldest first."""
        return self._lists(history_of, lambda row: row.appointment_id)

    @cached_property
    def message(self) -> DataLoader[UUID, Message | None]:
        """A message that the caller may see."""

        async def load(keys: list[UUID]) -> list[Message | None]:
            found = await messages_by_id(self._caller, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    @cached_property
    def messages_of_appointment(self) -> DataLoader[UUID, list[Message]]:
        """An appointment's messages."""

        async def load(keys: list[UUID]) -> list[list[Message]]:
            found = await messages_by_appointment(self._caller, keys)
            return [found.get(key, []) for key in keys]

        return DataLoader(load_fn=load)

    @cached_property
    def notifications(self) -> DataLoader[UUID, LocationNotifications | None]:
        """A location's notification settings."""

        async def load(keys: list[UUID]) -> list[LocationNotifications | None]:
            found = await notifications_by_location(self._caller, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    @cached_property
    def position(self) -> ListLoader[SeenPosition]:
        """A technician's latest position, if there is one and the technician is on duty."""
        return self._lists(positions_on_duty, lambda row: row.technician_id)

    @cached_property
    def options(self) -> ListLoader[ServiceOption]:
        """A service's options."""
        return self._lists(options_of, lambda row: row.service_id)

    @cached_property
    def services_of_category(self) -> ListLoader[Service]:
        """A category's services."""
        return self._lists(services_of_categories, lambda row: row.category_id)

    @cached_property
    def addresses(self) -> ListLoader[CustomerAddress]:
        """A customer's addresses."""
        return self._lists(addresses_of, lambda row: row.customer_id)

    @cached_property
    def equipment_at(self) -> ListLoader[Equipment]:
        """The appliances at an address."""
        return self._lists(equipment_at, lambda row: row.address_id)

    @cached_property
    def export(self) -> RowLoader[Export]:
        """An export."""
        return self._by_id(Export)

    @cached_property
    def equipment(self) -> DataLoader[UUID, Equipment | None]:
        """An appliance that the caller may see."""

        async def load(keys: list[UUID]) -> list[Equipment | None]:
            found = await equipment_by_id(self._caller, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    @cached_property
    def attachment(self) -> DataLoader[UUID, Attachment | None]:
        """An attachment that the caller may see."""

        async def load(keys: list[UUID]) -> list[Attachment | None]:
            found = await attachments_by_id(self._caller, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    @cached_property
    def attachments_of_appointment(self) -> ListLoader[Attachment]:
        """What is attached to an appointment."""
        return self._lists(attachments_of_appointments, lambda row: row.appointment_id)

    @cached_property
    def attachments_of_equipment(self) -> ListLoader[Attachment]:
        """What is attached to an appliance."""
        return self._lists(attachments_of_equipment, lambda row: row.equipment_id)

    @cached_property
    def custom_prices(self) -> ListLoader[CustomPrice]:
        """A customer's prices."""
        return self._lists(custom_prices_of, lambda row: row.customer_id)
