"""Locations: making and changing them, with the notification settings that every location has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from domain import contact
from domain.address import Address, PointInput, checked_address, checked_point
from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.geo_point import GeoPoint
from domain.hours import HoursInput, stored_hours
from domain.ids import new_id
from domain.local_time import check_zone
from domain.notification_defaults import DEFAULT_RULES
from domain.origin import checked_origins
from domain.service_area import check_polygon, normalize_postal_pattern
from domain.slug import checked_slug, slug_of
from models.database import Transaction, savepoint_flush
from models.location import Location, locations, slug_taken
from models.notification import NotificationRule, NotificationSettings
from resolvers.caller import Caller

OFFICE_HOURS = tuple(HoursInput(day, "08:00", "17:00") for day in range(5))
BLANK = Address(line1="", line2=None, city="", region="", postal_code="", country="US")
SLUG_TRIES = 20


@dataclass(frozen=True, slots=True)
class ServiceArea:
    """Within a radius of the location, inside a polygon, or in one of the postal codes: whichever are set."""

    radius_km: float | None = None
    polygon: Sequence[PointInput] | None = None
    postal_codes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class NewLocation:
    """What a location is made of; `slug` None: one made of the name. Lengths of time in minutes."""

    name: str
    slug: str | None
    time_zone: str
    address: Address
    opening_hours: Sequence[HoursInput]
    service_area: ServiceArea = field(default_factory=ServiceArea)
    arrival_window_minutes: int = 120
    minimum_notice_minutes: int = 120
    allowed_origins: Sequence[str] = ()

    @classmethod
    def first(cls, business_name: str, time_zone: str, slug: str) -> "NewLocation":
        """The location that a business starts with; its address is still to be filled in."""
        return cls(business_name, slug, time_zone, BLANK, OFFICE_HOURS)


async def list_locations(caller: Caller) -> Sequence[Location]:
    """All locations, by name."""
    async with caller.reading() as session:
        return await locations(session)


async def create_location(caller: Caller, new: NewLocation) -> Location:
    """Make a location.

    Raises:
        Refusal: INVALID_INPUT; IN_USE when the slug that was asked for is somebody else's.
    """
    address = checked_address(new.address, "address")
    chosen = checked_slug(new.slug, "slug") if new.slug else None
    columns = _checked({"name": new.name, "time_zone": new.time_zone, "opening_hours": new.opening_hours})
    columns["allowed_origins"] = checked_origins(new.allowed_origins, "allowedOrigins")
    columns |= _checked_lengths(new.arrival_window_minutes, new.minimum_notice_minutes)
    columns |= _area_columns(new.service_area)

    async def work(session: Transaction) -> Location:
        slug = chosen or slug_of(new.name)
        return await _insert(session, caller.tenant_id, slug, {**columns, **address.columns()}, chosen=bool(chosen))

    return await caller.transact(work)


async def add_location(session: Transaction, tenant_id: UUID, new: NewLocation) -> Location:
    """Make a tenant's first location inside its sign-up; its slug gives way to those that exist."""
    columns = _checked({"name": new.name, "time_zone": new.time_zone, "opening_hours": new.opening_hours})
    columns |= _checked_lengths(new.arrival_window_minutes, new.minimum_notice_minutes)
    columns |= _area_columns(new.service_area)
    return await _insert(
        session, tenant_id, new.slug or slug_of(new.name), {**columns, **new.address.columns()}, chosen=False
    )


async def update_location(caller: Caller, location_id: UUID, changes: Mapping[str, Any]) -> Location:
    """Change what `changes` names: the fields of `NewLocation`, and `closures` as (date, reason) pairs.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT; IN_USE for another location's slug.
    """
    columns = _checked(changes)
    if "arrival_window_minutes" in changes or "minimum_notice_minutes" in changes:
        columns |= _checked_lengths(changes.get("arrival_window_minutes"), changes.get("minimum_notice_minutes"))

    async def work(session: Transaction) -> Location:
        location = await session.get(Location, (caller.tenant_id, location_id), with_for_update=True)
        if location is None:
            raise not_found("location", "locationId")

        def change() -> None:
            for name, value in columns.items():
                setattr(location, name, value)

        if await savepoint_flush(session, change, slug_taken):
            raise Refusal(ErrorCode.IN_USE, "That slug is taken.", ("input", "slug"))
        return location

    return await caller.transact(work)


