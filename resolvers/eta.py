"""When the technician will be there: from where the technician was last, by the travel times that are known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.geo_point import GeoPoint, points_array
from domain.travel import TravelTimes
from integrations.travel_time import TravelEngine
from models.appointment import Appointment
from models.customer import CustomerAddress
from models.database import Transaction
from models.location import Location
from models.query import by_ids
from models.technician import Technician, positions_of
from resolvers.calendar import point_of
from resolvers.caller import Caller

# Somebody who last reported longer ago may be anywhere.
FRESH = timedelta(minutes=15)


async def estimated_arrival(session: Transaction, appointment: Appointment, times: TravelTimes) -> datetime | None:
    """The arrival at the appointment's address; None when a place is not known.

    The way begins at the technician's latest position, if it is of the last 15 minutes, else at the home base, else at
    the location.
    """
    way = await _way(session, appointment)
    return None if way is None else datetime.now(UTC) + timedelta(seconds=times.leg(*way))


async def fetch_way(caller: Caller, travel: TravelEngine, appointment_id: UUID) -> None:
    """Have the travel time ready that `estimated_arrival` will need, which asks no engine in its transaction."""
    async with caller.reading() as session:
        appointment = (await by_ids(session, Appointment, [appointment_id])).get(appointment_id)
        way = await _way(session, appointment) if appointment is not None else None
    if way is not None:
        origin, goal = way
        await travel.fetch_legs(points_array([origin]), points_array([goal]))


async def _way(session: Transaction, appointment: Appointment) -> tuple[GeoPoint, GeoPoint] | None:
    if appointment.technician_id is None:
        return None
    address = await session.get_one(CustomerAddress, (appointment.tenant_id, appointment.address_id))
    goal = point_of(address.latitude, address.longitude)
    origin = await _whereabouts(session, appointment)
    return None if origin is None or goal is None else (origin, goal)


async def _whereabouts(session: Transaction, appointment: Appointment) -> GeoPoint | None:
    technician_id = appointment.technician_id
    for position in await positions_of(session, [technician_id] if technician_id else []):
        if datetime.now(UTC) - position.recorded_at <= FRESH:
            return point_of(position.latitude, position.longitude)
    technician = await session.get_one(Technician, (appointment.tenant_id, technician_id))
    home = point_of(technician.home_latitude, technician.home_longitude)
    if home is not None:
        return home
    location = await session.get_one(Location, (appointment.tenant_id, technician.location_id))
    return point_of(location.latitude, location.longitude)
