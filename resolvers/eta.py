"""When the technician will be there: from where the technician was last, at the speed of the travel estimate."""

from datetime import UTC, datetime, timedelta

from domain.geo_point import GeoPoint
from domain.travel import GreatCircleTravel
from models.appointment import Appointment
from models.customer import CustomerAddress
from models.database import Transaction
from models.location import Location
from models.technician import Technician, positions_of

# Somebody who last reported longer ago may be anywhere.
FRESH = timedelta(minutes=15)
_TRAVEL = GreatCircleTravel()


async def estimated_arrival(session: Transaction, appointment: Appointment) -> datetime | None:
    """The arrival at the appointment's address; None when a place is not known.

    The way begins at the technician's latest position, if it is of the last 15 minutes, else at the home base, else at
    the location.
    """
    if appointment.technician_id is None:
        return None
    tenant_id = appointment.tenant_id
    address = await session.get_one(CustomerAddress, (tenant_id, appointment.address_id))
    goal = _point(address.latitude, address.longitude)
    origin = await _whereabouts(session, appointment)
    if origin is None or goal is None:
        return None
    return datetime.now(UTC) + timedelta(seconds=_TRAVEL.leg(origin, goal))


async def _whereabouts(session: Transaction, appointment: Appointment) -> GeoPoint | None:
    technician_id = appointment.technician_id
    for position in await positions_of(session, [technician_id] if technician_id else []):
        if datetime.now(UTC) - position.recorded_at <= FRESH:
            return _point(position.latitude, position.longitude)
    technician = await session.get_one(Technician, (appointment.tenant_id, technician_id))
    home = _point(technician.home_latitude, technician.home_longitude)
    if home is not None:
        return home
    location = await session.get_one(Location, (appointment.tenant_id, technician.location_id))
    return _point(location.latitude, location.longitude)


def _point(latitude: float | None, longitude: float | None) -> GeoPoint | None:
    return None if latitude is None or longitude is None else GeoPoint(latitude, longitude)
