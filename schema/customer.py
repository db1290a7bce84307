"""Customers, their addresses and prices in the schema."""

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.ids import Prefix
from models.appointment_list import AppointmentCriteria
from models.customer import Customer as CustomerRow
from models.customer import CustomerAddress as AddressRow
from models.customer import CustomPrice as PriceRow
from permissions.scopes import Scope
from resolvers.appointment_read import list_appointments
from resolvers.customer import add_address, create_customer, list_customers, set_custom_price, update_customer
from schema.checks import Payload
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.equipment import Equipment
from schema.fields import mutation, query, relation
from schema.node import Node, id_of, node_id
from schema.scalars import EmailAddress, PhoneNumber
from schema.service import Service
from schema.values import Address, AddressInput, Money, MoneyInput, address_of, given, money

if TYPE_CHECKING:
    from schema.appointment import Appointment

# In the place of what a technician may not see, where the schema wants a text.
WITHHELD = "(withheld)"


@strawberry.type
class CustomerAddress(Node):
    """A place where a customer is visited."""

    row: strawberry.Private[AddressRow]
    is_withheld: strawberry.Private[bool] = False
    label: str | None
    address: Address

    @classmethod
    def of(cls, row: AddressRow) -> "CustomerAddress":
        """The object of a row."""
        return cls(row=row, id=node_id(Prefix.CUSTOMER_ADDRESS, row.id), label=row.label, address=address_of(row))

    @classmethod
    def withheld(cls, row: AddressRow) -> "CustomerAddress":
        """The object for a technician who is not to go there any more: no more than that there is one."""
        blank: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Address))
        blank |= {"line1": WITHHELD, "city": WITHHELD, "region": "", "postal_code": "", "country": row.country}
        nowhere = Address(**blank)
        return cls(row=row, is_withheld=True, id=node_id(Prefix.CUSTOMER_ADDRESS, row.id), label=None, address=nowhere)

    @relation(Scope.CUSTOMERS_READ)
    async def equipment(self, info: Info) -> list[Equipment]:
        """The appliances there, oldest first."""
        if self.is_withheld:
            return []
        return [Equipment.of(row) for row in await info.context.load.equipment_at.load(self.row.id)]


@strawberry.type
class CustomPrice:
    """What a service costs one customer."""

    row: strawberry.Private[PriceRow]
    price: Money

    @classmethod
    def of(cls, row: PriceRow) -> "CustomPrice":
        """The object of a row."""
        return cls(row=row, price=money(row.price))

    @relation(Scope.SERVICES_READ)
    async def service(self, info: Info) -> Service:
        """The service that it is the price of."""
        row = await info.context.load.service.load(self.row.service_id)
        if row is None:
            raise LookupError("a custom price's service is gone")
        return Service.of(row)


