"""What customers see: a booking from another site arrives on the board; a visit is followed until somebody is there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from auth.message_token import tracking_token
from domain.ids import Prefix, decode
from tests.browser.chromium import Browser, Page
from tests.browser.conftest import ALWAYS_OPEN, at, board, picture, tomorrow
from tests.browser.site import other_site
from tests.world import World, new_world

pytestmark = pytest.mark.services


async def open_for_booking(world: World) -> str:
    """The slug of a location that takes bookings at any hour."""
    await world.api.do("technicianUpdate", technicianId=world.technician, workingHours=ALWAYS_OPEN)
    await world.api.do(
        "locationUpdate", locationId=world.location, openingHours=ALWAYS_OPEN, minimumNoticeMinutes=0,
        address={"line1": "1 Main St", "city": "Austin", "region": "TX", "postalCode": "78701", "location": {"latitude": 30.27, "longitude": -97.74}},
        serviceArea={"radiusKm": 50},
    )  # fmt: skip
    return str((await world.api.ask("{ locations { slug } }"))["locations"][0]["slug"])


async def choose(page: Page, address: dict[str, str], frame: str | None = None) -> None:
    """What is to be done, and where."""
    await page.click(".services label", "Dishwasher repair", frame)
    await page.click("form button.primary", "Next", frame)
    for name, value in address.items():
        await page.fill(f"input[name={name}]", value, frame)
    await page.click("form button.primary", "See times", frame)


async def test_a_booking_from_another_site_arrives_on_the_board(browser: Browser, world: World) -> None:
    slug = await open_for_booking(world)
    seen = await board(browser, world, tomorrow())
    product = world.service.origin
    async with other_site(world.service, slug) as site:
        await world.api.do("locationUpdate", locationId=world.location, allowedOrigins=[site])
        page = await browser.page()
        await page.open(site)
        await page.until("document.querySelector('.services li') !== null", product)
        # The frame has taken the height of what it holds.
        await page.until("parseInt(document.querySelector('iframe').style.height) !== 640")
        await choose(
            page, {"line1": "1100 Congress Ave", "city": "Austin", "region": "TX", "postalCode": "78701"}, product
        )
        await page.click(".days li button", "", product)
        await page.fill("input[name=name_]", "Bea Booker", product)
        await page.fill("input[name=phone]", "(512) 555-0177", product)
        await page.click("form button.primary", "Book this visit", product)
        await page.until("document.querySelector('h1').textContent === 'You are booked'", product)
        await picture(page, "widget")
        assert page.troubles == []
    await seen.see(".feed li", "Created")


async def test_a_site_that_is_not_allowed_cannot_frame_it(browser: Browser, world: World) -> None:
    slug = await open_for_booking(world)
    async with other_site(world.service, slug) as site, new_world(world.service) as other:
        # On another business's list it opens that business's page, not this one.
        await other.api.do("locationUpdate", locationId=other.location, allowedOrigins=[site])
        page = await browser.page()
        await page.open(site)
        await page.until("document.querySelector('iframe') !== null")
        await page.heard("frame-ancestors")
        assert world.service.origin not in page.contexts


async def test_a_site_is_allowed_on_the_settings_page(browser: Browser, world: World) -> None:
    page = await board(browser, world, tomorrow())
    await page.open(f"{world.service.origin}/settings")
    await page.fill("#sites textarea", "https://www.plumber.example/\nwww.plumber.example")
    await page.click("#sites button", "Save sites")
    await page.see("#sites [role=alert]", "Site 2")
    await page.run("document.querySelector('#sites').scrollIntoView()")
    await picture(page, "sites")
    await page.fill("#sites textarea", "https://www.plumber.example/")
    await page.click("#sites button", "Save sites")
    await page.see("#sites [role=status]", "Saved")
    kept = await world.api.ask("{ locations { allowedOrigins } }")
    assert kept == {"locations": [{"allowedOrigins": ["https://www.plumber.example"]}]}


async def test_words_for_an_address_too_far_away(browser: Browser, world: World) -> None:
    slug = await open_for_booking(world)
    page = await browser.page()
    await page.size(390, 780)
    await page.open(f"{world.service.origin}/book/{slug}")
    await choose(page, {"line1": "5 E 17th St", "city": "New York", "region": "NY", "postalCode": "10003"})
    await page.see("[role=alert]", "outside the area")
    await picture(page, "book-refused")


async def test_a_visit_is_followed_until_arrival(browser: Browser, world: World) -> None:
    await world.api.do("technicianUpdate", technicianId=world.technician, workingHours=ALWAYS_OPEN)
    visit = await world.book(at(tomorrow(), 9), at(tomorrow(), 10), technicianId=world.technician)
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    appointment = decode(Prefix.APPOINTMENT, visit["id"])
    assert tenant is not None
    assert appointment is not None
    token = tracking_token(
        world.service.app.state.settings.secret_key.get_secret_value(),
        tenant,
        appointment,
        datetime.now(UTC) + timedelta(hours=1),
    )
    await world.api.do("appointmentMarkOnTheWay", appointmentId=visit["id"], etaMinutes=20)
    page = await browser.page()
    await page.size(390, 780)
    # Somebody who waits for it from afar reads the clock of the house.
    await page.send("Emulation.setTimezoneOverride", timezoneId="Asia/Tokyo")
    await page.open(f"{world.service.origin}/track/{token}")
    await page.see("h1", "Tess is on the way")
    shown = datetime.fromisoformat(at(tomorrow(), 9)).astimezone(ZoneInfo("America/Chicago"))
    await page.see("dd", f"{shown:%a, %b} {shown.day}, {shown.hour}:00")
    await page.see("dd", f"{shown:%Z}")
    await page.see("h1", f"{shown:%Z}")
    began = datetime.now(UTC)
    for step, latitude in enumerate((30.30, 30.29, 30.28), 1):
        # Reports within half a second of the last one are let go.
        when = (began + timedelta(seconds=step)).isoformat()
        point = {"latitude": latitude, "longitude": -97.74}
        await world.api.do("technicianPositionReport", technicianId=world.technician, point=point, recordedAt=when)
        await page.until(f"document.querySelector('figure svg')?.getAttribute('aria-label').includes('{latitude:.3f}')")
    await picture(page, "track")
    assert await world.api.do("appointmentStart", appointmentId=visit["id"]) == {"userErrors": []}
    await page.see("h1", "has arrived")
    assert await page.run("document.querySelector('figure')") is None
    assert page.troubles == []
