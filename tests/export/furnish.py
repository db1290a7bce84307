"""A business with a row in every table that an export holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.files.bench import Bench
from tests.files.samples import PDF, picture


async def furnish(bench: Bench) -> dict[str, Any]:
    """Use every part of the product once, by its API; what cannot be reached by it is written as the owner of the tables."""
    world, api = bench.world, bench.world.api
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    start, end = f"{day}T15:00:00Z", f"{day}T16:00:00Z"
    made = await world.book(
        start, end, technicianId=world.technician, notes="The fridge hums, grinds", internalNotes="=cmd|' /C calc'!A0"
    )
    equipment = await api.do(
        "equipmentAdd", "equipment { id } userErrors { code }",
        addressId=world.address, kind="Fridge", serialNumber="SN-77",
    )  # fmt: skip
    await bench.upload(picture(), appointmentId=made["id"])
    await bench.upload(picture(), equipmentId=equipment["equipment"]["id"], kind="DATAPLATE")
    await bench.upload(PDF, appointmentId=made["id"], kind="DOCUMENT", fileName="a.pdf", contentType="application/pdf")
    for mutation, given in (
        ("timeOffAdd", {"technicianId": world.technician, "window": {"start": f"{day}T20:00:00Z", "end": f"{day}T21:00:00Z"}, "reason": "Dentist"}),
        ("serviceCategoryCreate", {"name": "Kitchens"}),
        ("customPriceSet", {"customerId": world.customer, "serviceId": world.offer, "price": {"amount": "99.00"}}),
        ("apiKeyCreate", {"name": "Partner", "scopes": ["customers:read"]}),
        ("webhookEndpointCreate", {"url": "https://example.com/hook", "eventTypes": ["*"]}),
    ):  # fmt: skip
        answer = await api.do(mutation, **given)
        assert answer["userErrors"] == [], (mutation, answer)
    await api.do(
        "serviceCreate", "service { id } userErrors { code }",
        name="Oven", durationMinutes=30, price={"amount": "10.50"}, options=[{"name": "Deep", "price": {"amount": "5.00"}}],
    )  # fmt: skip
    return {"appointment": made["id"]}