@strawberry.type
class Customer(Node):
    """Somebody who is visited."""

    row: strawberry.Private[CustomerRow]
    is_withheld: strawberry.Private[bool] = False
    name: str
    phone: PhoneNumber | None
    email: EmailAddress | None
    notes: str | None
    sms_opted_out: bool
    email_opted_out: bool
    created_at: datetime

    @classmethod
    def of(cls, row: CustomerRow) -> "Customer":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.CUSTOMER, row.id),
            name=row.name,
            phone=PhoneNumber(row.phone) if row.phone else None,
            email=EmailAddress(row.email) if row.email else None,
            notes=row.notes,
            sms_opted_out=row.sms_opted_out_at is not None,
            email_opted_out=row.email_opted_out_at is not None,
            created_at=row.created_at,
        )

    @classmethod
    def withheld(cls, row: CustomerRow) -> "Customer":
        """The object for a technician who does not visit the customer any more: no more than that there is one."""
        return cls(
            row=row,
            is_withheld=True,
            id=node_id(Prefix.CUSTOMER, row.id),
            name=WITHHELD,
            phone=None,
            email=None,
            notes=None,
            sms_opted_out=False,
            email_opted_out=False,
            created_at=row.created_at,
        )

    @relation(Scope.CUSTOMERS_READ)
    async def addresses(self, info: Info) -> list[CustomerAddress]:
        """Where the customer is visited, oldest first."""
        if self.is_withheld:
            return []
        return [CustomerAddress.of(row) for row in await info.context.load.addresses.load(self.row.id)]

    @relation(Scope.SERVICES_READ)
    async def custom_prices(self, info: Info) -> list[CustomPrice]:
        """Prices agreed with the customer."""
        if self.is_withheld:
            return []
        return [CustomPrice.of(row) for row in await info.context.load.custom_prices.load(self.row.id)]

    @relation(Scope.APPOINTMENTS_READ)
    async def appointments(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[Annotated["Appointment", strawberry.lazy("schema.appointment")]]:
        """The customer's appointments, newest first."""
        from schema.appointment import Appointment

        page = await list_appointments(
            info.context.caller, first, after, AppointmentCriteria(customer_id=self.row.id), descending=True
        )
        return connection_of(page, Appointment.of)  # type: ignore[no-any-return]


LazyCustomer = Annotated["Customer", strawberry.lazy("schema.customer")]


@strawberry.input
class CustomerFilter:
    """What is left out does not narrow."""

    search: str | None = strawberry.field(default=None, description="Name, phone, email or address; typo-tolerant.")


@strawberry.input
class CustomerCreateInput:
    """A new customer."""

    idempotency_key: str | None = None
    name: str
    phone: PhoneNumber | None = None
    email: EmailAddress | None = None
    notes: str | None = None
    address: AddressInput | None = None


@strawberry.input
class CustomerUpdateInput:
    """What is left out stays as it is."""

    customer_id: strawberry.ID
    name: str | None = strawberry.UNSET
    phone: PhoneNumber | None = strawberry.UNSET
    email: EmailAddress | None = strawberry.UNSET
    notes: str | None = strawberry.UNSET
    sms_opted_out: bool | None = strawberry.UNSET
    email_opted_out: bool | None = strawberry.UNSET


@strawberry.input
class CustomerAddressAddInput:
    """A further place."""

    customer_id: strawberry.ID
    label: str | None = None
    address: AddressInput


@strawberry.input(description="A null price removes it.")
class CustomPriceSetInput:
    """A price for one customer."""

    customer_id: strawberry.ID
    service_id: strawberry.ID
    price: MoneyInput | None = None


@strawberry.type
class CustomerCreatePayload(Payload):
    """The customer, or why there is none."""

    customer: Customer | None = None


@strawberry.type
class CustomerUpdatePayload(Payload):
    """The customer, or why nothing changed."""

    customer: Customer | None = None


@strawberry.type
class CustomerAddressAddPayload(Payload):
    """The address, or why there is none."""

    address: CustomerAddress | None = None


@strawberry.type
class CustomPriceSetPayload(Payload):
    """The customer, or why nothing changed."""

    customer: Customer | None = None


@strawberry.type
class CustomerQuery:
    """Root fields."""

    @query(Scope.CUSTOMERS_READ)
    async def customers(
        self, info: Info, first: int | None = None, after: str | None = None, filter: CustomerFilter | None = None
    ) -> Connection[Customer] | None:
        """Customers, by name."""
        page = await list_customers(info.context.caller, first, after, search=filter.search if filter else None)
        return connection_of(page, Customer.of)  # type: ignore[no-any-return]


@strawberry.type
class CustomerMutation:
    """Root fields."""

    @mutation(Scope.CUSTOMERS_WRITE)
    async def customer_create(self, info: Info, input: CustomerCreateInput) -> CustomerCreatePayload:
        """Make a customer."""
        address = input.address.value() if input.address else None
        row = await create_customer(
            info.context.caller,
            _changes(input),
            address,
            input.idempotency_key,
            await info.context.placed(address),
        )
        return CustomerCreatePayload(customer=Customer.of(row))

    @mutation(Scope.CUSTOMERS_WRITE)
    async def customer_update(self, info: Info, input: CustomerUpdateInput) -> CustomerUpdatePayload:
        """Change a customer."""
        customer_id = id_of(Prefix.CUSTOMER, input.customer_id, "customer", "customerId")
        changes = _changes(input) | given(input, sms_opted_out=None, email_opted_out=None)
        row = await update_customer(info.context.caller, customer_id, changes)
        return CustomerUpdatePayload(customer=Customer.of(row))

    @mutation(Scope.CUSTOMERS_WRITE)
    async def customer_address_add(self, info: Info, input: CustomerAddressAddInput) -> CustomerAddressAddPayload:
        """Add a place where the customer is visited."""
        customer_id = id_of(Prefix.CUSTOMER, input.customer_id, "customer", "customerId")
        address = input.address.value()
        row = await add_address(
            info.context.caller, customer_id, input.label, await info.context.placed(address) or address
        )
        return CustomerAddressAddPayload(address=CustomerAddress.of(row))

    @mutation(Scope.CUSTOMERS_WRITE)
    async def custom_price_set(self, info: Info, input: CustomPriceSetInput) -> CustomPriceSetPayload:
        """Agree a price of a service with a customer."""
        row = await set_custom_price(
            info.context.caller,
            id_of(Prefix.CUSTOMER, input.customer_id, "customer", "customerId"),
            id_of(Prefix.SERVICE, input.service_id, "service", "serviceId"),
            input.price.value() if input.price else None,
        )
        return CustomPriceSetPayload(customer=Customer.of(row))


def _changes(source: CustomerCreateInput | CustomerUpdateInput) -> dict[str, Any]:
    return given(source, name=None, phone=None, email=None, notes=None)
