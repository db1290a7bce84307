"""Without payments configured, plans are switched at once; their limits hold all the same."""

import asyncio
from typing import Any

from domain.billing import PLANS
from tests.billing.payer import BILLING
from tests.service import Service
from tests.world import World, new_world

CREATED = "technician { id } userErrors { code path message }"


async def choose(world: World, plan: str, **more: Any) -> Any:
    return await world.api.do("checkoutStart", "url userErrors { code path message }", planCode=plan, **more)


async def active(world: World) -> int:
    listed = await world.api.ask("{ technicians(filter: { active: true }) { totalCount } }")
    return int(listed["technicians"]["totalCount"])


async def test_plans_are_public(service: Service) -> None:
    plans = (await service.client().ask("{ plans { code name price { amount currency } technicianLimit includedMessages } }"))[
        "plans"
    ]  # fmt: skip
    assert [each["code"] for each in plans] == ["STARTER", "PRO", "SCALE"]
    assert plans[0] == {
        "code": "STARTER", "name": "Starter", "price": {"amount": "49.00", "currency": "USD"},
        "technicianLimit": 3, "includedMessages": 500,
    }  # fmt: skip
    assert plans[2]["technicianLimit"] is None


async def test_a_business_begins_in_a_trial_and_switches_at_once(world: World) -> None:
    before = (await world.api.ask(BILLING))["billing"]
    assert before["status"] == "TRIALING"
    assert before["usage"]["technicians"] == 1
    switched = await choose(world, "PRO")
    assert switched["userErrors"] == []
    assert switched["url"] == f"{world.service.origin}/board?plan=PRO"
    after = (await world.api.ask(BILLING))["billing"]
    assert (after["status"], after["plan"]["code"]) == ("ACTIVE", "PRO")
    assert (await world.api.ask("{ tenant { status } }"))["tenant"]["status"] == "ACTIVE"
    assert after["invoices"]["nodes"] == []
    portal = await world.api.ask("mutation { billingPortalOpen { url userErrors { code } } }")
    assert portal["billingPortalOpen"] == {"url": f"{world.service.origin}/board", "userErrors": []}


async def test_a_plan_that_there_is_not(world: World) -> None:
    refused = await choose(world, "GOLD")
    assert refused["url"] is None
    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [
        ("INVALID_INPUT", ["input", "planCode"])
    ]


async def test_the_same_key_answers_the_same_and_another_input_conflicts(world: World) -> None:
    first = await choose(world, "PRO", idempotencyKey="one")
    assert await choose(world, "PRO", idempotencyKey="one") == first
    conflict = await choose(world, "SCALE", idempotencyKey="one")
    assert [each["code"] for each in conflict["userErrors"]] == ["IDEMPOTENCY_CONFLICT"]
    assert (await world.api.ask(BILLING))["billing"]["plan"]["code"] == "PRO"


async def test_no_more_active_technicians_than_the_plan_has(world: World) -> None:
    await choose(world, "STARTER")
    second, third = [await world.add_technician(f"Extra {number}") for number in (2, 3)]
    refused = await world.api.do("technicianCreate", CREATED, name="Fourth", locationId=world.location)
    assert refused["technician"] is None
    assert [each["code"] for each in refused["userErrors"]] == ["PLAN_LIMIT"]
    # Somebody who has left gives the place free, and cannot take it back when it is taken.
    await world.api.do("technicianUpdate", technicianId=third, active=False)
    await world.add_technician("Fifth")
    back = await world.api.do(
        "technicianUpdate", "technician { id } userErrors { code path }", technicianId=third, active=True
    )
    assert back == {"technician": None, "userErrors": [{"code": "PLAN_LIMIT", "path": ["input", "active"]}]}
    # One who is active already is no further one.
    same = await world.api.do(
        "technicianUpdate", "technician { name } userErrors { code }", technicianId=second, active=True, name="Renamed"
    )
    assert same == {"technician": {"name": "Renamed"}, "userErrors": []}
    assert await active(world) == 3


async def test_racers_for_the_last_place(world: World) -> None:
    """Without the account's lock each would count before the others commit."""
    await choose(world, "STARTER")
    answers = await asyncio.gather(
        *(world.api.do("technicianCreate", CREATED, name=f"Racer {n}", locationId=world.location) for n in range(12))
    )
    codes = [each["userErrors"][0]["code"] if each["userErrors"] else "won" for each in answers]
    assert codes.count("won") == 2, codes
    assert set(codes) == {"won", "PLAN_LIMIT"}
    assert await active(world) == 3


async def test_a_plan_that_is_too_small_is_refused_and_nothing_is_lost(world: World) -> None:
    for number in range(3):
        await world.add_technician(f"Extra {number}")
    refused = await choose(world, "STARTER")
    assert [(each["code"], each["path"]) for each in refused["userErrors"]] == [("PLAN_LIMIT", ["input", "planCode"])]
    assert await active(world) == 4
    assert (await world.api.ask(BILLING))["billing"]["status"] == "TRIALING"
    assert (await choose(world, "PRO"))["userErrors"] == []


async def test_nobody_sees_or_changes_anothers_billing(service: Service) -> None:
    async with new_world(service) as one, new_world(service) as other:
        await choose(one, "PRO")
        assert (await other.api.ask(BILLING))["billing"]["status"] == "TRIALING"
    stranger = service.client()
    answer = (await stranger.post(BILLING)).json()
    assert answer["data"]["billing"] is None
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    denied = (await stranger.post('mutation { checkoutStart(input: { planCode: "PRO" }) { url } }')).json()
    assert denied["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_every_plan_has_a_price_and_the_limits_grow() -> None:
    limits = [plan.technician_limit or 10**9 for plan in PLANS.values()]
    assert limits == sorted(limits)
    assert [plan.price for plan in PLANS.values()] == sorted(plan.price for plan in PLANS.values())
