"""Slugs of booking pages: businesses may share a name, their pages do not share an address."""

from tests.service import Service
from tests.world import ADDRESS, OFFICE_HOURS, PASSWORD, World

LOCATION = {
    "timeZone": "America/Chicago",
    "address": ADDRESS,
    "openingHours": OFFICE_HOURS,
    "serviceArea": {"radiusKm": 30},
}


async def test_businesses_of_one_name_can_all_sign_up(service: Service) -> None:
    slugs = []
    for number in range(3):
        client = service.client()
        made = await client.do(
            "signUp", "viewer { scopes } userErrors { code message }",
            businessName="Same Day Appliance", name="Sam", email=f"sam{number}-{service.port}@example.com",
            password=PASSWORD,
        )  # fmt: skip
        assert made["userErrors"] == []
        slugs.append((await client.ask("{ locations { slug } }"))["locations"][0]["slug"])
    assert len(set(slugs)) == 3
    assert all(slug.startswith("same-day-appliance") for slug in slugs)


async def test_a_slug_that_was_asked_for_is_taken_or_given(world: World, service: Service) -> None:
    fields = "location { id slug } userErrors { code path }"
    wanted = f"wanted-{service.port}"
    made = await world.api.do("locationCreate", fields, name="North", slug=wanted, **LOCATION)
    assert made["location"]["slug"] == wanted
    again = await world.api.do("locationCreate", fields, name="South", slug=wanted, **LOCATION)
    assert again == {"location": None, "userErrors": [{"code": "IN_USE", "path": ["input", "slug"]}]}
    moved = await world.api.do("locationUpdate", fields, locationId=world.location, slug=wanted)
    assert moved == {"location": None, "userErrors": [{"code": "IN_USE", "path": ["input", "slug"]}]}
    kept = await world.api.do("locationUpdate", fields, locationId=made["location"]["id"], slug=wanted, name="Nord")
    assert kept["userErrors"] == []