async def _insert(
    session: Transaction, tenant_id: UUID, slug: str, columns: Mapping[str, Any], *, chosen: bool
) -> Location:
    for number in range(1, SLUG_TRIES + 1):
        tried = slug if number == 1 else f"{slug}-{number}" if number < SLUG_TRIES else f"{slug}-{new_id().hex[-8:]}"
        location = Location(tenant_id=tenant_id, id=new_id(), slug=tried, closures=[], **columns)
        if not await savepoint_flush(session, partial(session.add, location), slug_taken):
            break
        if chosen:
            raise Refusal(ErrorCode.IN_USE, "That slug is taken.", ("input", "slug"))
    session.add(
        NotificationSettings(
            tenant_id=tenant_id,
            location_id=location.id,
            sms_enabled=True,
            email_enabled=True,
            reminders_enabled=True,
        )
    )
    for rule in DEFAULT_RULES:
        session.add(
            NotificationRule(
                tenant_id=tenant_id,
                location_id=location.id,
                event=rule.event,
                sms=rule.sms,
                email=rule.email,
                offset_minutes=rule.offset_minutes,
                sms_template=rule.sms_template,
                email_subject=rule.email_subject,
                email_template=rule.email_template,
            )
        )
    await session.flush()
    return location


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if value is None and name in {
            "name",
            "slug",
            "time_zone",
            "address",
            "opening_hours",
            "closures",
            "service_area",
            "allowed_origins",
        }:
            # A null means the same as leaving it out, where there must be a value.
            continue
        match name:
            case "name":
                columns["name"] = contact.required(value, "name")
            case "slug":
                columns["slug"] = checked_slug(value, "slug")
            case "time_zone":
                columns["time_zone"] = _zone(value)
            case "address":
                columns |= checked_address(value, "address").columns()
            case "opening_hours":
                columns["opening_hours"] = stored_hours(value, "openingHours")
            case "closures":
                columns["closures"] = _closures(value)
            case "service_area":
                columns |= _area_columns(value)
            case "allowed_origins":
                columns["allowed_origins"] = checked_origins(value, "allowedOrigins")
    return columns


def _zone(name: str) -> str:
    try:
        check_zone(name)
    except ValueError:
        raise invalid("That is not an IANA time zone.", "timeZone") from None
    return name


def _closures(pairs: Sequence[tuple[date, str | None]]) -> list[dict[str, Any]]:
    days = dict(pairs)
    return [{"date": day.isoformat(), "reason": reason} for day, reason in sorted(days.items())]


def _checked_lengths(arrival_window: int | None, notice: int | None) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if arrival_window is not None:
        if not 15 <= arrival_window <= 720:
            raise invalid("An arrival window is 15 to 720 minutes long.", "arrivalWindowMinutes")
        columns["arrival_window_minutes"] = arrival_window
    if notice is not None:
        if not 0 <= notice <= 43_200:
            raise invalid("The notice is 0 to 43200 minutes.", "minimumNoticeMinutes")
        columns["minimum_notice_minutes"] = notice
    return columns


def _area_columns(area: ServiceArea) -> dict[str, Any]:
    if area.radius_km is not None and not 0 < area.radius_km <= 1_000:
        raise invalid("A radius is more than 0 and at most 1000 km.", "serviceArea", "radiusKm")
    polygon = None
    if area.polygon is not None:
        if not 3 <= len(area.polygon) <= 200:
            raise invalid("A polygon has 3 to 200 corners.", "serviceArea", "polygon")
        corners = [
            checked_point(corner, "serviceArea", "polygon", str(index)) for index, corner in enumerate(area.polygon)
        ]
        polygon = [[corner.latitude, corner.longitude] for corner in corners if corner is not None]
        _checked_polygon(tuple(corner for corner in corners if corner is not None))
    codes = sorted({_checked_pattern(code, index) for index, code in enumerate(area.postal_codes) if code.strip()})
    return {"service_radius_km": area.radius_km, "service_polygon": polygon, "service_postal_codes": codes}


def _checked_polygon(corners: tuple[GeoPoint, ...]) -> None:
    try:
        check_polygon(corners)
    except ValueError as error:
        raise invalid(f"That is no area: {error}.", "serviceArea", "polygon") from None


def _checked_pattern(code: str, index: int) -> str:
    try:
        return normalize_postal_pattern(code)
    except ValueError:
        raise invalid(
            "That is not a postal code, or a prefix such as 787*.", "serviceArea", "postalCodes", str(index)
        ) from None
