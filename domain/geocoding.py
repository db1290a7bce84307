"""Where an address is, how exactly that is known, and the form in which addresses are compared."""

import re
import unicodedata
from dataclasses import dataclass

from domain.address import Address, Precision
from domain.geo_point import GeoPoint


@dataclass(frozen=True, slots=True)
class Geocoded:
    """A place, and how exactly it is known."""

    point: GeoPoint
    precision: Precision


def address_key(address: Address) -> str:
    """The address in the form in which two spellings of one address are mostly equal: case, spaces and points do not count."""
    parts = (address.line1, address.city, address.region, address.postal_code, address.country)
    return "|".join(_plain(part) for part in parts)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[.,#]", " ", folded).split())
