"""Two servers on two machines, each a network namespace, with PgBouncer and Redis on a third: a link that goes loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from domain.ids import Prefix, decode
from tests.events.conftest import SECRET
from tests.events.crowd import Crowd, Subscriber
from tests.events.namespaces import MIDDLE, NETWORK, Machine, machines
from tests.events.test_kills import UPDATE
from tests.messages.brokers import RedisServer
from tests.pooler import pooler
from tests.process import process, wait_until_ready
from tests.service import TLS, Client, running_service
from tests.world import World, new_world

PORT = 8000
DOWN_S, PATIENCE_S = 3.0, 30.0


@dataclass
class Proxied(Client):
    """As the load balancer in the middle passes somebody on, who came to it over HTTPS."""

    @property
    def cookie_header(self) -> dict[str, str]:
        return {name: self.http.headers[name] for name in ("cookie", "x-forwarded-proto")}


@asynccontextmanager
async def passed_on(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The requests of the world's owner, as they leave the load balancer."""
    known = world.api.http.cookies
    headers = {
        "cookie": "; ".join(f"__Host-{name}={value}" for name, value in known.items()),
        "x-csrf-token": known["sps_csrf"],
        "x-forwarded-proto": "https",
    }
    async with httpx.AsyncClient(verify=TLS, timeout=30, headers=headers) as http:
        yield http


def start(stack: ExitStack, machine: Machine, folder: Path, settings: dict[str, str]) -> str:
    """Start a server on a machine; where it will be."""
    own = {"SPS_HOST": machine.address, "SPS_PORT": str(PORT), "SPS_DATA_DIR": str(folder / machine.name)}
    stack.enter_context(process("serve", enter=machine.enter, **(settings | own)))
    return f"http://{machine.address}:{PORT}/graphql"


@pytest.mark.services
async def test_a_link_that_goes_and_comes_loses_nothing(database_url: str, owner_url: str, tmp_path: Path) -> None:
    async with (
        running_service(database_url, secret_key=SecretStr(SECRET)) as service,
        new_world(service) as world,
        passed_on(world) as http,
    ):
        tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
        assert tenant is not None
        visit = (await world.book())["id"]
        with ExitStack() as stack:
            near, far = stack.enter_context(machines(2))
            redis = RedisServer(address=MIDDLE)
            redis.start()
            stack.callback(redis.stop)
            settings = {
                "DATABASE_URL": stack.enter_context(pooler(database_url, MIDDLE)).url,
                "BROADCAST_URL": redis.url,
                "SPS_PREPARED_STATEMENTS": "off",
                "SPS_SECRET_KEY": SECRET,
                "SPS_TRUSTED_PROXIES": f"{NETWORK}.0/24",
            }
            here, there = (start(stack, each, tmp_path, settings) for each in (near, far))
            for each in (near, far):
                await asyncio.to_thread(wait_until_ready, PORT, host=each.address)
            writer = Proxied(here, http)
            # One whose socket does not cross the link that goes: its server alone has to catch up. The others' sockets do.
            stays = Proxied(there, http, dial=lambda: far.connect(far.address, PORT))
            crowd = [Subscriber(tenant, stays), *(Subscriber(tenant, Proxied(there, http)) for _ in range(5))]
            async with Crowd(crowd) as readers:
                since = datetime.now(UTC)
                await write(writer, visit)
                assert len(await readers.back(since, PATIENCE_S)) == len(crowd)
                far.link("down")
                before, ends = events_of(owner_url, tenant), time.monotonic() + DOWN_S
                while time.monotonic() < ends:
                    await write(writer, visit)
                # The link was down indeed.
                assert [len(each.seen) for each in crowd] == [len(before)] * len(crowd)
                far.link("up")
                up = time.monotonic()
                await write(writer, visit)
                written = events_of(owner_url, tenant)
                assert len(written) > len(before) + 1
                async with asyncio.timeout(PATIENCE_S):
                    while any(len(each.seen) < len(written) for each in crowd):
                        await asyncio.sleep(0.05)
                print(f"caught up within {time.monotonic() - up:.1f} s")  # noqa: T201
        assert written == list(range(1, len(written) + 1))
        for reader in crowd:
            assert reader.seen == written


async def write(client: Client, visit: str) -> None:
    """A change that a server answers while it is asked on the other machine's behalf."""
    made = await client.ask(UPDATE, id=visit, notes=f"Ring {time.monotonic()} times")
    assert made["appointmentUpdate"]["userErrors"] == []


def events_of(owner_url: str, tenant: UUID) -> list[int]:
    """The numbers of the business's events."""
    with psycopg.connect(owner_url) as connection:
        # Of this business alone: the owner's role sees those of all.
        found = connection.execute("SELECT seq FROM events WHERE tenant_id = %s ORDER BY seq", (tenant,))
        return [row[0] for row in found]
