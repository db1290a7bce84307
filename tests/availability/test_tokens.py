"""Offers that are none: forged, altered, too old, of another secret; and what is left to offer instead."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from auth.offer_token import offer_token, read_offer_token
from domain.address import Address
from domain.booking import HOLD, READABLE, Request, Wanted, pack_request
from domain.geo_point import GeoPoint
from domain.ids import Prefix, decode, new_id
from tests.availability.bookable import CENTER, EVERY_DAY, Bookable, at, days_ahead
from tests.service import Service
from tests.world import PASSWORD, World, new_world


def secret_of(service: Service) -> str:
    secret: str = service.app.state.settings.secret_key.get_secret_value()
    return secret


async def tenant_of(world: World) -> UUID:
    found = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert found is not None
    return found


async def token_asked_at(shop: Bookable, asked_at: datetime, window: Any, secret: str | None = None) -> str:
    """A token as ours, with that window, asked for at that moment."""
    location, offer = decode(Prefix.LOCATION, shop.world.location), decode(Prefix.SERVICE, shop.world.offer)
    assert location is not None
    assert offer is not None
    place = GeoPoint(CENTER["latitude"], CENTER["longitude"])
    address = Address("1100 Congress Ave", None, "Austin", "TX", "78701", "US", place)
    request = Request(await tenant_of(shop.world), location, (Wanted(offer, None, 1),), address, asked_at)
    bounds = (at(window["start"]), at(window["end"]))
    return offer_token(secret or secret_of(shop.world.service), new_id(), bounds, pack_request(request), asked_at)


async def refused(shop: Bookable, token: str, code: str) -> Any:
    answer = await shop.book(token)
    assert [(each["code"], each["path"]) for each in answer["userErrors"]] == [(code, ["input", "token"])], answer
    assert answer["appointmentNumber"] is None
    assert answer["trackingToken"] is None
    assert await shop.appointments() == []
    return answer


async def test_an_offer_that_is_too_old_brings_fresh_ones(shop: Bookable) -> None:
    window = (await shop.offered(**{"from": days_ahead(2), "days": 1}))[1]["window"]
    now = datetime.now(UTC)
    answer = await refused(shop, await token_asked_at(shop, now - HOLD - timedelta(seconds=1), window), "HOLD_EXPIRED")
    assert window in [each["window"] for each in answer["windows"]]
    answer = await refused(shop, await token_asked_at(shop, now - READABLE, window), "TOKEN_EXPIRED")
    assert answer["windows"] == []
    assert (await shop.book(await token_asked_at(shop, now - HOLD + timedelta(minutes=1), window)))["userErrors"] == []


async def test_forged_offers_are_none(service: Service, shop: Bookable) -> None:
    offered = (await shop.offered())[-1]
    token, window = offered["token"], offered["window"]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    changed = [raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :] for index in (0, 4, 30, 36, 60, len(raw) - 1)]
    forged = [base64.urlsafe_b64encode(each).decode().rstrip("=") for each in changed]
    other = await token_asked_at(shop, datetime.now(UTC), window, secret="another secret of the same length, or so")
    for each in [*forged, token[:-4], "", "nonsense", "A" * 70, other]:
        await refused(shop, each, "TOKEN_EXPIRED")
    assert read_offer_token(secret_of(service), token) is not None


async def test_what_is_not_on_offer_any_more_is_not_booked(shop: Bookable) -> None:
    """Signed by us, and then something changed: the booking looks again."""
    token = (await shop.offered(**{"from": days_ahead(2), "days": 1}))[1]["token"]
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"openingHours": []}, {"openingHours": EVERY_DAY}),
        ({"closures": [{"date": days_ahead(2)}]}, {"closures": []}),
        ({"serviceArea": {"postalCodes": ["99*"]}}, {"serviceArea": {"radiusKm": 40}}),
    ]
    for change, back in changes:
        await shop.set_location(**change)
        await refused(shop, token, "HOLD_EXPIRED")
        await shop.set_location(**back)
    await shop.world.api.do("serviceUpdate", serviceId=shop.world.offer, bookableOnline=False)
    await refused(shop, token, "HOLD_EXPIRED")
    await shop.world.api.do("serviceUpdate", serviceId=shop.world.offer, bookableOnline=True)
    days = {"start": f"{days_ahead(2)}T00:00:00Z", "end": f"{days_ahead(4)}T00:00:00Z"}
    off = await shop.world.api.do("timeOffAdd", "timeOff { id }", technicianId=shop.world.technician, window=days)
    await refused(shop, token, "SLOT_TAKEN")
    await shop.world.api.do("timeOffRemove", timeOffId=off["timeOff"]["id"])
    assert (await shop.book(token))["userErrors"] == []


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"phone": None}, ["input", "phone"]),
        ({"phone": "12"}, ["input", "phone"]),
        ({"email": "nora at example"}, ["input", "email"]),
        ({"name": "  "}, ["input", "name"]),
        ({"idempotencyKey": ""}, ["input", "idempotencyKey"]),
    ],
)
async def test_bad_contacts_are_refused(shop: Bookable, changed: dict[str, Any], path: list[str]) -> None:
    token = (await shop.offered())[-1]["token"]
    answer = await shop.book(token, **changed)
    assert [(each["code"], each["path"]) for each in answer["userErrors"]] == [("INVALID_INPUT", path)]
    assert await shop.appointments() == []


async def test_an_offer_of_one_business_is_nothing_to_another(service: Service, shop: Bookable) -> None:
    """A token names its business; nobody else's calendar is touched."""
    token = (await shop.offered())[-1]["token"]
    async with new_world(service) as other:
        slug = (await other.api.ask("{ locations { slug } }"))["locations"][0]["slug"]
        theirs = await Bookable(shop.world, slug, shop.visitor).windows()
        assert theirs["windows"] == []
        assert [(each["code"], each["path"]) for each in theirs["userErrors"]] == [
            ("NOT_FOUND", ["input", "serviceIds", "0"])
        ]
        assert (await shop.book(token))["userErrors"] == []
        assert (await other.api.ask("{ appointments { totalCount } }"))["appointments"]["totalCount"] == 0


async def test_a_business_that_has_cancelled_has_no_page(shop: Bookable) -> None:
    token = (await shop.offered())[-1]["token"]
    left = await shop.world.api.do("accountCancel", password=PASSWORD)
    assert left["userErrors"] == []
    page = await shop.visitor.ask("query ($s: String!) { bookingPortal(slug: $s) { name } }", s=shop.slug)
    assert page["bookingPortal"] is None
    assert [each["code"] for each in (await shop.book(token))["userErrors"]] == ["TENANT_CANCELLED"]
