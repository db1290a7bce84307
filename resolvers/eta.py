"""When the technician will be there: from where the technician was last, by the travel times that are known."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.geo_point import GeoPoint, points_array
from domain.travel import TravelTimes
from integrations.travel_time import TravelEngine
from models.database import Transaction
from models.position import KnownPlaces, places_of_way
from resolvers.calendar import point_of
from resolvers.caller import Caller

# Somebody who last reported longer ago may be anywhere.
FRESH = timedelta(minutes=15)


async def estimated_arrival(session: Transaction, appointment_id: UUID, times: TravelTimes) -> datetime | None:
    """The arrival at the appointment's address; None when a place is not known.

    The way begins at the technician's latest position, if it is of the last 15 minutes, else at the home base, else at
    the location.
    """
    way = await _way(session, appointment_id)
    return None if way is None else datetime.now(UTC) + timedelta(seconds=times.leg(*way))


async def fetch_way(caller: Caller, travel: TravelEngine, appointment_id: UUID) -> None:
    """Have the travel time ready that `estimated_arrival` will need, which asks no engine in its transaction."""
    async with caller.reading() as session:
        way = await _way(session, appointment_id)
    if way is not None:
        origin, goal = way
        await travel.fetch_legs(points_array([origin]), points_array([goal]))


async def _way(session: Transaction, appointment_id: UUID) -> tuple[GeoPoint, GeoPoint] | None:
    places = await places_of_way(session, appointment_id)
    if places is None:
        return None
    origin, goal = _origin(places), point_of(places.latitude, places.longitude)
    return None if origin is None or goal is None else (origin, goal)


def _origin(places: KnownPlaces) -> GeoPoint | None:
    if places.recorded_at is not None and datetime.now(UTC) - places.recorded_at <= FRESH:
        return point_of(places.last_latitude, places.last_longitude)
    home = point_of(places.home_latitude, places.home_longitude)
    return home or point_of(places.base_latitude, places.base_longitude)
