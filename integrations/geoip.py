"""The city of an address, from a local MMDB file: nobody is asked, and only the city is told."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger("geoip")


def city_of(file: Path | None, ip: str | None) -> str | None:
    """The city's English name, or None: no file, no address, or an address that the file does not know.

    Args:
        file: in MaxMind's format, as GeoLite2-City.mmdb or DB-IP City Lite.
    """
    reader = _reader(file) if file is not None else None
    if reader is None or ip is None:
        return None
    found = reader.get(ip)
    city = found.get("city") if isinstance(found, dict) else None
    names = city.get("names") if isinstance(city, dict) else None
    name = names.get("en") if isinstance(names, dict) else None
    return name if isinstance(name, str) else None


@lru_cache(maxsize=4)
def _reader(file: Path) -> Any:
    # Imported where it is needed: most installations have no such file.
    import maxminddb

    try:
        return maxminddb.open_database(file)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        # The log goes on without cities: a wrong file must not keep people out.
        log.warning("no cities", file=str(file), error=type(error).__name__)
        return None
