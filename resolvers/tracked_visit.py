"""The customer's tracking page: what the token of a message opens, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.message_token import read_tracking_token
from domain.appointment import AppointmentStatus
from domain.notification_words import first_name
from models.database import Database
from models.tracked_visit import read_tracked_visit
from settings import Settings

# In these there is something left to follow.
UNDER_WAY = frozenset({AppointmentStatus.REQUESTED, AppointmentStatus.SCHEDULED, AppointmentStatus.ON_THE_WAY})


@dataclass(frozen=True, slots=True)
class TrackedVisit:
    """A visit as its customer sees it. Who comes, when and from where: only while the technician is on the way."""

    business_name: str
    business_phone: str | None
    time_zone: str
    status: AppointmentStatus
    starts_at: datetime | None
    ends_at: datetime | None
    eta: datetime | None
    technician_id: UUID | None
    technician_name: str | None
    latitude: float | None
    longitude: float | None
    service_names: Sequence[str]


def opened(settings: Settings, token: str) -> tuple[UUID, UUID] | None:
    """Tenant and appointment of a token; None when it is forged or has expired."""
    return read_tracking_token(settings.secret_key.get_secret_value(), token)


async def tracked_visit(database: Database, tenant_id: UUID, appointment_id: UUID) -> TrackedVisit | None:
    """The visit as it is now; None when it, or the business, is gone."""
    async with database.tenant(tenant_id) as session:
        row = await read_tracked_visit(session, appointment_id)
    if row is None:
        return None
    on_the_way = row.status is AppointmentStatus.ON_THE_WAY
    return TrackedVisit(
        business_name=row.business_name,
        business_phone=row.business_phone,
        time_zone=row.time_zone,
        status=row.status,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        eta=row.eta if on_the_way else None,
        technician_id=row.technician_id,
        technician_name=first_name(row.technician_name) if row.technician_name else None,
        latitude=row.latitude,
        longitude=row.longitude,
        service_names=row.services or [],
    )
