"""A browser for each test, on the product that the test has."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.access.people import PASSWORD as PERSONS_PASSWORD
from tests.access.people import Person
from tests.browser.chromium import Browser, Page, chromium, running_browser
from tests.service import Service
from tests.world import PASSWORD, World

PICTURES = Path(os.environ.get("SPS_TEST_PICTURES", "")) if os.environ.get("SPS_TEST_PICTURES") else None
ALWAYS_OPEN = [
    {"weekday": day, "opens": "00:00", "closes": "24:00"}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
]


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[Browser]:
    """Closed before the service is, so that no socket is cut in the middle of something."""
    assert service.port
    if chromium() is None:
        pytest.skip("needs Chromium")
    async with running_browser() as running:
        yield running


def tomorrow(world_zone: str = "America/Chicago") -> str:
    """A date that is no other one while the test runs."""
    return (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


def at(day: str, hour: int, minute: int = 0) -> str:
    """A moment of that day in Austin, near enough: the tests ask for order, not for the clock."""
    return f"{day}T{hour + 6:02}:{minute:02}:00Z"


async def board(browser: Browser, world: World, day: str, *, who: Person | None = None, origin: str = "") -> Page:
    """A dispatcher's board, logged in by the form and live; the owner's and on the test's own server, unless told otherwise."""
    page = await browser.page()
    await page.open(f"{origin or world.service.origin}/board?day={day}")
    await page.fill("input[name=email]", who.email if who else world.email)
    await page.fill("input[name=password]", PERSONS_PASSWORD if who else PASSWORD)
    await page.click("button.primary")
    await page.until("document.querySelector('.connection')?.dataset.state === 'live'")
    return page


async def picture(page: Page, name: str) -> None:
    """Keep a picture where CI looks for them."""
    if PICTURES is not None:
        await page.picture(PICTURES / f"{name}.png")
