"""Builders: one short function for each noun, over the API, in a business of the test's own."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.service import Client, Service

PASSWORD = "correct horse battery staple"
_numbers = itertools.count()
OFFICE_HOURS = [
    {"weekday": day, "opens": "08:00", "closes": "17:00"}
    for day in ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY")
]
ADDRESS = {"line1": "1100 Congress Ave", "city": "Austin", "region": "TX", "postalCode": "78701"}


@dataclass
class World:
    """A business, its owner's client, and the ids of what was made."""

    service: Service
    api: Client
    name: str
    email: str
    location: str = ""
    technician: str = ""
    offer: str = ""
    customer: str = ""
    address: str = ""

    async def furnish(self) -> "World":
        """A technician, a service and a customer with an address."""
        self.location = (await self.api.ask("{ locations { id } }"))["locations"][0]["id"]
        self.technician = await self.add_technician()
        self.offer = await self.add_service()
        self.customer, self.address = await self.add_customer()
        return self

    async def add_technician(self, name: str = "Tess Tran", **rest: Any) -> str:
        made = await self.api.do(
            "technicianCreate", "technician { id } userErrors { code path message }",
            name=name, locationId=self.location, workingHours=OFFICE_HOURS, **rest,
        )  # fmt: skip
        return str(made["technician"]["id"])

    async def add_service(self, name: str = "Dishwasher repair", amount: str = "129.00", **rest: Any) -> str:
        made = await self.api.do(
            "serviceCreate", "service { id } userErrors { code path message }",
            name=name, durationMinutes=rest.pop("minutes", 60), price={"amount": amount}, **rest,
        )  # fmt: skip
        return str(made["service"]["id"])

    async def add_customer(self, name: str = "Carla Cruz", **rest: Any) -> tuple[str, str]:
        values = {"phone": "+15125550123", "email": "carla@example.com"} | rest
        made = await self.api.do(
            "customerCreate", "customer { id addresses { id } } userErrors { code path message }",
            name=name, address=ADDRESS, **values,
        )  # fmt: skip
        return str(made["customer"]["id"]), str(made["customer"]["addresses"][0]["id"])

    def defaults(self) -> dict[str, Any]:
        """What an appointment needs at least."""
        return {
            "locationId": self.location, "customerId": self.customer, "addressId": self.address,
            "lines": [{"serviceId": self.offer}],
        }  # fmt: skip

    async def book(self, start: str | None = None, end: str | None = None, **rest: Any) -> Any:
        """An appointment, scheduled when times are given; with a technician when `technicianId` is."""
        if start is not None:
            rest["scheduled"] = {"start": start, "end": end}
        made = await self.api.do(
            "appointmentCreate",
            "appointment { id number version status total { amount } } userErrors { code path message }",
            **(self.defaults() | rest),
        )  # fmt: skip
        assert made["userErrors"] == [], made
        return made["appointment"]


@asynccontextmanager
async def new_world(service: Service) -> AsyncIterator[World]:
    """A business with an owner who is logged in, a technician, a service and a customer."""
    number = next(_numbers)
    api = service.client()
    world = World(service, api, f"Business {number}", f"owner{number}-{service.port}@example.com")
    made = await api.do(
        "signUp", "viewer { scopes } userErrors { code path message }",
        businessName=world.name, name="Olive Owner", email=world.email, password=PASSWORD,
    )  # fmt: skip
    assert made["userErrors"] == [], made
    yield await world.furnish()
