"""The service catalog: categories, services and their options."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import TenantRow, Timestamps, of_tenant, within_tenant


class ServiceCategory(TenantRow):
    """A heading of the catalog; shown in the order of `position`, then name."""

    __tablename__ = "service_categories"
    __table_args__ = (of_tenant(),)

    name: Mapped[str]
    position: Mapped[int]


class Service(Timestamps, TenantRow):
    """Something the business does: how long it takes, what it costs and which skills it needs."""

    __tablename__ = "services"
    __table_args__ = (
        of_tenant(),
        within_tenant("category_id", "service_categories"),
        CheckConstraint("duration_minutes BETWEEN 5 AND 1440", name="duration"),
        CheckConstraint("price >= 0", name="price"),
        Index(None, "tenant_id", "category_id"),
    )

    name: Mapped[str]
    description: Mapped[str | None]
    category_id: Mapped[UUID | None]
    duration_minutes: Mapped[int]
    price: Mapped[Decimal]
    required_skills: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    bookable_online: Mapped[bool]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class ServiceOption(TenantRow):
    """An extra of a service: what it adds to price and duration."""

    __tablename__ = "service_options"
    __table_args__ = (
        of_tenant(),
        within_tenant("service_id", "services", ondelete="CASCADE"),
        CheckConstraint("duration_minutes BETWEEN 0 AND 1440", name="duration"),
        CheckConstraint("price >= 0", name="price"),
        Index(None, "tenant_id", "service_id"),
    )

    service_id: Mapped[UUID]
    name: Mapped[str]
    price: Mapped[Decimal]
    duration_minutes: Mapped[int]
    position: Mapped[int]
