"""The booking page: windows that can be kept, and a booking that holds."""

import asyncio
from datetime import timedelta

import psycopg

from domain.ids import Prefix, decode
from resolvers.booking_portal import BookingSite
from resolvers.throttle import BOOKING, bucket, take
from tests.availability.bookable import HERE, Bookable, at, bookable_business, days_ahead
from tests.service import Service
from tests.world import ADDRESS


async def test_the_page_shows_what_can_be_booked(shop: Bookable) -> None:
    await shop.world.add_service("Secret work", bookableOnline=False)
    page = await shop.visitor.ask(
        "query ($slug: String!) { bookingPortal(slug: $slug) { name phone timeZone services { name options { name } } } }",
        slug=shop.slug.upper(),
    )
    assert page["bookingPortal"]["name"] == shop.world.name
    assert page["bookingPortal"]["timeZone"] == "America/Chicago"
    assert page["bookingPortal"]["services"] == [{"name": "Dishwasher repair", "options": []}]
    nothing = await shop.visitor.ask('{ bookingPortal(slug: "no-such-page") { name } }')
    assert nothing["bookingPortal"] is None


async def test_a_booking_from_offer_to_board(shop: Bookable) -> None:
    offered = await shop.offered(**{"from": days_ahead(3), "days": 1})
    assert len(offered) == 5
    booked = await shop.book(offered[1]["token"], notes="Ring twice")
    assert booked["userErrors"] == []
    assert booked["arrivalWindow"] == offered[1]["window"]
    (made,) = await shop.appointments()
    assert made["number"] == booked["appointmentNumber"]
    assert (made["status"], made["source"], made["notes"]) == ("SCHEDULED", "BOOKING_PORTAL", "Ring twice")
    assert made["technician"]["id"] == shop.world.technician
    assert made["arrivalWindow"] == offered[1]["window"]
    assert at(made["scheduled"]["start"]) >= at(offered[1]["window"]["start"])
    assert at(made["scheduled"]["end"]) - at(made["scheduled"]["start"]) == timedelta(minutes=60)
    assert made["customer"]["phone"] == "+15125550177"
    assert [each["actor"] for each in made["history"]] == ["customer"]
    tracked = await shop.visitor.ask(
        "query ($token: String!) { trackedVisit(token: $token) { status arrivalWindow { start end } } }",
        token=booked["trackingToken"],
    )
    assert tracked["trackedVisit"] == {"status": "SCHEDULED", "arrivalWindow": offered[1]["window"]}


async def test_of_two_who_want_the_last_place_one_gets_it(shop: Bookable) -> None:
    """One technician, a job as long as the day: there is one place a day."""
    long = await shop.world.add_service("Whole day", minutes=540)
    day = {"serviceIds": [long], "from": days_ahead(5), "days": 2}
    tokens = [(await shop.offered(**day))[0]["token"] for _ in range(8)]
    answers = await asyncio.gather(
        *(shop.book(token, phone=f"+1512555{1000 + number}") for number, token in enumerate(tokens))
    )
    codes = [[each["code"] for each in answer["userErrors"]] for answer in answers]
    assert sorted(map(len, codes)) == [0, *[1] * 7], codes
    for answer in answers:
        if answer["userErrors"]:
            assert answer["userErrors"][0]["code"] == "SLOT_TAKEN"
            assert answer["appointmentNumber"] is None
            fresh = {window["window"]["start"][:10] for window in answer["windows"]}
            assert days_ahead(5) not in fresh
            assert days_ahead(6) in fresh
    assert len(await shop.appointments()) == 1
    again = await shop.book(next(answer for answer in answers if answer["windows"])["windows"][0]["token"])
    assert again["userErrors"] == []


async def test_an_offer_is_good_for_one_booking(shop: Bookable) -> None:
    await shop.world.add_technician("Otto Ode", homeBase=HERE["location"])
    offered = await shop.offered(**{"from": days_ahead(2), "days": 1})
    first = await shop.book(offered[0]["token"])
    assert first["userErrors"] == []
    second = await shop.book(offered[0]["token"])
    assert [each["code"] for each in second["userErrors"]] == ["HOLD_EXPIRED"]
    assert second["windows"]
    assert len(await shop.appointments()) == 1


