"""Geocoding without a network: the middle of the address's ZIP code, from the Census Bureau's gazetteer (docs/decisions/0013)."""

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.address import Address, Precision
from domain.geo_point import GeoPoint
from domain.geocoding import Geocoded
from domain.service_area import normalize_postal_code

TABLE = Path(__file__).with_name("zip_centroids.npz")
_UNITS_OF_A_DEGREE = 1e4
_ZIP = re.compile(r"[0-9]{5}", re.ASCII)


class ZipGeocoder:
    """Places of ZIP codes of the United States; other countries' codes and codes of post boxes are not known."""

    name = "zip"
    remembers = False

    async def locate(self, address: Address) -> Geocoded | None:
        """The middle of the address's ZIP code."""
        code = normalize_postal_code(address.postal_code)
        if address.country != "US" or _ZIP.fullmatch(code) is None:
            return None
        point = centroid(int(code))
        return None if point is None else Geocoded(point, Precision.POSTAL_CODE)

    async def close(self) -> None:
        """Nothing to close."""


def centroid(code: int) -> GeoPoint | None:
    """The middle of a ZIP code's area, None for one that has no area."""
    codes, places = _table()
    index = int(np.searchsorted(codes, code))
    if index == len(codes) or codes[index] != code:
        return None
    latitude, longitude = (places[index] / _UNITS_OF_A_DEGREE).tolist()
    return GeoPoint(latitude, longitude)


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Codes in order, and their places in ten-thousandths of a degree: 0.4 MB in memory."""
    with np.load(TABLE) as table:
        return table["code"], table["place"]
