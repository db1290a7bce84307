"""A business that pays at the stand-in, and what of it is written here."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import psycopg
from psycopg.rows import dict_row

from domain.ids import Prefix, decode
from tests.conftest import APP_ROLE
from tests.service import TLS, Service
from tests.standins.stripe import Json, StripeStandIn
from tests.standins.stripe_http import signed
from tests.world import World

BILLING = """{ billing {
  plan { code technicianLimit } status currentPeriodEnd
  usage { periodStart technicians appointments messages }
  invoices { totalCount nodes { id number status total { amount currency } issuedAt url } }
} }"""
# What a report leaves of itself that depends on when it came, and on nothing else.
PASSING = {"created_at", "updated_at", "next_check_at", "asked_at", "unsure", "id", "began_at", "trial_ends_at",
           "purge_after"}  # fmt: skip


@dataclass
class Payer:
    """A business with the stand-in, and the owner of the database."""

    world: World
    stripe: StripeStandIn
    service: Service
    owner_url: str
    tenant_id: UUID

    async def start(self, plan: str, **more: Any) -> Json:
        """Ask for the checkout of a plan: the payload."""
        payload: Json = await self.world.api.do(
            "checkoutStart", "url userErrors { code path message }", planCode=plan, **more
        )
        return payload

    async def subscribe(self, plan: str = "PRO", *, tell: bool = True) -> str:
        """Buy a plan: the subscription's id at the stand-in."""
        before = len(self.stripe.events)
        started = await self.start(plan)
        assert started["userErrors"] == [], started
        bought = self.stripe.complete(started["url"].rsplit("/", 1)[1])
        if tell:
            await self.tell(self.stripe.events[before:])
        return bought

    async def end_trial(self) -> None:
        """Let the trial have ended, just so that nothing else has happened yet."""
        self.sql("UPDATE billing_accounts SET trial_ends_at = now() - interval '1 second'")

    async def tell(self, events: Sequence[Json]) -> list[int]:
        """Deliver events one after the other: the statuses."""
        return [(await self.post(*signed(event))).status_code for event in events]

    async def storm(self, events: Sequence[Json], seed: int, times: int = 5, at_once: int = 8) -> None:
        """Deliver each event so many times, shuffled, some at once."""
        waiting = [event for event in events for _ in range(times)]
        random.Random(seed).shuffle(waiting)
        limit = asyncio.Semaphore(at_once)

        async def deliver(event: Json) -> int:
            async with limit:
                return (await self.post(*signed(event))).status_code

        statuses = await asyncio.gather(*(deliver(event) for event in waiting))
        assert set(statuses) == {200}, statuses

    async def post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """A request to the webhook."""
        async with httpx.AsyncClient(verify=TLS, timeout=30) as http:
            return await http.post(f"{self.service.origin}/webhooks/stripe", content=body, headers=headers)

    async def billing(self) -> Json:
        """What the owner sees."""
        found: Json = (await self.world.api.ask(BILLING))["billing"]
        return found

    def sql(self, statement: str, *values: object) -> list[Json]:
        """A statement as the app, within this tenant."""
        with psycopg.connect(self.owner_url.replace("sps_owner", APP_ROLE), row_factory=dict_row) as connection:
            connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(self.tenant_id),))
            return _rows(connection.execute(statement, values or None))

    def owner_sql(self, statement: str, *values: object) -> list[Json]:
        """A statement as the owner of the tables, who sees all tenants'."""
        with psycopg.connect(self.owner_url, row_factory=dict_row) as connection:
            return _rows(connection.execute(statement, values or None))

    def kept(self, event_id: str) -> Json | None:
        """A row of Stripe's events."""
        found = self.owner_sql("SELECT * FROM stripe_events WHERE id = %s", event_id)
        return found[0] if found else None

    def state(self) -> Json:
        """Everything that is known of the business's billing, but for what depends on the moment alone."""
        tables = {
            "account": "SELECT * FROM billing_accounts",
            "subscriptions": "SELECT * FROM billing_subscriptions ORDER BY started_at, id",
            "records": "SELECT * FROM billing_records ORDER BY issued_at, number",
            "tenant": "SELECT status, cancelled_at, read_only_from, purge_after FROM tenants",
        }
        return {
            name: [{key: value for key, value in row.items() if key not in PASSING} for row in self.sql(statement)]
            for name, statement in tables.items()
        }


def _rows(cursor: psycopg.Cursor[Json]) -> list[Json]:
    return list(cursor.fetchall()) if cursor.description else []


async def payer_of(world: World, stripe: StripeStandIn, owner_url: str) -> Payer:
    """The business as somebody who pays."""
    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert tenant is not None
    return Payer(world, stripe, world.service, owner_url, tenant)
