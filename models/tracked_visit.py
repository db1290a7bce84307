"""What a customer's tracking page shows of one visit, in one statement."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import AppointmentStatus
from domain.tenant import TenantStatus
from models.appointment import Appointment, AppointmentLine
from models.location import Location
from models.service import Service
from models.technician import Technician, TechnicianPosition
from models.tenant import Tenant

# A position from before is where the technician lives or was, and nobody's business.
FRESH = timedelta(minutes=15)

_SERVICES = (
    select(func.array_agg(aggregate_order_by(Service.name, AppointmentLine.position)))
    .join(
        AppointmentLine,
        (AppointmentLine.tenant_id == Service.tenant_id) & (AppointmentLine.service_id == Service.id),
    )
    .where(AppointmentLine.tenant_id == Appointment.tenant_id, AppointmentLine.appointment_id == Appointment.id)
    .correlate(Appointment)
    .scalar_subquery()
)


async def read_tracked_visit(session: AsyncSession, appointment_id: UUID) -> Row[Any] | None:
    """The visit, with the technician's name and place only while the technician is on the way to it."""
    statement = (
        select(
            Tenant.name.label("business_name"),
            Tenant.phone.label("business_phone"),
            Location.time_zone,
            Appointment.status,
            func.coalesce(Appointment.arrival_starts_at, Appointment.starts_at).label("starts_at"),
            func.coalesce(Appointment.arrival_ends_at, Appointment.ends_at).label("ends_at"),
            Appointment.eta,
            Technician.id.label("technician_id"),
            Technician.name.label("technician_name"),
            TechnicianPosition.latitude,
            TechnicianPosition.longitude,
            _SERVICES.label("services"),
        )
        .join(Tenant, Tenant.id == Appointment.tenant_id)
        .join(Location, (Location.tenant_id == Appointment.tenant_id) & (Location.id == Appointment.location_id))
        .outerjoin(
            Technician,
            (Technician.tenant_id == Appointment.tenant_id)
            & (Technician.id == Appointment.technician_id)
            & (Appointment.status == AppointmentStatus.ON_THE_WAY),
        )
        .outerjoin(
            TechnicianPosition,
            (TechnicianPosition.tenant_id == Technician.tenant_id)
            & (TechnicianPosition.technician_id == Technician.id)
            & (TechnicianPosition.recorded_at > Appointment.on_the_way_at - FRESH),
        )
        .where(Appointment.id == appointment_id, Tenant.status != TenantStatus.CANCELLED)
    )
    return (await session.execute(statement)).first()
