"""Customers, the addresses that are visited, and prices agreed with one customer."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, delete, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.appointment import Appointment
from models.base import Base, TenantRow, Timestamps, of_tenant, within_tenant
from models.location import PostalAddress
from models.page import Order, Page, fetch_page
from models.query import among, rows, select_rows


class Customer(Timestamps, TenantRow):
    """Somebody who is visited. `search` holds name, phone, email and addresses in lower case, for the search box."""

    __tablename__ = "customers"
    __table_args__ = (
        of_tenant(),
        Index(None, "tenant_id", "name", "id"),
        Index(None, "tenant_id", "phone"),
        Index(None, "tenant_id", "email"),
        # Global on purpose: who answers STOP is known by the number alone.
        Index("ix_customers_phone", "phone", postgresql_where=text("phone IS NOT NULL")),
    )

    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    notes: Mapped[str | None]
    sms_opted_out_at: Mapped[datetime | None]
    email_opted_out_at: Mapped[datetime | None]
    search: Mapped[str]
    erased_at: Mapped[datetime | None]


class CustomerAddress(PostalAddress, TenantRow):
    """A place where a customer is visited."""

    __tablename__ = "customer_addresses"
    __table_args__ = (
        of_tenant(),
        within_tenant("customer_id", "customers", ondelete="CASCADE"),
        Index(None, "tenant_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    label: Mapped[str | None]


class CustomPrice(Base):
    """The price of a service for one customer."""

    __tablename__ = "custom_prices"
    __table_args__ = (
        of_tenant(),
        within_tenant("customer_id", "customers", ondelete="CASCADE"),
        within_tenant("service_id", "services", ondelete="CASCADE"),
        CheckConstraint("price >= 0", name="price"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    price: Mapped[Decimal]


BY_NAME = Order[Customer]("customer-name", Customer.__table__.c.name, lambda row: row.name)
# Below this share of common trigrams a word is another word; measured on misspelt names, e.g. "jonson" for "johnson".
SIMILAR_ENOUGH = 0.45


async def lock_customer(session: AsyncSession, tenant_id: UUID, customer_id: UUID) -> Customer | None:
    """The customer, locked against change until the transaction ends."""
    return await session.get(
        Customer, (tenant_id, customer_id), with_for_update={"key_share": True}, populate_existing=True
    )


async def page_of_customers(
    session: AsyncSession, first: int | None, cursor: str | None, *, search: str | None, visited_by: UUID | None
) -> Page[Customer]:
    """Customers by name.

    Args:
        search: words to be found, typing errors forgiven; a phone number is found by its digits.
        visited_by: only customers of this technician's appointments.
    """
    statement = select_rows(Customer)
    for word in (search or "").lower().split()[:8]:
        fits = Customer.search.contains(word, autoescape=True)
        if word.isalpha():
            # Trigrams are no index condition under row-level security; a tenant's few thousand rows are read instead.
            # Numbers and addresses are not guessed at: a digit more or less is somebody else.
            fits = or_(fits, func.word_similarity(word, Customer.search) >= SIMILAR_ENOUGH)
        statement = statement.where(fits)
    if visited_by is not None:
        statement = statement.where(
            exists().where(
                Appointment.tenant_id == Customer.tenant_id,
                Appointment.customer_id == Customer.id,
                Appointment.technician_id == visited_by,
            )
        )
    return await fetch_page(session, Customer, statement, BY_NAME, first, cursor)


async def customer_to_book_for(session: AsyncSession, phone: str | None, email: str | None) -> Customer | None:
    """The customer with that phone, else the one with that email; of several the one who was there first.

    The transaction waits for others that look for the same phone or email just now, so that two bookings make one customer.
    """
    for name, contact in (("phone", phone), ("email", email)):
        if contact is not None:
            key = func.hashtextextended(func.concat(func.current_setting("app.tenant_id"), name, contact), 0)
            await session.execute(select(func.pg_advisory_xact_lock(key)))
    for column, value in ((Customer.phone, phone), (Customer.email, email)):
        if value is not None:
            statement = select(Customer).where(column == value, Customer.erased_at.is_(None))
            found = (await session.execute(statement.order_by(Customer.id).limit(1))).scalar_one_or_none()
            if found is not None:
                return found
    return None


async def visible_customers(session: AsyncSession, customer_ids: Sequence[UUID], visited_by: UUID | None) -> set[UUID]:
    """Which of these customers a technician may see; everybody else sees all."""
    if visited_by is None:
        return set(customer_ids)
    statement = select(Appointment.customer_id).where(
        Appointment.customer_id.in_(customer_ids), Appointment.technician_id == visited_by
    )
    return set((await session.execute(statement)).scalars())


async def addresses_of(session: AsyncSession, customer_ids: Sequence[UUID]) -> Sequence[CustomerAddress]:
    """The addresses of these customers, oldest first."""
    statement = select_rows(CustomerAddress).where(among(CustomerAddress.customer_id, customer_ids))
    return await rows(session, CustomerAddress, statement.order_by(CustomerAddress.customer_id, CustomerAddress.id))


async def custom_prices_of(session: AsyncSession, customer_ids: Sequence[UUID]) -> Sequence[CustomPrice]:
    """The prices agreed with these customers."""
    statement = select_rows(CustomPrice).where(among(CustomPrice.customer_id, customer_ids))
    return await rows(session, CustomPrice, statement.order_by(CustomPrice.customer_id, CustomPrice.service_id))


async def remove_custom_price(session: AsyncSession, customer_id: UUID, service_id: UUID) -> None:
    """Take a price back."""
    await session.execute(
        delete(CustomPrice).where(CustomPrice.customer_id == customer_id, CustomPrice.service_id == service_id)
    )


async def customer_search_text(session: AsyncSession, customer: Customer) -> str:
    """What the search box looks through: all that somebody at the phone could name."""
    parts = [customer.name, customer.phone or "", customer.email or ""]
    for address in await addresses_of(session, [customer.id]):
        parts += [address.line1, address.city, address.postal_code]
    return " ".join(part for part in parts if part).lower()
