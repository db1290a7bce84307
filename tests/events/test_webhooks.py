"""Webhooks to partners: signed, at least once, in order for an appointment, and never into a private network."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from standardwebhooks import Webhook

from domain.ids import Prefix, decode
from domain.webhook import RETRY_DELAYS, is_public, literal, retry_delay
from integrations.webhook import PublicNetwork, Unreachable, WebhookSender, signed
from models.database import Database
from models.webhook_queue import claim_delivery
from settings import Settings
from tests.events.conftest import Setup
from tests.process import process
from tests.standins.partner import Partner, partner
from tests.world import World, new_world
from workers.webhook import WebhookDeliverer, WebhookRelay

LOG = "{ webhookEndpoints { id active deliveries { nodes { id eventType state attempts responseStatus nextAttemptAt } } } }"


@dataclass
class Bench:
    """A business with an endpoint at a partner, and a worker that makes deliveries when it is told to."""

    world: World
    partner: Partner
    database: Database
    owner_url: str
    tenant: UUID
    deliverer: WebhookDeliverer
    endpoint: str = ""
    secret: str = ""

    async def connect(self, *event_types: str, url: str | None = None) -> None:
        made = await self.world.api.do(
            "webhookEndpointCreate", "secret endpoint { id active eventTypes } userErrors { code path message }",
            url=url or self.partner.url, eventTypes=event_types or ["*"],
        )  # fmt: skip
        assert made["userErrors"] == [], made
        self.endpoint, self.secret = made["endpoint"]["id"], made["secret"]

    async def work(self) -> None:
        """Plan, and deliver what is due until nothing is: this business's alone, since tests share a database."""
        queued: list[tuple[UUID, UUID]] = []
        relay = WebhookRelay(self.database, lambda tenant, delivery: queued.append((tenant, delivery)))
        while await relay.plan():
            pass
        while True:
            queued.clear()
            # So many at once, of all businesses: what other tests left may come first.
            if not await relay.hand_out():
                break
            for tenant, delivery in queued:
                if tenant == self.tenant:
                    await self.deliverer.deliver(tenant, delivery)
        relay.close()

    async def log(self) -> Any:
        return (await self.world.api.ask(LOG))["webhookEndpoints"][0]

    async def sql(self, statement: str, *values: object) -> None:
        """As time would: the owner's role, in this tenant."""
        async with await psycopg.AsyncConnection.connect(self.owner_url, autocommit=True) as connection:
            await connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(self.tenant),))
            await connection.execute(statement.encode(), values or None)


@pytest.fixture
async def bench(setup: Setup, owner_url: str, database: Database) -> AsyncIterator[Bench]:
    async with (
        partner() as receiver,
        setup.serving(webhook_allowed="127.0.0.1") as service,
        new_world(service) as world,
    ):
        settings: Settings = service.app.state.settings
        tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
        assert tenant is not None
        deliverer = WebhookDeliverer(settings, database, WebhookSender(settings.webhook_allowed_hosts))
        yield Bench(world, receiver, database, owner_url, tenant, deliverer)


async def test_events_arrive_signed_in_order_and_once(bench: Bench) -> None:
    await bench.world.book()
    await bench.connect()
    first = (await bench.world.book("2026-03-02T15:00:00Z", "2026-03-02T16:00:00Z"))["id"]
    await bench.world.api.do("appointmentUpdate", appointmentId=first, notes="Ring twice")
    await bench.world.api.do("appointmentCancel", appointmentId=first)
    await bench.work()
    await bench.work()
    types = [type_ for appointment, type_ in bench.partner.taken if appointment == first]
    assert types == ["appointment.created", "appointment.updated", "appointment.cancelled"]
    # What happened before the endpoint was made is not told.
    assert {appointment for appointment, _ in bench.partner.taken} == {first}
    for posted in bench.partner.posted:
        Webhook(bench.secret).verify(posted.body, posted.headers)
        assert decode(Prefix.WEBHOOK_DELIVERY, posted.headers["webhook-id"])
    log = (await bench.log())["deliveries"]["nodes"]
    assert [each["state"] for each in log] == ["DELIVERED"] * 3
    assert {each["responseStatus"] for each in log} == {204}
    # The secret was shown once: nothing that can be asked for has it, and a stranger's does not fit.
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "A" * 43 + "=").verify(bench.partner.posted[0].body, bench.partner.posted[0].headers)


async def test_only_the_event_types_that_were_asked_for(bench: Bench) -> None:
    await bench.connect("CANCELLED", "appointment.no_show")
    made = (await bench.world.book())["id"]
    await bench.world.api.do("appointmentCancel", appointmentId=made)
    await bench.work()
    assert bench.partner.taken == [(made, "appointment.cancelled")]


