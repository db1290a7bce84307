"""Booking an offer: everything is checked again under the lock, for an offer is a hint and keeps nothing free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from auth.message_token import TRACKING_LASTS, tracking_token
from auth.offer_token import read_offer_token
from domain.appointment import AppointmentEventType, AppointmentSource, AppointmentStatus
from domain.booking import Offer
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.local_time import Interval, local_date
from domain.slots import Job
from domain.slots_windows import candidate_windows
from models.appointment import Appointment, check_calendars, check_calendars_last, snapshot
from models.booking_offer import use_offer
from models.booking_portal import Page, bookable_services, read_page
from models.database import Transaction
from models.location import Location
from models.tenant import count_up
from permissions.principal import Principal
from permissions.visitor import Visitor
from resolvers.appointment import Change, finish
from resolvers.appointment_line import NewLine, priced_lines
from resolvers.appointment_plan import FIRST_NUMBER, NUMBER_COUNTER
from resolvers.availability import USUAL_DAYS, fetch_around, ready_days
from resolvers.booking_customer import Contact, Visited, checked_contact, customer_at
from resolvers.booking_place import Placed, place_job
from resolvers.booking_portal import BookingSite, OfferedToken, offers
from resolvers.booking_wanted import wanted_job
from resolvers.calendar import DAY, place_of, utc_now
from resolvers.caller import Caller
from resolvers.idempotency import once
from resolvers.throttle import BOOKING, bucket, take

# Who has done it, as history tells.
CUSTOMER, SYSTEM = "customer", "system"
_WORDS = {
    ErrorCode.SLOT_TAKEN: "Somebody else was faster: that time is taken.",
    ErrorCode.HOLD_EXPIRED: "That offer was used, or is not good any more.",
}


_CLOSED = frozenset({ErrorCode.TENANT_CANCELLED, ErrorCode.PLAN_LIMIT})


@dataclass(frozen=True, slots=True)
class BookingInput:
    """What the customer says; names and numbers as they were typed."""

    token: str
    name: str
    phone: str | None
    email: str | None
    notes: str | None


@dataclass(frozen=True, slots=True)
class Booked:
    """What the customer is told."""

    number: int
    window: Interval
    tracking_token: str


async def create_booking(
    site: BookingSite, visitor: Visitor, given: BookingInput, idempotency_key: str | None
) -> Booked:
    """Book an offer.

    Raises:
        Refusal: TOKEN_EXPIRED, INVALID_INPUT, IDEMPOTENCY_CONFLICT, TENANT_CANCELLED, PLAN_LIMIT, BUSY; SLOT_TAKEN and
            HOLD_EXPIRED, with fresh windows as `current`.
        Throttled: too many bookings from one address.
    """
    offer = read_offer_token(site.secret, given.token)
    if offer is None:
        raise Refusal(ErrorCode.TOKEN_EXPIRED, "That offer is none of ours, or of long ago.", ("input", "token"))
    who = checked_contact(given.name, given.phone, given.email, given.notes)
    tenant_id = offer.request.tenant_id
    await take(site.database, [bucket(site.secret, f"booking at {tenant_id}", visitor.network, BOOKING)])
    caller = Caller(
        Principal(tenant_id=tenant_id, actor=CUSTOMER, scopes=frozenset()), site.database, site.settings, visitor
    )
    await _fetch_travel(site, offer)

    async def work(session: Transaction) -> Appointment:
        made = await once(
            session,
            caller,
            "bookingCreate",
            idempotency_key,
            given,
            lambda inner: _book(inner, site, caller, offer, who),
        )
        return await session.get_one(Appointment, (tenant_id, made))

    try:
        appointment = await caller.transact(work)
    except Refusal as refusal:
        if refusal.code in _CLOSED:
            # How the business stands with us is none of its customers' business.
            raise Refusal(refusal.code, "This business takes no bookings online at the moment.") from refusal
        if refusal.code not in _WORDS:
            raise
        raise _lost(refusal.code, await _fresh_windows(site, offer)) from refusal
    return _booked(site, offer, appointment)


async def _book(session: Transaction, site: BookingSite, caller: Caller, offer: Offer, who: Contact) -> UUID:
    page = await read_page(session, caller.tenant_id, offer.request.location_id)
    if page is None:
        raise _lost(ErrorCode.HOLD_EXPIRED)
    job = await _job(session, page, offer)
    placed = await place_job(session, site.planning.travel.times, page.location, job, offer.window)
    if placed is None:
        raise _lost(ErrorCode.SLOT_TAKEN)
    visited = await customer_at(session, caller.tenant_id, who, offer.request.address)
    await _slide(session, caller, placed)
    appointment = await _insert(session, caller, offer, placed, visited)
    await check_calendars(session)
    # Last: whoever uses an offer twice while there is room is told so, and where there is none, that the time is taken.
    if not await use_offer(session, caller.tenant_id, offer.id, appointment.id):
        raise _lost(ErrorCode.HOLD_EXPIRED)
    return appointment.id


async def _job(session: Transaction, page: Page, offer: Offer) -> Job:
    """The job, if it is still on offer: services, area, hours, closures and notice may have changed.

    Raises:
        Refusal: HOLD_EXPIRED.
    """
    request, place = offer.request, place_of(page.location)
    try:
        job = wanted_job(request.wanted, await bookable_services(session), request.address)
    except Refusal as refusal:
        raise _lost(ErrorCode.HOLD_EXPIRED) from refusal
    day = local_date(offer.window[0], place.zone)
    # A window of the small hours belongs to the evening before. The notice counts from when it was offered.
    windows = candidate_windows(place.rule, day - DAY, 2, request.asked_at).windows
    if not offer.held(utc_now()) or offer.window not in windows or not place.area.covers(job.point, job.postal_code):
        raise _lost(ErrorCode.HOLD_EXPIRED)
    return job


async def _slide(session: Transaction, caller: Caller, placed: Placed) -> None:
    await check_calendars_last(session)
    ours = replace(caller, principal=replace(caller.principal, actor=SYSTEM))
    for row, (start, end) in placed.moved:
        before = snapshot(row)
        row.starts_at, row.ends_at = start, end
        await finish(Change(session, ours, row, AppointmentEventType.RESCHEDULED), before)


async def _insert(session: Transaction, caller: Caller, offer: Offer, placed: Placed, visited: Visited) -> Appointment:
    appointment = Appointment(
        tenant_id=caller.tenant_id,
        id=new_id(),
        version=1,
        status=AppointmentStatus.SCHEDULED,
        location_id=offer.request.location_id,
        customer_id=visited.customer_id,
        address_id=visited.address_id,
        technician_id=placed.technician_id,
        starts_at=placed.placement.start,
        ends_at=placed.placement.end,
        arrival_starts_at=offer.window[0],
        arrival_ends_at=offer.window[1],
        notes=visited.notes,
        internal_notes=visited.internal_notes,
        source=AppointmentSource.BOOKING_PORTAL,
    )
    lines = await priced_lines(session, appointment, [NewLine(*each) for each in offer.request.wanted])
    appointment.number = FIRST_NUMBER + await count_up(session, caller.tenant_id, NUMBER_COUNTER)
    session.add(appointment)
    await session.flush()
    session.add_all(lines)
    await finish(Change(session, caller, appointment, AppointmentEventType.CREATED), None)
    return appointment


async def _fetch_travel(site: BookingSite, offer: Offer) -> None:
    """Have the travel times ready that the transaction will need, which asks no engine."""
    found = await _read(site, offer)
    if found is not None and offer.held(utc_now()):
        location, job = found
        day = local_date(offer.window[0], location.time_zone)
        ready = await ready_days(site.planning, site.database, offer.request.tenant_id, location, day, 1)
        await fetch_around(site.planning.travel, ready, job)


async def _fresh_windows(site: BookingSite, offer: Offer) -> Sequence[OfferedToken]:
    """What can be offered instead; nothing when there is nothing."""
    found = await _read(site, offer)
    if found is None:
        return []
    location, job = found
    now = utc_now()
    day, today = (local_date(moment, location.time_zone) for moment in (offer.window[0], now))
    first = today if day < today + USUAL_DAYS * DAY else day
    try:
        return await offers(site, location, replace(offer.request, asked_at=now), job, first, USUAL_DAYS)
    except Refusal:
        return []


async def _read(site: BookingSite, offer: Offer) -> tuple[Location, Job] | None:
    """The location and the job; None when one of the services is not offered any more."""
    tenant_id = offer.request.tenant_id
    async with site.database.tenant(tenant_id) as session:
        page = await read_page(session, tenant_id, offer.request.location_id)
        catalog = await bookable_services(session)
    if page is None:
        return None
    try:
        return page.location, wanted_job(offer.request.wanted, catalog, offer.request.address)
    except Refusal:
        return None


def _booked(site: BookingSite, offer: Offer, appointment: Appointment) -> Booked:
    expires_at: datetime = max(offer.window[1], utc_now()) + TRACKING_LASTS
    return Booked(
        number=appointment.number,
        window=offer.window,
        tracking_token=tracking_token(site.secret, appointment.tenant_id, appointment.id, expires_at),
    )


def _lost(code: ErrorCode, fresh: Sequence[OfferedToken] = ()) -> Refusal:
    return Refusal(code, _WORDS[code], ("input", "token"), current=fresh)
