"""Customers, the addresses that are visited, and prices agreed with one customer."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, TenantRow, Timestamps, of_tenant, within_tenant
from models.location import PostalAddress


class Customer(Timestamps, TenantRow):
    """Somebody who is visited. `search` holds name, phone, email and addresses in lower case, for the search box."""

    __tablename__ = "customers"
    __table_args__ = (
        of_tenant(),
        Index(None, "tenant_id", "name", "id"),
        Index(None, "tenant_id", "phone"),
        Index(None, "tenant_id", "email"),
    )

    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    notes: Mapped[str | None]
    sms_opted_out_at: Mapped[datetime | None]
    email_opted_out_at: Mapped[datetime | None]
    search: Mapped[str]


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