async def test_a_failure_holds_up_its_appointment_and_no_other(bench: Bench) -> None:
    await bench.connect()
    first, second = (await bench.world.book())["id"], (await bench.world.book())["id"]
    bench.partner.answer = lambda event: "500 Oh" if event["data"]["appointmentId"] == first else "200 OK"
    await bench.world.api.do("appointmentCancel", appointmentId=first)
    await bench.world.api.do("appointmentCancel", appointmentId=second)
    await bench.work()
    assert bench.partner.taken == [
        (first, "appointment.created"), (second, "appointment.created"), (second, "appointment.cancelled"),
    ]  # fmt: skip
    waiting = [each for each in (await bench.log())["deliveries"]["nodes"] if each["state"] == "PENDING"]
    assert [(each["attempts"], each["responseStatus"]) for each in waiting] == [(0, None), (1, 500)]
    assert [each["nextAttemptAt"] is None for each in waiting] == [True, False]
    # Later events find the appointment held up too.
    await bench.world.api.do("appointmentReopen", appointmentId=first)
    await bench.work()
    assert len(bench.partner.posted) == 3
    bench.partner.answer = lambda _event: "200 OK"
    await bench.sql("UPDATE webhook_deliveries SET relay_at = now() WHERE relay_at IS NOT NULL AND state = 'PENDING'")
    await bench.work()
    assert [type_ for appointment, type_ in bench.partner.taken if appointment == first] == [
        "appointment.created", "appointment.created", "appointment.cancelled", "appointment.reopened",
    ]  # fmt: skip
    ids = [each.headers["webhook-id"] for each in bench.partner.posted]
    assert ids[0] == ids[3]


async def test_what_a_killed_worker_had_claimed_is_delivered(bench: Bench) -> None:
    await bench.connect()
    await bench.world.book()
    relay = WebhookRelay(bench.database, lambda *_: None)
    while await relay.plan():
        pass
    relay.close()
    delivery = decode(Prefix.WEBHOOK_DELIVERY, (await bench.log())["deliveries"]["nodes"][0]["id"])
    assert delivery is not None
    async with bench.database.tenant(bench.tenant) as session:
        assert await claim_delivery(session, bench.tenant, delivery, 60)
    # Two workers at one time: the second one keeps off.
    await bench.deliverer.deliver(bench.tenant, delivery)
    assert bench.partner.posted == []
    await bench.sql("UPDATE webhook_deliveries SET claimed_until = now(), relay_at = now()")
    await bench.work()
    assert len(bench.partner.posted) == 1


async def test_a_dead_endpoint_is_disabled_and_a_replay_wakes_it_and_what_it_missed(bench: Bench) -> None:
    await bench.connect()
    first, other = (await bench.world.book())["id"], (await bench.world.book())["id"]
    bench.partner.answer = lambda _event: "503 No"
    await bench.work()
    last = len(RETRY_DELAYS)
    await bench.sql("UPDATE webhook_deliveries SET attempts = %s, relay_at = now()", last)
    await bench.work()
    found = await bench.log()
    assert [each["state"] for each in found["deliveries"]["nodes"]] == ["FAILED", "FAILED"]
    # All attempts of these are used up, but the endpoint has not been dead for five days.
    assert found["active"] is True
    await bench.sql("UPDATE webhook_endpoints SET failing_since = now() - interval '5 days'")
    await bench.world.api.do("appointmentCancel", appointmentId=first)
    await bench.work()
    await bench.sql("UPDATE webhook_deliveries SET attempts = %s, relay_at = now() WHERE state = 'PENDING'", last)
    await bench.work()
    assert (await bench.log())["active"] is False
    await bench.world.api.do("appointmentCancel", appointmentId=other)
    seen = len(bench.partner.posted)
    await bench.work()
    assert len(bench.partner.posted) == seen
    bench.partner.answer = lambda _event: "200 OK"
    replayed = await bench.world.api.do(
        "webhookDeliveryReplay", "delivery { state attempts } userErrors { code }",
        deliveryId=(await bench.log())["deliveries"]["nodes"][0]["id"],
    )  # fmt: skip
    assert replayed["delivery"] == {"state": "PENDING", "attempts": 0}
    await bench.work()
    assert (await bench.log())["active"] is True
    await bench.work()
    assert bench.partner.taken[seen:] == [(first, "appointment.cancelled"), (other, "appointment.cancelled")]


async def test_an_endpoint_that_is_gone_is_disabled_at_once(bench: Bench) -> None:
    await bench.connect()
    await bench.world.book()
    bench.partner.answer = lambda _event: "410 Gone"
    await bench.work()
    assert (await bench.log())["active"] is False


