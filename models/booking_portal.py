"""What the public booking page shows: the business, the location, and what can be booked online."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.location import Location
from models.query import rows, select_rows
from models.service import Service, ServiceOption, options_of
from models.tenant import Tenant

Catalog = Sequence[tuple[Service, Sequence[ServiceOption]]]
"""Services, each with its options, in their orders."""


class Page(NamedTuple):
    """Whose page it is."""

    location: Location
    business_name: str
    business_phone: str | None


async def read_page(session: AsyncSession, tenant_id: UUID, location_id: UUID) -> Page | None:
    """The page of a location."""
    found = await rows(session, Location, select_rows(Location).where(Location.id == location_id))
    business = (await session.execute(select(Tenant.name, Tenant.phone).where(Tenant.id == tenant_id))).first()
    return Page(found[0], business.name, business.phone) if found and business else None


async def bookable_services(session: AsyncSession) -> Catalog:
    """What can be booked online, by name."""
    statement = select_rows(Service).where(Service.active, Service.bookable_online)
    return await _with_options(session, await rows(session, Service, statement.order_by(Service.name, Service.id)))


async def active_services(session: AsyncSession, service_ids: Sequence[UUID]) -> Catalog:
    """Those of these services that are still offered, to whomever."""
    statement = select_rows(Service).where(Service.active, Service.id.in_(service_ids))
    return await _with_options(session, await rows(session, Service, statement.order_by(Service.name, Service.id)))


async def _with_options(session: AsyncSession, services: Sequence[Service]) -> Catalog:
    options: dict[UUID, list[ServiceOption]] = {service.id: [] for service in services}
    for option in await options_of(session, list(options)):
        options[option.service_id].append(option)
    return [(service, options[service.id]) for service in services]
