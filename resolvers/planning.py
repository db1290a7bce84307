"""What searches for free times share in a process: travel times, geocoding, the solver, and schedules that are ready."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from domain.slots import TechnicianDay
from domain.slots_prepare import Schedule
from integrations.geocoding import Geocoder
from integrations.geocoding_zip import ZipGeocoder
from integrations.travel_time import EstimatedTravel, TravelEngine
from integrations.travel_time_http import http_travel
from integrations.vroom import Vroom
from settings import Settings

# A schedule of 50 technicians and 16 days takes about a megabyte.
MOST_SCHEDULES = 64
# A schedule depends on the present moment; rounded up, what it offers stays feasible until then.
CLOCK_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A location's days, ready for searches, and the state of the calendar that they were read from."""

    state: str
    now: datetime
    days: tuple[TechnicianDay, ...]
    schedule: Schedule


Span = tuple[UUID, UUID, date, int]
"""Tenant, location, the first date and the number of dates."""


@dataclass
class Schedules:
    """The schedules that were used last. Each is made once, however many ask for it at the same moment."""

    most: int = MOST_SCHEDULES
    _kept: OrderedDict[Span, Prepared] = field(default_factory=OrderedDict)
    _making: dict[Span, asyncio.Lock] = field(default_factory=dict)

    async def get(self, span: Span, state: str, now: datetime, make: Callable[[], Awaitable[Prepared]]) -> Prepared:
        """The schedule of a span, from what was kept if the calendar is still in that state."""
        if found := self._recall(span, state, now):
            return found
        lock = self._making.setdefault(span, asyncio.Lock())
        try:
            async with lock:
                if found := self._recall(span, state, now):
                    return found
                made = self._kept[span] = await make()
                self._kept.move_to_end(span)
                while len(self._kept) > self.most:
                    self._kept.popitem(last=False)
                return made
        finally:
            if not lock.locked():
                self._making.pop(span, None)

    def _recall(self, span: Span, state: str, now: datetime) -> Prepared | None:
        found = self._kept.get(span)
        if found is None or found.state != state or found.now != now:
            return None
        self._kept.move_to_end(span)
        return found


@dataclass
class Planning:
    """One for each process: an application's, or a test's."""

    travel: TravelEngine = field(default_factory=EstimatedTravel)
    geocoder: Geocoder = field(default_factory=ZipGeocoder)
    offline: ZipGeocoder = field(default_factory=ZipGeocoder)
    # A solver that hangs is killed while its request still has time to answer.
    solver: Vroom = field(default_factory=lambda: Vroom(grace=3.0))
    schedules: Schedules = field(default_factory=Schedules)

    async def close(self) -> None:
        """Close connections to engines."""
        await self.travel.close()
        await self.geocoder.close()


def planning_for(settings: Settings) -> Planning:
    """The engines that the settings name.

    Raises:
        ValueError: ROUTING_URL names no engine, or Google's key is missing.
    """
    return Planning(
        travel=http_travel(settings.routing_url) if settings.routing_url else EstimatedTravel(),
        geocoder=_geocoder(settings),
    )


def _geocoder(settings: Settings) -> Geocoder:
    if settings.geocoder == "zip":
        return ZipGeocoder()
    # Only here: with geopy comes an HTTP client that takes a tenth of the server's start.
    from integrations.geocoding_geopy import google, nominatim

    if settings.geocoder == "nominatim":
        return nominatim(settings.geocoder_base_url, settings.geocoder_per_second)
    if settings.geocoder_api_key is None:
        raise ValueError("GEOCODER=google needs GEOCODER_API_KEY")
    return google(
        settings.geocoder_base_url, settings.geocoder_api_key.get_secret_value(), settings.geocoder_per_second
    )


def coming_step(now: datetime) -> datetime:
    """The next moment at which schedules are made anew."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + -((epoch - now) // CLOCK_STEP) * CLOCK_STEP
