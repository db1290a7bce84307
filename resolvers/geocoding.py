"""Finding the places of addresses: before a transaction, never in one, and what was found is kept."""

import hashlib
import hmac
from dataclasses import replace

import structlog

from domain.address import Address
from domain.errors import ErrorCode, Refusal
from domain.geo_point import GeoPoint
from domain.geocoding import Geocoded, address_key
from integrations.geocoding import Geocoder, GeocodingError
from models.database import Database
from models.geocoding import recall, remember
from resolvers.planning import Planning

log = structlog.get_logger("geocoding")


async def located(planning: Planning, database: Database, secret: str, address: Address) -> Address:
    """The address (checked) with its place.

    Raises:
        Refusal: ADDRESS_NOT_FOUND when there is no such place, or nobody could be asked.
    """
    found = await with_place(planning, database, secret, address)
    if not isinstance(found.point, GeoPoint):
        raise not_on_the_map()
    return found


def not_on_the_map() -> Refusal:
    """ADDRESS_NOT_FOUND at the address."""
    return Refusal(ErrorCode.ADDRESS_NOT_FOUND, "That address could not be found on the map.", ("input", "address"))


async def with_place(planning: Planning, database: Database, secret: str, address: Address) -> Address:
    """The address (checked) with its place where one was found, else as it is. A place that the caller gave stays."""
    if address.point is not None:
        return address
    found = await _ask(planning.geocoder, database, secret, address)
    if found is None and planning.geocoder.name != planning.offline.name:
        # Better the middle of the ZIP code than nothing; its precision says what it is worth.
        found = await planning.offline.locate(address)
    return address if found is None else replace(address, point=found.point, precision=found.precision)


async def _ask(geocoder: Geocoder, database: Database, secret: str, address: Address) -> Geocoded | None:
    if not geocoder.remembers:
        return await geocoder.locate(address)
    derived = hmac.digest(secret.encode(), b"geocoding", hashlib.sha256)
    key = hmac.digest(derived, f"{geocoder.name}\0{address_key(address)}".encode(), hashlib.sha256)
    async with database.anonymous() as session:
        known = await recall(session, key)
    if known is not None:
        return known[0]
    try:
        found = await geocoder.locate(address)
    except GeocodingError as error:
        # Not kept: it says nothing of the address.
        log.warning("geocoder did not answer", geocoder=geocoder.name, error=str(error))
        return None
    async with database.anonymous() as session:
        await remember(session, key, found)
    return found
