"""The public booking page of a location: what can be booked there, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from auth.offer_token import offer_token
from domain.address import Address, checked_address
from domain.booking import Request, nothing_offered, pack_request
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.local_time import Interval
from domain.slots import Job
from domain.slots_windows import candidate_windows
from models.booking_portal import Catalog, Page, bookable_services, read_page
from models.database import Database
from models.location import Location
from models.look_up import look_up_booking_page
from resolvers.availability import ready_days, search_in
from resolvers.booking_wanted import checked_dates, wanted_job, wanted_of
from resolvers.calendar import place_of, utc_now
from resolvers.geocoding import located
from resolvers.planning import Planning
from settings import Settings


@dataclass(frozen=True, slots=True)
class BookingSite:
    """What the booking page needs of us: it has no principal."""

    database: Database
    settings: Settings
    planning: Planning

    @property
    def secret(self) -> str:
        """SPS_SECRET_KEY."""
        return self.settings.secret_key.get_secret_value()


@dataclass(frozen=True, slots=True)
class Portal:
    """A booking page."""

    tenant_id: UUID
    page: Page
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class WindowsInput:
    """What is to be done, where, and on which dates of the location's calendar (`first` None: from today on)."""

    service_ids: Sequence[UUID | None]
    option_ids: Sequence[UUID | None]
    address: Address
    first: date | None
    days: int


@dataclass(frozen=True, slots=True)
class OfferedToken:
    """A window, and the token that books it."""

    window: Interval
    token: str


async def open_portal(site: BookingSite, slug: str) -> Portal | None:
    """The page of a slug; None when there is none, or the business has cancelled or is read-only."""
    async with site.database.anonymous() as session:
        found = await look_up_booking_page(session, slug.strip().lower())
    if found is None:
        return None
    tenant_id, location_id = found
    async with site.database.tenant(tenant_id) as session:
        page = await read_page(session, tenant_id, location_id)
        return None if page is None else Portal(tenant_id, page, await bookable_services(session))


async def bookable_windows(site: BookingSite, portal: Portal, asked: WindowsInput) -> list[OfferedToken]:
    """The windows that somebody can make.

    Raises:
        Refusal: INVALID_INPUT, NOT_FOUND; ADDRESS_NOT_FOUND, OUT_OF_SERVICE_AREA, OUTSIDE_HOURS, MISSING_SKILL or
            TECHNICIAN_UNAVAILABLE when there is no window.
    """
    now, location = utc_now(), portal.page.location
    first = checked_dates(asked.first, asked.days, location.time_zone, now)
    wanted = wanted_of(asked.service_ids, asked.option_ids, portal.catalog)
    address = await located(site.planning, site.database, site.secret, checked_address(asked.address, "address"))
    request = Request(portal.tenant_id, location.id, wanted, address, now)
    return await offers(site, location, request, wanted_job(wanted, portal.catalog, address), first, asked.days)


async def offers(
    site: BookingSite, location: Location, request: Request, job: Job, first: date, days: int
) -> list[OfferedToken]:
    """The windows of `days` dates from `first` on, each with its token.

    Raises:
        Refusal: OUT_OF_SERVICE_AREA, OUTSIDE_HOURS, MISSING_SKILL, TECHNICIAN_UNAVAILABLE.
    """
    place = place_of(location)
    if not place.area.covers(job.point, job.postal_code):
        raise outside_area()
    windows = candidate_windows(place.rule, first, days, request.asked_at)
    ready = await ready_days(site.planning, site.database, request.tenant_id, location, first, days)
    found = await search_in(site.planning.travel, ready, job, windows)
    if not found.search.windows:
        raise nothing_offered(found.search.obstacles, anybody_skilled=found.anybody_skilled)
    packed = pack_request(request)
    return [
        OfferedToken(offered.window, offer_token(site.secret, new_id(), offered.window, packed, request.asked_at))
        for offered in found.search.windows
    ]


def outside_area() -> Refusal:
    """OUT_OF_SERVICE_AREA at the address."""
    return Refusal(ErrorCode.OUT_OF_SERVICE_AREA, "That address is outside of our service area.", ("input", "address"))
