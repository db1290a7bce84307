"""A business that has not paid can change nothing, by any mutation of the schema: found by introspection, so that a new one
is tried the day it is added."""

import random
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.access.people import Mailbox
from tests.isolation.conftest import superuser_url
from tests.isolation.operations import Maker, Slot, root_fields
from tests.isolation.scene import without_budget
from tests.isolation.tenants import Tenant, checksums, furnished
from tests.service import running_service
from tests.world import PASSWORD, new_world

__all__ = ["superuser_url"]
pytestmark = pytest.mark.asyncio(loop_scope="module")
# What an unpaid business may still do, and why.
STILL = {
    "checkoutStart": "the way out", "billingPortalOpen": "the way out", "exportRequest": "its data is its own",
    "accountCancel": "leaving", "accountDelete": "leaving", "accountRestore": "coming back",
    "signUp": "another business", "logIn": "reading", "logOut": "reading", "invitationAccept": "a log-in",
    "passwordChange": "safety", "passwordResetRequest": "safety", "passwordReset": "safety", "totpEnrol": "safety",
    "totpConfirm": "safety", "totpDisable": "safety", "secondFactorRequire": "safety", "apiKeyRevoke": "safety",
    "userRemove": "safety", "webhookEndpointDelete": "data stops leaving", "customerErase": "the customer's right",
}  # fmt: skip
# Refused before that question comes up, for want of what this test cannot make: a customer's token, an upload, a proposal, a delivery.
OWN_TESTS = {"bookingCreate", "uploadComplete", "webhookDeliveryReplay", "appointmentPresence", "dayPlanApply"}
SEEDS = 12


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unpaid(database_url: str, superuser_url: str) -> AsyncIterator[tuple[Tenant, psycopg.Connection[Any]]]:
    """A business with one of everything, whose grace is over."""
    async with running_service(database_url) as service, new_world(service) as world:
        without_budget(service)
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            tenant = await furnished(world, Mailbox(), connection, "unpaid")
            yield tenant, connection


def owing(connection: psycopg.Connection[Any], tenant: Tenant, *, owes: bool) -> None:
    connection.execute(
        "UPDATE tenants SET read_only_from = CASE WHEN %s THEN now() - interval '1 hour' END WHERE id = %s",
        (owes, tenant.id),
    )


async def tried(tenant: Tenant, name: str, definition: Any, rng: random.Random) -> list[str]:
    """The codes that a mutation answers with the business's own ids."""
    operation = Maker(rng, every=rng.random() < 0.5).operation("mutation", name, definition, 1)

    def id_of(slot: Slot) -> str:
        return rng.choice(tenant.ids[slot.prefix or rng.choice(list(tenant.ids))])

    answer = (await tenant.world.api.post(operation.document, **operation.filled(id_of, lambda: None))).json()
    assert "data" in answer, answer
    payload = (answer["data"] or {}).get("it") or {}
    codes = [each["code"] for each in payload.get("userErrors", [])]
    return codes + [each["extensions"]["code"] for each in answer.get("errors", [])]


async def test_nothing_changes(unpaid: tuple[Tenant, psycopg.Connection[Any]]) -> None:
    tenant, connection = unpaid
    owing(connection, tenant, owes=True)
    before = checksums(connection, tenant.id)
    mutations = [(name, definition) for kind, name, definition in root_fields() if kind == "mutation"]
    missed = []
    for name, definition in mutations:
        if name in STILL:
            continue
        seen: set[str] = set()
        for seed in range(SEEDS):
            seen |= set(await tried(tenant, name, definition, random.Random(seed)))
            if "PLAN_LIMIT" in seen:
                break
        if "PLAN_LIMIT" not in seen and name not in OWN_TESTS:
            missed.append((name, seen))
    assert missed == [], "neither refused for not paying nor named above"
    assert checksums(connection, tenant.id) == before


async def test_the_same_changes_go_through_when_it_has_paid(unpaid: tuple[Tenant, psycopg.Connection[Any]]) -> None:
    """So the test above is not about requests that would fail anyhow."""
    tenant, connection = unpaid
    owing(connection, tenant, owes=False)
    before = checksums(connection, tenant.id)
    for name in ("tenantUpdate", "customerCreate", "serviceCreate", "timeOffAdd"):
        definition = next(each[2] for each in root_fields() if each[1] == name)
        assert "PLAN_LIMIT" not in await tried(tenant, name, definition, random.Random(1))
    assert checksums(connection, tenant.id) != before


async def test_what_it_may_still_do_it_can(unpaid: tuple[Tenant, psycopg.Connection[Any]]) -> None:
    tenant, connection = unpaid
    owing(connection, tenant, owes=True)
    api = tenant.world.api
    assert (await api.do("checkoutStart", "url userErrors { code }", planCode="SCALE"))["userErrors"] == []
    # Settled: the plan was switched, so nothing is owed.
    assert (await api.ask("{ billing { status } }"))["billing"]["status"] == "ACTIVE"
    owing(connection, tenant, owes=True)
    portal = (await api.ask("mutation { billingPortalOpen { userErrors { code } } }"))["billingPortalOpen"]
    assert portal["userErrors"] == []
    assert (await api.ask("mutation { exportRequest { userErrors { code } } }"))["exportRequest"]["userErrors"] == []
    assert (await api.ask("{ customers { totalCount } }"))["customers"]["totalCount"] > 0
    cancelled = await api.do("accountCancel", "userErrors { code }", password=PASSWORD)
    assert cancelled["userErrors"] == []
