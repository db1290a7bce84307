"""The service catalog: categories, services and their options."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, or_, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import TenantRow, Timestamps, of_tenant, within_tenant
from models.page import Order, Page, fetch_page
from models.query import among, rows, select_rows


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


BY_NAME = Order[Service]("service-name", Service.__table__.c.name, lambda row: row.name)


async def categories(session: AsyncSession) -> Sequence[ServiceCategory]:
    """The tenant's categories, in the order of their positions."""
    order = (ServiceCategory.position, ServiceCategory.name, ServiceCategory.id)
    return await rows(session, ServiceCategory, select_rows(ServiceCategory).order_by(*order))


async def page_of_services(
    session: AsyncSession,
    first: int | None,
    cursor: str | None,
    *,
    search: str | None = None,
    active: bool | None = None,
    bookable_online: bool | None = None,
) -> Page[Service]:
    """Services by name, narrowed by what is given; `search` looks into name and description."""
    statement = select_rows(Service)
    if search and search.strip():
        wanted = search.strip()
        statement = statement.where(
            or_(Service.name.icontains(wanted, autoescape=True), Service.description.icontains(wanted, autoescape=True))
        )
    if active is not None:
        statement = statement.where(Service.active == active)
    if bookable_online is not None:
        statement = statement.where(Service.bookable_online == bookable_online)
    return await fetch_page(session, Service, statement, BY_NAME, first, cursor)


async def services_of_categories(session: AsyncSession, category_ids: Sequence[UUID]) -> Sequence[Service]:
    """The services under these headings, by name."""
    statement = select_rows(Service).where(among(Service.category_id, category_ids))
    return await rows(session, Service, statement.order_by(Service.name, Service.id))


async def options_of(session: AsyncSession, service_ids: Sequence[UUID]) -> Sequence[ServiceOption]:
    """The options of these services, in their order."""
    statement = select_rows(ServiceOption).where(among(ServiceOption.service_id, service_ids))
    return await rows(session, ServiceOption, statement.order_by(ServiceOption.service_id, ServiceOption.position))
