"""Turning addresses into places: what a geocoder must answer."""

from typing import Protocol

from domain.address import Address
from domain.geocoding import Geocoded


class GeocodingError(Exception):
    """The geocoder could not be asked, or did not answer; nothing is known of the address."""


class Geocoder(Protocol):
    """Finds places of addresses. Never called inside a database transaction."""

    @property
    def name(self) -> str:
        """What its answers are kept under."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether its answers are worth keeping: it is slow, or costs something."""
        ...

    async def locate(self, address: Address) -> Geocoded | None:
        """The place; None when there is no such address.

        Raises:
            GeocodingError: it could not be asked.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...
