"""How sockets end from our side: readers that are too slow, and rights that go."""

import asyncio
import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql.execution.collect_fields import CollectedFields
from websockets.exceptions import ConnectionClosed

from auth.cookies import SESSION
from permissions.principal import Principal
from tests.web.sample_schema import TENANT, USERS
from tests.web.server import Edge, running
from tests.web.talk import closed, received, still_works, subscribe, until
from web.graphql_ws_connection import SocketLimits
from web.graphql_ws_registry import FORBIDDEN, REMEMBERED_SECONDS, LocalConnections


def standstill(edge: Edge) -> Callable[[], bool]:
    """Whether a flood has not moved for ten looks: all buffers between are full, and the kernel makes none larger."""
    counts: list[int] = []

    def condition() -> bool:
        counts.append(edge.world.flooded)
        return counts[-1] > 0 and len(counts) >= 10 and len(set(counts[-10:])) == 1

    return condition


async def test_a_subscription_that_lagged_closes_with_4410(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { lagging }")
    code, reason = await closed(socket)
    assert code == 4410
    assert "cursor" in reason


async def test_a_client_that_stops_reading_is_closed_with_4410_and_little_is_kept_for_it() -> None:
    async with running(socket_limits=SocketLimits(stall_seconds=0.2, close_seconds=0.2)) as edge:
        stuck = await edge.connect({})
        await subscribe(stuck, "a", "subscription { flood(characters: 20000) }")
        await until(lambda: edge.world.flooded > 0)
        assert len(edge.registry) == 1
        await until(lambda: not edge.tasks)
        assert len(edge.registry) == 0
        # What was on its way is in the kernel's buffers on both sides; the rest was never made.
        assert edge.world.flooded < 1_000
        # It starts to read again, and learns why.
        assert (await closed(stuck))[0] == 4410


async def test_without_our_protocol_class_the_socket_of_a_stuck_reader_still_ends() -> None:
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    limits = SocketLimits(stall_seconds=0.2, close_seconds=0.1)
    async with running(socket_limits=limits, ws=WebSocketsSansIOProtocol) as edge:
        stuck = await edge.connect({})
        await subscribe(stuck, "a", "subscription { flood(characters: 20000) }")
        await until(lambda: edge.world.flooded > 0)
        await until(lambda: len(edge.registry) == 0)


async def test_the_server_stops_although_a_peer_has_begun_to_close_and_reads_nothing() -> None:
    """Stock uvicorn raises `InvalidState` then, and other connections stay open."""
    async with running() as edge:
        stuck = await edge.connect({})
        await subscribe(stuck, "a", "subscription { flood(characters: 20000) }")
        (connection,) = [each for each in edge.connections if hasattr(each, "writable")]
        await until(standstill(edge))
        # A close frame past the client library, which would begin to read now.
        stuck.transport.write(b"\x88\x80\x00\x00\x00\x00")
        await until(lambda: not edge.tasks)
        assert connection in edge.connections
        connection.shutdown()


async def test_one_who_reads_late_what_fits_in_the_buffers_is_left_alone() -> None:
    async with running(socket_limits=SocketLimits(stall_seconds=0.1)) as edge:
        socket = await edge.connect({})
        await subscribe(socket, "a", "subscription { ticks(count: 50) { number } }")
        await asyncio.sleep(0.4)
        for number in range(50):
            assert (await received(socket))["payload"]["data"]["ticks"]["number"] == number
        assert (await received(socket))["type"] == "complete"
        await still_works(socket)


async def test_a_source_that_never_waits_leaves_others_their_turn(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { flood(characters: 1) }")
    await until(lambda: edge.world.flooded > 0)
    reading = asyncio.create_task(closed(socket))
    most = 0
    before = edge.world.flooded
    for _ in range(200):
        await asyncio.sleep(0)
        most = max(most, edge.world.flooded - before)
        before = edge.world.flooded
    assert 0 < most <= 20
    await still_works(await edge.connect({}))
    reading.cancel()


@pytest.mark.parametrize("by", ["user_id", "session_id", "tenant_id"])
async def test_when_rights_go_the_sockets_concerned_close_and_nothing_is_delivered_in_between(
    edge: Edge, by: str
) -> None:
    ada = await edge.connect({}, additional_headers={"Cookie": f"{SESSION}=ada"})
    bob = await edge.connect({"apiKey": "bob"})
    nobody = await edge.connect({})
    await subscribe(ada, "a", "subscription { forever }")
    await received(ada)
    wanted: dict[str, Any] = {by: TENANT if by == "tenant_id" else USERS["ada"]}
    assert edge.registry.close_matching(**wanted) == (2 if by == "tenant_id" else 1)
    # The event that was about to be delivered comes in the same turn of the loop.
    edge.world.release.set()
    with pytest.raises(ConnectionClosed) as end:
        await ada.recv()
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == FORBIDDEN
    if by == "tenant_id":
        assert (await closed(bob))[0] == FORBIDDEN
    else:
        await still_works(bob)
    await still_works(nobody)


@dataclass(eq=False)
class Fake:
    principal: Principal | None
    closed: list[int] = field(default_factory=list)

    def close(self, code: int, reason: str) -> None:
        self.closed.append(code)


def who(tenant: UUID, user: UUID | None = None, key: UUID | None = None) -> Principal:
    return Principal(tenant_id=tenant, actor="x", scopes=frozenset(), user_id=user, api_key_id=key)


def test_a_revocation_between_reading_the_rights_and_entering_the_socket_is_not_missed() -> None:
    clock = iter(range(1_000))
    registry = LocalConnections(lambda: float(next(clock)))
    user, tenant = uuid4(), uuid4()
    registry.close_matching(user_id=user, code=4401)
    late, later, other = Fake(who(tenant, user)), Fake(who(tenant, user)), Fake(who(tenant, uuid4()))
    registry.register(late, since=0.0)
    registry.register(later, since=0.5)
    registry.register(other, since=0.0)
    assert (late.closed, later.closed, other.closed) == ([4401], [], [])


def test_revocations_are_forgotten_after_a_while() -> None:
    now = [0.0]
    registry = LocalConnections(lambda: now[0])
    for _ in range(100):
        now[0] += REMEMBERED_SECONDS / 10
        registry.close_matching(user_id=uuid4())
    assert len(registry._closed) <= 12


def test_matching_needs_every_given_id_and_at_least_one() -> None:
    registry = LocalConnections()
    tenant, user, key = uuid4(), uuid4(), uuid4()
    mine, keyed, foreign, anonymous = (
        Fake(who(tenant, user)),
        Fake(who(tenant, None, key)),
        Fake(who(uuid4(), user)),
        Fake(None),
    )
    for each in (mine, keyed, foreign, anonymous):
        registry.register(each, since=0.0)
    assert registry.close_matching(tenant_id=tenant, user_id=user) == 1
    assert mine.closed
    assert not foreign.closed
    assert registry.close_matching(api_key_id=key) == 1
    assert keyed.closed
    with pytest.raises(ValueError, match="at least one"):
        registry.close_matching()
    assert not anonymous.closed
    for each in (mine, keyed, foreign, anonymous):
        registry.unregister(each)
    assert len(registry) == 0


async def test_a_subscription_that_lasts_keeps_nothing_of_the_events_behind_it(edge: Edge) -> None:
    """graphql-core's memo of collected fields would grow with each event, and a board is open all day."""
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { ticks(count: 400) { number } }")
    for _ in range(400):
        assert (await received(socket))["type"] == "next"
    # By type: asking a dead weak proxy for its class raises.
    assert sum(type(each) is CollectedFields for each in gc.get_objects()) < 50
