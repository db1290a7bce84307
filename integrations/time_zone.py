"""The time zone at a place, from a map of all zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import tzfpy

from domain.geo_point import GeoPoint


def zone_fits(zone: str, point: GeoPoint, year: int) -> bool:
    """Whether the clocks of a zone show the same time as those at a place, in January, April, July and October of a year.

    Zones of one clock have many names; what counts is what the clocks show. Where the map knows no zone, any fits.
    """
    there = tzfpy.get_tz(point.longitude, point.latitude)
    if not there:
        return True
    moments = [datetime(year, month, 1, tzinfo=UTC) for month in (1, 4, 7, 10)]
    return all(
        moment.astimezone(ZoneInfo(zone)).utcoffset() == moment.astimezone(ZoneInfo(there)).utcoffset()
        for moment in moments
    )
