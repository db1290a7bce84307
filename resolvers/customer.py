"""Customers: making, changing, finding them, their addresses and the prices agreed with them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain import contact
from domain.address import Address, checked_address
from domain.errors import not_found
from domain.ids import Prefix, new_id
from domain.pricing import Money, price
from models.customer import (
    Customer,
    CustomerAddress,
    CustomPrice,
    customer_search_text,
    lock_customer,
    page_of_customers,
    remove_custom_price,
    visible_customers,
)
from models.database import Transaction
from models.page import Page
from models.service import Service
from resolvers.caller import Caller
from resolvers.idempotency import once


async def list_customers(caller: Caller, first: int | None, after: str | None, *, search: str | None) -> Page[Customer]:
    """A page of customers, by name; a technician's are those of the technician's own appointments.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_customers(session, first, after, search=search, visited_by=caller.visited_by)


async def create_customer(
    caller: Caller,
    values: Mapping[str, Any],
    address: Address | None,
    idempotency_key: str | None,
    located: Address | None = None,
) -> Customer:
    """Make a customer, with an address if one is given; `values` as in `update_customer`, with a name.

    Args:
        located: the address with its place. The key goes with the address as it was given: a geocoder may change its mind.

    Raises:
        Refusal: INVALID_INPUT, IDEMPOTENCY_CONFLICT.
    """
    columns = _checked(values)
    place = checked_address(located or address, "address") if address else None

    async def make(session: Transaction) -> UUID:
        customer = Customer(tenant_id=caller.tenant_id, id=new_id(), search="", **columns)
        session.add(customer)
        await session.flush()
        if place:
            _add_address(session, customer, None, place)
        await _refresh_search(session, customer)
        return customer.id

    async def work(session: Transaction) -> Customer:
        made = await once(session, caller, "customerCreate", idempotency_key, [values, address], make)
        return await _required(session, caller.tenant_id, made)

    return await caller.transact(work)


async def update_customer(caller: Caller, customer_id: UUID, changes: Mapping[str, Any]) -> Customer:
    """Change what `changes` names: name, phone, email, notes, sms_opted_out, email_opted_out.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    columns = _checked(changes)

    async def work(session: Transaction) -> Customer:
        customer = await _required(session, caller.tenant_id, customer_id)
        for name, value in columns.items():
            # An opt-out keeps the moment at which it was first given.
            if name.endswith("_opted_out_at") and value and getattr(customer, name):
                continue
            setattr(customer, name, value)
        await _refresh_search(session, customer)
        return customer

    return await caller.transact(work)


async def add_address(caller: Caller, customer_id: UUID, label: str | None, address: Address) -> CustomerAddress:
    """Add a place where the customer is visited.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    place = checked_address(address, "address")

    async def work(session: Transaction) -> CustomerAddress:
        customer = await _required(session, caller.tenant_id, customer_id)
        row = _add_address(session, customer, (label or "").strip() or None, place)
        await _refresh_search(session, customer)
        return row

    return await caller.transact(work)


async def set_custom_price(caller: Caller, customer_id: UUID, service_id: UUID, money: Money | None) -> Customer:
    """Agree a price of a service with a customer, or take it back with None. Lines that exist keep theirs.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    amount = price(money, "price") if money else None

    async def work(session: Transaction) -> Customer:
        customer = await _required(session, caller.tenant_id, customer_id)
        if await session.get(Service, (caller.tenant_id, service_id)) is None:
            raise not_found("service", "serviceId")
        if amount is None:
            await remove_custom_price(session, customer_id, service_id)
        else:
            await session.merge(
                CustomPrice(tenant_id=caller.tenant_id, customer_id=customer_id, service_id=service_id, price=amount)
            )
        await session.flush()
        return customer

    return await caller.transact(work)


async def _required(session: Transaction, tenant_id: UUID, customer_id: UUID) -> Customer:
    customer = await lock_customer(session, tenant_id, customer_id)
    if customer is None:
        raise not_found("customer", "customerId")
    return customer


def _add_address(session: Transaction, customer: Customer, label: str | None, address: Address) -> CustomerAddress:
    row = CustomerAddress(
        tenant_id=customer.tenant_id, id=new_id(), customer_id=customer.id, label=label, **address.columns()
    )
    session.add(row)
    return row


async def _refresh_search(session: Transaction, customer: Customer) -> None:
    await session.flush()
    customer.search = await customer_search_text(session, customer)
    await session.flush()


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        match name:
            case "name" if value is not None:
                columns["name"] = contact.required(value, "name")
            case "phone":
                columns["phone"] = contact.phone(value, "phone")
            case "email":
                columns["email"] = contact.email(value, "email")
            case "notes":
                columns["notes"] = (value or "").strip() or None
            case "sms_opted_out" | "email_opted_out" if value is not None:
                columns[f"{name}_at"] = datetime.now(UTC) if value else None
    return columns


async def visible_to(caller: Caller, prefix: Prefix, row: Any) -> bool:
    """Whether a technician may see an object: customers and addresses of the own appointments, and the own time off."""
    if prefix is Prefix.TIME_OFF:
        return caller.sees_work_of(row.technician_id)
    if caller.visited_by is None or prefix not in {Prefix.CUSTOMER, Prefix.CUSTOMER_ADDRESS}:
        return True
    customer_id = row.id if prefix is Prefix.CUSTOMER else row.customer_id
    async with caller.reading() as session:
        return customer_id in await visible_customers(session, [customer_id], caller.visited_by)