async def test_redirects_lead_nowhere(bench: Bench) -> None:
    await bench.connect()
    await bench.world.book()
    async with partner() as inner:
        bench.partner.answer = lambda _event: f"307 Elsewhere\r\nlocation: {inner.url}"
        await bench.work()
        assert inner.posted == []
    assert (await bench.log())["deliveries"]["nodes"][0]["responseStatus"] == 307


async def test_other_businesses_are_told_nothing(bench: Bench) -> None:
    await bench.connect()
    async with new_world(bench.world.service) as other:
        await other.book()
        assert (await other.api.ask(LOG))["webhookEndpoints"] == []
        gone = await other.api.do("webhookEndpointDelete", endpointId=bench.endpoint)
        assert gone["userErrors"] == [{"code": "NOT_FOUND", "path": ["input", "endpointId"]}]
    await bench.work()
    assert bench.partner.posted == []
    deleted = await bench.world.api.do("webhookEndpointDelete", endpointId=bench.endpoint)
    assert deleted["userErrors"] == []


async def test_private_networks_are_out_of_reach(bench: Bench) -> None:
    request = signed(bench_secret(), "whd_1", b"{}", datetime.now(UTC))
    url = bench.partner.url
    with pytest.raises(Unreachable, match="not on the public internet"):
        await WebhookSender(frozenset()).post(url, request)
    with pytest.raises(Unreachable, match="not on the public internet"):
        await WebhookSender(frozenset()).post(url.replace("127.0.0.1", "localhost"), request)
    with pytest.raises(Unreachable, match="not on the public internet"):
        await WebhookSender(frozenset({"127.0.0.1:1"})).post(url, request)
    assert bench.partner.posted == []
    assert await WebhookSender(frozenset({f"127.0.0.1:{bench.partner.port}"})).post(url, request) == 204


class Rebinding(PublicNetwork):
    """Names that answer otherwise each time they are asked for."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__(frozenset())
        self.answers = list(answers)

    async def _resolved(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0)


async def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(Unreachable, match="not on the public internet"):
        await Rebinding(["93.184.216.34", "10.0.0.1"]).connect_tcp("partner.example", 443)


def bench_secret() -> str:
    return "whsec_" + "A" * 43 + "="


PRIVATE: Iterable[str] = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.1",  # noqa: S104 (nobody listens there)
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378::",
    "ff02::1", "2001:db8::1", "fe80::1%eth0", "fec0::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    found = literal(address)
    assert found is not None
    assert not is_public(found)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    found = literal(address)
    assert found is not None
    assert is_public(found)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://10.0.0.1/", "https://[::1]/", "https://user:pw@example.com/", "ftp://example.com/",
     "https://", "https://example.com/#x", "https://exa mple.com/", "https://example.com:99999/", "nonsense",
     "https://2130706433/", "https://0x7f.1/"],
)  # fmt: skip
async def test_bad_urls_are_refused(bench: Bench, url: str) -> None:
    made = await bench.world.api.do(
        "webhookEndpointCreate", "secret userErrors { code path }", url=url, eventTypes=["*"]
    )
    assert made == {"secret": None, "userErrors": [{"code": "INVALID_INPUT", "path": ["input", "url"]}]}


async def test_event_types_and_the_number_of_endpoints_are_bounded(bench: Bench) -> None:
    for types, path in ([], ["input", "eventTypes"]), (["nonsense"], ["input", "eventTypes", "0"]):
        made = await bench.world.api.do("webhookEndpointCreate", url="https://example.com/", eventTypes=types)
        assert made["userErrors"] == [{"code": "INVALID_INPUT", "path": path}]
    for _ in range(20):
        await bench.connect()
    made = await bench.world.api.do("webhookEndpointCreate", url="https://example.com/", eventTypes=["*"])
    assert [each["code"] for each in made["userErrors"]] == ["PLAN_LIMIT"]


def test_deliveries_are_tried_for_five_days() -> None:
    total = sum((each.total_seconds() for each in RETRY_DELAYS), 0.0)
    assert 4.9 * 86_400 < total < 5.1 * 86_400
    assert retry_delay(len(RETRY_DELAYS) + 1, 0.5) is None


async def test_a_worker_process_delivers(bench: Bench, setup: Setup) -> None:
    await bench.connect()
    secret = bench.world.service.app.state.settings.secret_key.get_secret_value()
    known = {"SPS_SECRET_KEY": secret, "SPS_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1"}
    with process("worker", **(setup.environment | known)):
        made = (await bench.world.book())["id"]
        async with asyncio.timeout(40):
            while not bench.partner.posted:
                await asyncio.sleep(0.05)
    assert bench.partner.taken == [(made, "appointment.created")]
    Webhook(bench.secret).verify(bench.partner.posted[0].body, bench.partner.posted[0].headers)
