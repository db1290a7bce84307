"""Geocoding by Nominatim or Google, through geopy: with a time limit, a bounded rate and another try."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from geopy.exc import GeocoderQueryError, GeopyError
from geopy.geocoders import GoogleV3, Nominatim
from geopy.location import Location

from domain.address import Address, Precision
from domain.geo_point import GeoPoint
from domain.geocoding import Geocoded
from integrations.geocoding import GeocodingError

ANSWER_S = 3.0
TRIES = 2
AGAIN_AFTER_S = 0.3
# Whoever would have to wait longer for a turn is told that nobody could be asked.
LONGEST_WAIT_S = 3.0
USER_AGENT = "service-pro-stream"

_ROOF = {"ROOFTOP": Precision.BUILDING, "RANGE_INTERPOLATED": Precision.STREET, "GEOMETRIC_CENTER": Precision.STREET}


class GeopyGeocoder:
    """A service behind geopy. One for each process; the rate is the process's.

    Args:
        name: what its answers are kept under.
        ask: asks the service, in a thread.
        precision: how exact an answer is.
        per_second: requests at most.
    """

    remembers = True

    def __init__(
        self,
        name: str,
        ask: Callable[[Address], Location | None],
        precision: Callable[[dict[str, Any]], Precision],
        per_second: float,
    ) -> None:
        self.name = name
        self._ask, self._precision = ask, precision
        self._apart = 1 / per_second
        self._next = 0.0

    async def locate(self, address: Address) -> Geocoded | None:
        """The place; None when the service knows no such address.

        Raises:
            GeocodingError: the service did not answer, or there are too many who ask.
        """
        for attempt in range(1, TRIES + 1):
            await self._turn()
            try:
                found = await asyncio.to_thread(self._ask, address)
            except GeocoderQueryError:
                return None
            except GeopyError as error:
                if attempt == TRIES:
                    raise GeocodingError(f"{type(error).__name__}: {error}") from error
                await asyncio.sleep(AGAIN_AFTER_S)
                continue
            if found is None:
                return None
            point = GeoPoint(float(found.latitude), float(found.longitude))
            return Geocoded(point, self._precision(found.raw))
        raise AssertionError("unreachable: the last try returns or raises")

    async def close(self) -> None:
        """geopy keeps no connection."""

    async def _turn(self) -> None:
        """Wait for a turn.

        Raises:
            GeocodingError: it is too far away.
        """
        now = monotonic()
        turn = max(now, self._next)
        if turn - now > LONGEST_WAIT_S:
            raise GeocodingError("too many addresses at once")
        self._next = turn + self._apart
        await asyncio.sleep(turn - now)


def nominatim(base_url: str | None, per_second: float) -> GeopyGeocoder:
    """https://nominatim.org; the public server allows one request a second, for light use."""
    scheme, domain = _origin(base_url, "https://nominatim.openstreetmap.org")
    service = Nominatim(user_agent=USER_AGENT, domain=domain, scheme=scheme, timeout=ANSWER_S)

    def ask(address: Address) -> Location | None:
        query = {
            "street": address.line1,
            "city": address.city,
            "state": address.region,
            "postalcode": address.postal_code,
            "country": address.country,
        }
        found: Location | None = service.geocode(query, addressdetails=True, country_codes=address.country.lower())
        return found

    return GeopyGeocoder("nominatim", ask, _nominatim_precision, per_second)


def google(base_url: str | None, api_key: str, per_second: float) -> GeopyGeocoder:
    """https://developers.google.com/maps/documentation/geocoding."""
    scheme, domain = _origin(base_url, "https://maps.googleapis.com")
    service = GoogleV3(api_key=api_key, domain=domain, scheme=scheme, timeout=ANSWER_S)

    def ask(address: Address) -> Location | None:
        text = f"{address.line1}, {address.city}, {address.region} {address.postal_code}"
        found: Location | None = service.geocode(text, components={"country": address.country})
        return found

    return GeopyGeocoder("google", ask, _google_precision, per_second)


def _nominatim_precision(raw: dict[str, Any]) -> Precision:
    details = raw.get("address", {})
    if raw.get("addresstype") == "postcode" or raw.get("type") == "postcode":
        return Precision.POSTAL_CODE
    if "house_number" in details:
        return Precision.BUILDING
    return Precision.STREET if "road" in details else Precision.PLACE


def _google_precision(raw: dict[str, Any]) -> Precision:
    if "postal_code" in raw.get("types", []):
        return Precision.POSTAL_CODE
    return _ROOF.get(raw.get("geometry", {}).get("location_type", ""), Precision.PLACE)


def _origin(base_url: str | None, usual: str) -> tuple[str, str]:
    parts = urlsplit(base_url or usual)
    return parts.scheme, f"{parts.netloc}{parts.path.rstrip('/')}"
