"""Shared execution: subscribers who would be told the same cost one execution an event, and nobody is told what others may see."""

import asyncio
import gc
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import websockets
from graphql import GraphQLObjectType, get_named_type, is_interface_type, parse

from domain.event_cursor import encode_cursor
from domain.ids import Prefix, decode
from domain.tenant import Role
from permissions.principal import Principal
from permissions.scopes import scopes_of
from schema.root import schema
from subscriptions.crowd import Crowd
from subscriptions.once import Once
from tests.access.people import Mailbox, add_user
from tests.events.test_stream import EVENTS
from tests.service import Client, Service
from tests.world import ADDRESS, OFFICE_HOURS, World
from web.graphql_operations import Operations
from web.graphql_sharing import group_of

NAMED = """subscription ($after: String, $mine: Boolean = false) {
  appointmentEvents(after: $after) { type appointment { number internalNotes @include(if: $mine) customer { name } } }
}"""


def operations_of(service: Service) -> Operations:
    found: Operations = service.app.state.operations
    return found


async def begun(stack: AsyncExitStack, api: Client, query: str, **variables: Any) -> Any:
    """A subscription from the first event on, that event taken: it surely stands."""
    stream = await stack.enter_async_context(api.subscribe(query, **variables))
    await stream.next()
    return stream


async def start_of(world: World) -> str:
    """The cursor before the world's first event."""

    tenant = decode(Prefix.TENANT, (await world.api.ask("{ tenant { id } }"))["tenant"]["id"])
    assert tenant is not None
    return encode_cursor(tenant, 0)


async def test_a_hundred_boards_cost_one_execution_an_event(world: World) -> None:
    await world.book()
    after, operations = await start_of(world), operations_of(world.service)
    async with AsyncExitStack() as stack:
        streams = [await begun(stack, world.api, NAMED, after=after) for _ in range(20)]
        # Another cursor, the same payload.
        second = (await world.book())["number"]
        for each in streams:
            assert (await each.next())["appointmentEvents"]["appointment"]["number"] == second
        before = operations.shared.made
        third = (await world.book())["number"]
        told = [(await each.next())["appointmentEvents"] for each in streams]
        assert [each["appointment"]["number"] for each in told] == [third] * 20
        assert operations.shared.made - before == 1
        # They are written to as one crowd.
        assert 20 in [len(each.members) for each in gc.get_objects() if type(each) is Crowd]
        # One more kind of viewer costs one more execution.
        other = await begun(stack, world.api, NAMED, after=after, mine=True)
        await other.next()
        await other.next()
        before = operations.shared.made
        await world.book()
        await asyncio.gather(*(each.next() for each in [*streams, other]))
        assert operations.shared.made - before == 2


async def test_a_filter_holds_beside_those_who_are_told_of_everything(world: World) -> None:
    """All send the same document: arguments of the root field do not part those who share."""
    await world.book()
    query = """subscription ($after: String, $technicians: [ID!], $place: ID) {
      appointmentEvents(after: $after, technicianIds: $technicians, locationId: $place) { appointment { number } } }"""
    after = await start_of(world)
    made = await world.api.do(
        "locationCreate", "location { id } userErrors { message }",
        name="Elsewhere", timeZone="America/Chicago", address=ADDRESS, openingHours=OFFICE_HOURS, serviceArea={},
    )  # fmt: skip
    elsewhere = made["location"]["id"]
    async with AsyncExitStack() as stack:
        everything = await begun(stack, world.api, query, after=after)
        of_tess = await stack.enter_async_context(
            world.api.subscribe(query, after=after, technicians=[world.technician])
        )
        there = await stack.enter_async_context(world.api.subscribe(query, after=after, place=elsewhere))
        told: dict[str, list[int]] = {"everything": [], "of Tess": [], "there": []}
        numbers = [
            (await world.book(**rest))["number"]
            for rest in ({}, {"technicianId": world.technician}, {}, {"locationId": elsewhere}) * 2
        ]
        for name, stream, count in (("everything", everything, 8), ("of Tess", of_tess, 2), ("there", there, 2)):
            for _ in range(count):
                told[name].append((await stream.next())["appointmentEvents"]["appointment"]["number"])
        assert told == {"everything": numbers, "of Tess": numbers[1::4], "there": numbers[3::4]}


