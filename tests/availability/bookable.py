"""A business with a booking page, and what its visitors do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.service import Client, Service
from tests.world import World, new_world

EVERY_DAY = [
    {"weekday": day, "opens": "08:00", "closes": "18:00"}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
]
CENTER = {"latitude": 30.2672, "longitude": -97.7431}
HERE = {
    "line1": "1100 Congress Ave", "city": "Austin", "region": "TX", "postalCode": "78701", "location": CENTER,
}  # fmt: skip
WINDOWS = """query ($slug: String!, $input: BookableWindowsInput!) {
  bookingPortal(slug: $slug) { windows(input: $input) {
    windows { window { start end } token } userErrors { code path message } } } }"""
BOOKED = """appointmentNumber arrivalWindow { start end } trackingToken
  windows { window { start end } token } userErrors { code path message }"""


def at(text: str) -> datetime:
    """The instant of an answer's text."""
    return datetime.fromisoformat(text)


@dataclass
class Bookable:
    """A business, and somebody who is nobody to it."""

    world: World
    slug: str
    visitor: Client
    rest: dict[str, Any] = field(default_factory=dict)

    async def windows(self, **input_: Any) -> Any:
        given = {"serviceIds": [self.world.offer], "address": HERE} | input_
        answer = await self.visitor.ask(WINDOWS, slug=self.slug, input=given)
        return answer["bookingPortal"]["windows"]

    async def offered(self, **input_: Any) -> list[Any]:
        found = await self.windows(**input_)
        assert found["userErrors"] == [], found
        return list(found["windows"])

    async def book(self, token: str, **input_: Any) -> Any:
        given = {"token": token, "name": "Nora New", "phone": "+15125550177"} | input_
        return await self.visitor.do("bookingCreate", BOOKED, **given)

    async def appointments(self) -> list[Any]:
        found = await self.world.api.ask(
            """{ appointments { nodes { id number status source notes internalNotes technician { id } scheduled { start end }
            arrivalWindow { start end } durationMinutes customer { id name phone email addresses { id } }
            address { id address { line1 location { latitude } locationPrecision } }
            lines { quantity service { id } option { id } } history { type actor changes { field } } } } }"""
        )
        return list(found["appointments"]["nodes"])

    async def set_location(self, **input_: Any) -> None:
        made = await self.world.api.do("locationUpdate", locationId=self.world.location, **input_)
        assert made["userErrors"] == [], made

    async def set_technician(self, **input_: Any) -> None:
        made = await self.world.api.do("technicianUpdate", technicianId=self.world.technician, **input_)
        assert made["userErrors"] == [], made


@asynccontextmanager
async def bookable_business(service: Service) -> AsyncIterator[Bookable]:
    """One technician at the center of Austin who works every day from 8 to 18, and windows of two hours."""
    async with new_world(service) as world:
        slug = (await world.api.ask("{ locations { slug } }"))["locations"][0]["slug"]
        made = Bookable(world, slug, service.client())
        await made.set_location(
            address=HERE, openingHours=EVERY_DAY, serviceArea={"radiusKm": 40}, minimumNoticeMinutes=0
        )
        await made.set_technician(workingHours=EVERY_DAY)
        yield made


def days_ahead(count: int) -> str:
    """A date so many days from now."""
    return (datetime.now(UTC) + timedelta(days=count)).date().isoformat()
