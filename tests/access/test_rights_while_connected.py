"""Websockets end with the rights that they were opened with: told at once, found by looking, nothing delivered between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
import websockets

from auth.tokens import token_hash
from tests.access.people import Mailbox, add_user, enrol
from tests.service import Client, Service, running_service
from tests.world import PASSWORD, World

Connection = psycopg.Connection[Any]
EVENTS = "subscription { appointmentEvents { type appointment { number } } }"
SECONDS = 5.0


class Watcher:
    """A socket with a subscription to all events; what it was told, and how it ended."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket
        self.told: list[int] = []

    async def end(self) -> int:
        """The close code; events that come before are kept."""
        async with asyncio.timeout(SECONDS):
            try:
                while True:
                    message = json.loads(await self.socket.recv())
                    assert message["type"] == "next", message
                    self.told.append(message["payload"]["data"]["appointmentEvents"]["appointment"]["number"])
            except websockets.ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0


@asynccontextmanager
async def watching(client: Client, key: str | None = None) -> AsyncIterator[Watcher]:
    async with websockets.connect(
        client.url.replace("http", "ws", 1),
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers={} if key else client.cookie_header,
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"apiKey": key} if key else None}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}))
        # An operation of its own that answers: by then the first one has begun.
        await socket.send(json.dumps({"type": "subscribe", "id": "2", "payload": {"query": "{ viewer { scopes } }"}}))
        while json.loads(await socket.recv()) != {"type": "complete", "id": "2"}:
            pass
        yield Watcher(socket)


async def test_logging_out_closes_this_log_ins_sockets_and_no_others(world: World, mailbox: Mailbox) -> None:
    colleague = await add_user(world, mailbox, "DISPATCHER")
    async with watching(world.api) as mine, watching(colleague.api) as theirs:
        await world.api.ask("mutation { logOut { userErrors { code } } }")
        assert await mine.end() == 4401
        await colleague.api.ask("mutation { logOut { userErrors { code } } }")
        assert await theirs.end() == 4401


async def test_a_role_change_closes_with_4403(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER")
    async with watching(person.api) as watcher, watching(world.api) as mine:
        await world.api.do("userRoleChange", userId=person.id, role="VIEWER")
        assert await watcher.end() == 4403
        made = await world.book()
        assert json.loads(await mine.socket.recv())["payload"]["data"]["appointmentEvents"]["appointment"] == {
            "number": made["number"]
        }


async def test_a_removed_user_a_changed_and_a_reset_password(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER")
    async with watching(person.api) as watcher:
        await world.api.do("userRemove", userId=person.id)
        assert await watcher.end() == 4401
    other = world.service.client()
    await other.do("logIn", email=world.email, password=PASSWORD)
    async with watching(other) as elsewhere, watching(world.api) as here:
        await world.api.do("passwordChange", currentPassword=PASSWORD, newPassword="a stable of quiet zebras")
        assert await elsewhere.end() == 4401
        await world.book()
        assert json.loads(await here.socket.recv())["type"] == "next"


async def test_a_revoked_key(world: World) -> None:
    made = await world.api.do(
        "apiKeyCreate", "apiKey { id } key userErrors { code }",
        name="Zap", scopes=["appointments:read"],
    )  # fmt: skip
    async with watching(world.api, made["key"]) as watcher, watching(world.api) as mine:
        await world.api.do("apiKeyRevoke", apiKeyId=made["apiKey"]["id"])
        assert await watcher.end() == 4401
        await world.book()
        assert json.loads(await mine.socket.recv())["type"] == "next"


async def test_a_rule_for_everybody_closes_all_and_who_may_comes_back(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER")
    await enrol(world.api, PASSWORD)
    async with watching(person.api) as theirs, watching(world.api) as mine:
        await world.api.do("secondFactorRequire", required=True)
        assert await theirs.end() == 4403
        assert await mine.end() == 4403
    async with watching(world.api) as again:
        await world.book()
        assert json.loads(await again.socket.recv())["type"] == "next"


async def test_time_that_runs_out_closes_too(world: World, as_superuser: Connection) -> None:
    async with watching(world.api) as watcher:
        as_superuser.execute(
            "UPDATE sessions SET expires_at = now() WHERE token_hash = %s",
            (token_hash(world.api.http.cookies["sps_session"]),),
        )
        assert await watcher.end() == 4401


async def test_every_process_hears(world: World, database_url: str) -> None:
    secret = world.service.app.state.settings.secret_key
    async with running_service(database_url, secret_key=secret) as second:
        there = Client(f"{second.origin}/graphql", world.api.http)
        async with watching(there) as watcher:
            await world.api.ask("mutation { logOut { userErrors { code } } }")
            assert await watcher.end() == 4401


async def test_a_change_that_nobody_was_told_of_is_found(world: World, as_superuser: Connection) -> None:
    """The row goes without a signal, as when the signal is lost."""
    async with watching(world.api) as watcher:
        as_superuser.execute(
            "DELETE FROM sessions WHERE token_hash = %s", (token_hash(world.api.http.cookies["sps_session"]),)
        )
        assert await watcher.end() == 4401


@pytest.mark.parametrize("round", range(5))
async def test_nothing_is_delivered_that_was_committed_after_the_rights_had_gone(
    world: World, mailbox: Mailbox, round: int
) -> None:
    """Bookings run on from the very moment at which the removal has been answered."""
    spies = [await add_user(world, mailbox, "VIEWER", f"Spy{number} Smith") for number in range(3)]
    last = 1000
    async with watching(spies[0].api) as a, watching(spies[1].api) as b, watching(spies[2].api) as c:
        for spy, watcher in zip(spies, (a, b, c), strict=True):
            for _ in range(2):
                last = (await world.book())["number"]
            await world.api.do("userRemove", userId=spy.id)
            for _ in range(3):
                await world.book()
            assert await watcher.end() == 4401
            assert watcher.told == [] or max(watcher.told) <= last


async def test_without_the_signal_the_count_alone_keeps_events_back(
    world: World, mailbox: Mailbox, service: Service, as_superuser: Connection
) -> None:
    """The session goes and the tenant's count of changes is raised, and nobody is told: the next event must not come."""
    spy = await add_user(world, mailbox, "VIEWER", "Silent Sam")
    await world.book()
    async with watching(spy.api) as watcher, watching(world.api) as mine:
        first = (await world.book())["number"]
        assert json.loads(await mine.socket.recv())["type"] == "next"
        hash_ = token_hash(spy.api.http.cookies["sps_session"])
        as_superuser.execute(
            "WITH gone AS (DELETE FROM sessions WHERE token_hash = %s RETURNING tenant_id)"
            " INSERT INTO tenant_counters (tenant_id, name, value) SELECT tenant_id, 'rights', 1 FROM gone"
            " ON CONFLICT (tenant_id, name) DO UPDATE SET value = tenant_counters.value + 1",
            (hash_,),
        )
        await world.book()
        assert await watcher.end() == 4401
        assert watcher.told == [first]