async def test_two_roles_with_the_same_query_are_told_different_things(world: World) -> None:
    await world.book()
    after = await start_of(world)
    query = """subscription ($after: String) { appointmentEvents(after: $after) {
      type appointment { number customer { name } location { name } } } }"""
    made = await world.api.do(
        "apiKeyCreate", "key userErrors { code }", name="Counter", scopes=["appointments:read", "locations:read"]
    )
    partner = world.service.client()
    partner.http.headers["authorization"] = f"Bearer {made['key']}"
    operations = operations_of(world.service)
    async with AsyncExitStack() as stack:
        owner = await begun(stack, world.api, query, after=after)
        dispatcher = await add_user(world, Mailbox(), "DISPATCHER", "Dora Desk")
        colleague = await begun(stack, dispatcher.api, query, after=after)
        socket = await stack.enter_async_context(key_stream(partner, made["key"], query, after))
        before = operations.shared.made
        await world.book()
        full = await owner.next()
        assert full["appointmentEvents"]["appointment"]["customer"] == {"name": "Carla Cruz"}
        assert await colleague.next() == full
        for _ in range(2):
            denied = await socket()
        assert "Carla Cruz" not in denied
        assert "FORBIDDEN" in denied
        # Owner, dispatcher, and the key: three sets of rights; the key came last and had the first event to catch up with.
        assert operations.shared.made - before >= 3


def key_stream(partner: Client, key: str, query: str, after: str) -> Any:
    """A subscription of an API key, whose messages come as they are: with errors."""

    @asynccontextmanager
    async def opened() -> Any:
        async with websockets.connect(
            partner.socket_url, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"apiKey": key}}))
            await socket.recv()
            payload = {"query": query, "variables": {"after": after}}
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))

            async def receive() -> str:
                return str(await asyncio.wait_for(socket.recv(), 10))

            yield receive

    return opened()


def principal(role: Role = Role.VIEWER, **rest: Any) -> Principal:

    values: dict[str, Any] = {
        "tenant_id": UUID(int=1),
        "actor": "x",
        "scopes": scopes_of(role),
        "role": role,
        "user_id": UUID(int=2),
    }
    return Principal(**(values | rest))


def test_who_shares_with_whom() -> None:

    def group(caller: Principal | None, query: str = NAMED, **variables: Any) -> Any:
        document = parse(query)
        return group_of(query, document, document.definitions[0], variables, caller)  # type: ignore[arg-type]

    base = group(principal(), after="a")
    assert base == group(principal(user_id=UUID(int=3)), after="b")
    for other in (
        group(principal(Role.DISPATCHER), after="a"),
        group(principal(tenant_id=UUID(int=9)), after="a"),
        group(principal(technician_id=UUID(int=9)), after="a"),
        group(principal(scopes=frozenset({"appointments:read"})), after="a"),
        group(principal(user_id=None), after="a"),
        group(principal(), after="a", mine=True),
        group(principal(), EVENTS, after="a"),
    ):
        assert other != base
    assert group(None, after="a") is None
    spread = "subscription ($a: String) { ...F } fragment F on Subscription { appointmentEvents(after: $a) { type } }"
    assert group(principal(), spread, a="1") != group(principal(), spread, a="2")


def test_nothing_that_a_stream_tells_depends_on_the_person() -> None:
    """Payloads are shared among people of one role: no type that a subscription leads to may know who asks."""
    seen: set[str] = set()
    waiting: list[Any] = [schema._schema.subscription_type]
    while waiting:
        type_ = waiting.pop()
        if type_ is None or type_.name in seen:
            continue
        seen.add(type_.name)
        if isinstance(type_, GraphQLObjectType) or is_interface_type(type_):
            waiting += [get_named_type(field.type) for field in type_.fields.values()]
    assert "Appointment" in seen
    assert not seen & {"Viewer", "User", "Session", "Query"}


async def test_who_asked_first_may_go_and_failures_are_not_kept() -> None:
    once: Once[int] = Once(60, lambda _: 1, 2)
    gate = asyncio.Event()

    async def slow() -> int:
        await gate.wait()
        return 7

    first = asyncio.create_task(once.get("a", slow))
    await asyncio.sleep(0)
    second = asyncio.create_task(once.get("a", slow))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == 7

    async def broken() -> int:
        raise ValueError("no")

    for _ in range(2):
        try:
            await once.get("b", broken)
        except ValueError:
            continue
        raise AssertionError("it must fail each time")
    assert once.made == 3
    for key in "cde":
        await once.get(key, slow)
    # No more than there is room for: the oldest went.
    made = once.made
    await once.get("a", slow)
    assert once.made == made + 1
