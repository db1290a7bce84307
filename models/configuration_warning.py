"""What the rules of `domain.configuration_warning` look at, read at once."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from models.location import Location, locations
from models.notification import NotificationSettings, settings_of
from models.query import rows, select_rows
from models.service import Service
from models.technician import Technician

Configuration = tuple[Sequence[Location], Sequence[Technician], Sequence[Service], Sequence[NotificationSettings]]


async def read_configuration(session: AsyncSession) -> Configuration:
    """Locations, active technicians, active services (each by name), and what locations tell their customers."""
    places = await locations(session)
    people = select_rows(Technician).where(Technician.active).order_by(Technician.name, Technician.id)
    services = select_rows(Service).where(Service.active).order_by(Service.name, Service.id)
    return (
        places,
        await rows(session, Technician, people),
        await rows(session, Service, services),
        await settings_of(session, [place.id for place in places]),
    )