async def test_the_same_key_books_once(shop: Bookable) -> None:
    token = (await shop.offered())[-1]["token"]
    first = await shop.book(token, idempotencyKey="once")
    again = await shop.book(token, idempotencyKey="once")
    assert first["userErrors"] == again["userErrors"] == []
    assert again["appointmentNumber"] == first["appointmentNumber"]
    other = await shop.book(token, idempotencyKey="once", name="Somebody else")
    assert [each["code"] for each in other["userErrors"]] == ["IDEMPOTENCY_CONFLICT"]
    assert len(await shop.appointments()) == 1


async def test_known_customers_are_found_and_told_nothing(shop: Bookable) -> None:
    """The world's customer has that phone; whoever books with it learns and changes nothing."""
    offered = await shop.offered()
    known = await shop.book(offered[0]["token"], name="Eve Else", phone="(512) 555-0123", email="eve@example.com")
    unknown = await shop.book(offered[-1]["token"], name="Nora New", phone="+15125550199")
    assert known.keys() == unknown.keys()
    assert known["userErrors"] == unknown["userErrors"] == []
    first, second = await shop.appointments()
    assert first["customer"]["id"] == shop.world.customer
    assert first["customer"]["name"] == "Carla Cruz"
    assert first["customer"]["email"] == "carla@example.com"
    assert first["internalNotes"] == "Booked online by Eve Else, eve@example.com"
    assert second["customer"]["id"] != shop.world.customer
    third = await shop.book((await shop.offered())[-1]["token"], phone=None, email="CARLA@example.com")
    assert third["userErrors"] == []
    assert (await shop.appointments())[-1]["customer"]["id"] == shop.world.customer


async def test_two_bookings_of_one_stranger_make_one_customer(shop: Bookable) -> None:
    offered = await shop.offered()
    await asyncio.gather(*(shop.book(offered[index]["token"]) for index in (5, 9, 14, 19)))
    made = await shop.appointments()
    assert len(made) == 4
    assert len({each["customer"]["id"] for each in made}) == 1
    assert len({each["address"]["id"] for each in made}) == 1


async def test_an_address_without_coordinates_is_found_by_its_zip_code(shop: Bookable) -> None:
    offered = await shop.offered(address=ADDRESS)
    booked = await shop.book(offered[3]["token"])
    assert booked["userErrors"] == []
    (made,) = await shop.appointments()
    assert made["address"]["address"]["locationPrecision"] == "POSTAL_CODE"
    lost = await shop.windows(address=ADDRESS | {"postalCode": "99999"})
    assert [each["code"] for each in lost["userErrors"]] == ["ADDRESS_NOT_FOUND"]


async def test_nobody_fills_a_calendar_for_fun(service: Service, shop: Bookable) -> None:
    """Bookings from one network are counted; at another business the same visitor starts anew."""
    token = (await shop.offered())[-1]["token"]
    site = BookingSite(service.app.state.database, service.app.state.settings, service.app.state.planning)
    tenant = decode(Prefix.TENANT, (await shop.world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    spent = [bucket(site.secret, f"booking at {tenant}", "127.0.0.1", BOOKING)]
    for _ in range(BOOKING.attempts):
        await take(site.database, spent)
    body = (
        await shop.visitor.post(
            "mutation ($i: BookingCreateInput!) { bookingCreate(input: $i) { appointmentNumber } }",
            i={"token": token, "name": "Nora New", "phone": "+15125550177"},
        )
    ).json()
    assert [each["extensions"]["code"] for each in body["errors"]] == ["THROTTLED"]
    assert await shop.appointments() == []
    async with bookable_business(service) as other:
        assert (await other.book((await other.offered())[-1]["token"]))["userErrors"] == []


async def test_a_technician_whom_somebody_else_holds_is_waited_for_and_then_refused(
    shop: Bookable, database_url: str
) -> None:
    """The booking takes the technician's lock: while another transaction has it nothing is booked, and nobody waits for ever."""
    token = (await shop.offered())[-1]["token"]
    tenant = decode(Prefix.TENANT, (await shop.world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    async with await psycopg.AsyncConnection.connect(database_url) as holder:
        await holder.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant),))
        who = decode(Prefix.TECHNICIAN, shop.world.technician)
        await holder.execute("SELECT 1 FROM technicians WHERE id = %s FOR NO KEY UPDATE", (who,))
        assert [each["code"] for each in (await shop.book(token))["userErrors"]] == ["BUSY"]
    assert (await shop.book(token))["userErrors"] == []
