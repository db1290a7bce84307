"""An offer of the booking page: what its token says, and the reason when nothing can be offered."""

import json
import zlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain.address import Address, Precision
from domain.errors import ErrorCode, Refusal
from domain.geo_point import GeoPoint
from domain.local_time import Interval
from domain.slots import Obstacle

HOLD = timedelta(minutes=30)
"""How long an offer is good for. It keeps no place free: who books first has it."""
READABLE = timedelta(hours=24)
"""How long an offer that is no longer good still tells what to offer instead."""
MOST_SERVICES = 10
MOST_DAYS = 31
FARTHEST = timedelta(days=366)
_FIXED = 32


class Wanted(NamedTuple):
    """A service of the catalog, perhaps with one of its options, so many times."""

    service_id: UUID
    option_id: UUID | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Request:
    """What windows were asked for: the same for all offers of one answer. `address` has its place."""

    tenant_id: UUID
    location_id: UUID
    wanted: tuple[Wanted, ...]
    address: Address
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """One window of an answer. `id` makes it good for one booking."""

    id: UUID
    window: Interval
    request: Request

    def held(self, now: datetime) -> bool:
        """Whether it is still good."""
        return now < self.request.asked_at + HOLD


def pack_request(request: Request) -> bytes:
    """The request in the form that `pack_offer` wants."""
    address = request.address
    point = address.point
    return zlib.compress(
        json.dumps(
            [
                request.tenant_id.hex,
                request.location_id.hex,
                [
                    [each.service_id.hex, each.option_id.hex if each.option_id else None, each.quantity]
                    for each in request.wanted
                ],
                [address.line1, address.line2, address.city, address.region, address.postal_code, address.country],
                [round(point.latitude, 6), round(point.longitude, 6)] if point else None,
                address.precision,
                int(request.asked_at.timestamp()),
            ],
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode(),
        9,
    )


def pack_offer(offer_id: UUID, window: Interval, packed_request: bytes) -> bytes:
    """What a token of the offer carries. Whole seconds."""
    bounds = b"".join(int(instant.timestamp()).to_bytes(8, "big") for instant in window)
    return offer_id.bytes + bounds + packed_request


def unpack_offer(packed: bytes) -> Offer:
    """The offer that `pack_offer` made. Only ever called with what our own signature vouches for.

    Raises:
        ValueError: it is no offer, or one of another version of this program.
    """
    try:
        tenant, location, wanted, address, point, precision, asked_at = json.loads(zlib.decompress(packed[_FIXED:]))
        request = Request(
            tenant_id=UUID(tenant),
            location_id=UUID(location),
            wanted=tuple(_wanted(*each) for each in wanted),
            address=replace(
                Address(*address),
                point=GeoPoint(*point) if point else None,
                precision=Precision(precision) if precision else None,
            ),
            asked_at=datetime.fromtimestamp(asked_at, UTC),
        )
    except (zlib.error, TypeError) as error:
        raise ValueError("not an offer") from error
    start, end = (datetime.fromtimestamp(int.from_bytes(packed[at : at + 8], "big"), UTC) for at in (16, 24))
    return Offer(UUID(bytes=packed[:16]), (start, end), request)


def _wanted(service: str, option: str | None, quantity: Any) -> Wanted:
    return Wanted(UUID(service), UUID(option) if option else None, int(quantity))


def nothing_offered(obstacles: Collection[Obstacle], *, anybody_skilled: bool) -> Refusal:
    """Why there is no window, for the customer.

    Args:
        obstacles: all that were met.
        anybody_skilled: whether any technician has the skills.
    """
    path = ("input",)
    if Obstacle.NO_TECHNICIANS in obstacles:
        return Refusal(ErrorCode.TECHNICIAN_UNAVAILABLE, "Nobody can be booked here at present.", path)
    if not anybody_skilled:
        return Refusal(ErrorCode.MISSING_SKILL, "Nobody here does all of these services.", (*path, "serviceIds"))
    if Obstacle.OUT_OF_SERVICE_AREA in obstacles:
        return Refusal(
            ErrorCode.OUT_OF_SERVICE_AREA, "That address is outside of our service area.", (*path, "address")
        )
    if Obstacle.OUTSIDE_HOURS in obstacles:
        return Refusal(ErrorCode.OUTSIDE_HOURS, "We are closed on these days.", (*path, "from"))
    if Obstacle.NOTICE in obstacles:
        return Refusal(ErrorCode.OUTSIDE_HOURS, "These days are too soon for a booking.", (*path, "from"))
    return Refusal(ErrorCode.TECHNICIAN_UNAVAILABLE, "Nobody is free on these days.", (*path, "from"))
