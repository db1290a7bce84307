"""A small schema and context, to try the edge by itself: lists, a connection, failures, subscriptions."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLError
from starlette.requests import HTTPConnection
from strawberry.types import Info

from auth.cookies import CSRF, SESSION
from permissions.principal import Principal
from subscriptions.crowd import Outlet
from subscriptions.errors import Lagged
from web.client import Client
from web.csrf import csrf_matches
from web.errors import RequestRefused
from web.request_id import request_id_of

TENANT = UUID("01890000-0000-7000-8000-000000000001")
USERS = {name: UUID(f"01890000-0000-7000-8000-0000000001{number:02}") for number, name in enumerate(["ada", "bob"])}


@dataclass
class World:
    """What tests look at and pull on."""

    open_sources: int = 0
    mutations: int = 0
    flooded: int = 0
    contexts: int = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    introspection: bool = True
    principals: dict[str, Principal] = field(default_factory=dict)
    outlets: list[Outlet | None] = field(default_factory=list)


@dataclass
class SampleContext:
    """A context as `web.edge_context.EdgeContext` describes it."""

    world: World
    principal: Principal | None
    request_id: str
    auth_by_cookie: bool = False
    csrf_ok: bool = False
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    loaded: dict[str, int] = field(default_factory=dict)
    outlet: Outlet | None = None

    @property
    def allow_introspection(self) -> bool:
        return self.world.introspection

    def for_operation(self) -> "SampleContext":
        self.world.contexts += 1
        return SampleContext(self.world, self.principal, self.request_id, self.auth_by_cookie, self.csrf_ok)


SampleInfo = Info[SampleContext, None]


def principal(name: str) -> Principal:
    return Principal(tenant_id=TENANT, actor=name, scopes=frozenset(), user_id=USERS[name], session_id=USERS[name])


def contexts(world: World) -> Any:
    """A context factory: the cookie or the key names the user."""

    async def context_for(connection: HTTPConnection, payload: Mapping[str, object] | None) -> SampleContext:
        key = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if payload and isinstance(payload.get("apiKey"), str):
            key = str(payload["apiKey"])
        cookie = connection.cookies.get(SESSION, "")
        name = key or cookie
        if name and name not in USERS:
            raise RequestRefused(401, "UNAUTHENTICATED", "There is no such key.")
        return SampleContext(
            world,
            principal(name) if name else None,
            request_id_of(connection),
            auth_by_cookie=bool(cookie and not key),
            csrf_ok=csrf_matches(connection, secure=False),
        )

    return context_for


@strawberry.type
class Leaf:
    id: strawberry.ID
    name: str

    @strawberry.field
    def child(self) -> "Leaf":
        return Leaf(id=strawberry.ID(f"{self.id}.1"), name=f"{self.name}.1")

    @strawberry.field
    def children(self) -> list["Leaf"]:
        return [Leaf(id=strawberry.ID(f"{self.id}.{number}"), name=self.name) for number in range(2)]


@strawberry.type
class LeafEdge:
    cursor: str
    node: Leaf


@strawberry.type
class LeafConnection:
    nodes: list[Leaf]
    edges: list[LeafEdge]
    total_count: int


@strawberry.input
class ThingInput:
    name: str
    numbers: list[int] | None = None


def leaves(count: int) -> list[Leaf]:
    return [Leaf(id=strawberry.ID(str(number)), name=f"leaf {number}") for number in range(count)]


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"Hello, {name}"

    @strawberry.field
    def leaf(self) -> Leaf:
        return leaves(1)[0]

    @strawberry.field
    def leaves(self) -> list[Leaf]:
        return leaves(3)

    @strawberry.field
    def items(self, first: int | None = None) -> LeafConnection:
        found = leaves(min(first or 50, 4))
        return LeafConnection(
            nodes=found, edges=[LeafEdge(cursor=each.id, node=each) for each in found], total_count=len(found)
        )

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Leaf | None]:
        return [Leaf(id=each, name="node") for each in ids]

    @strawberry.field
    def thing(self, value: ThingInput, times: int = 1) -> str:
        return value.name * times

    @strawberry.field
    def boom(self) -> str | None:
        raise RuntimeError("ada@example.com sent password=hunter2")

    @strawberry.field
    def denied(self) -> str | None:
        raise GraphQLError("This needs the scope x:read.", extensions={"code": "FORBIDDEN"})

    @strawberry.field
    def odd(self) -> str | None:
        raise GraphQLError("not meant for callers", extensions={"code": "SECRET_THING"})

    @strawberry.field
    def broken(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def huge(self) -> strawberry.scalars.JSON:
        return 2**70  # type: ignore[return-value]

    @strawberry.field
    async def slow(self, info: SampleInfo) -> str:
        info.context.world.started.set()
        await info.context.world.release.wait()
        return "done"

    @strawberry.field
    def me(self, info: SampleInfo) -> str | None:
        return info.context.principal.actor if info.context.principal else None

    @strawberry.field
    def now(self) -> datetime:
        return datetime.now(UTC)

    @strawberry.field
    def big(self, characters: int) -> str:
        return "x" * characters


@strawberry.type
class Mutation:
    @strawberry.mutation
    def bump(self, info: SampleInfo, by: int = 1) -> int:
        info.context.world.mutations += by
        info.context.response_headers.append(("Set-Cookie", "seen=1; HttpOnly"))
        return info.context.world.mutations


@strawberry.type
class Tick:
    number: int

    @strawberry.field
    def loads(self, info: SampleInfo) -> int:
        """How often this context has been asked; 1 when each event has its own."""
        info.context.loaded["tick"] = info.context.loaded.get("tick", 0) + 1
        return info.context.loaded["tick"]

    @strawberry.field
    def sour(self) -> int | None:
        raise RuntimeError("sour")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self, info: SampleInfo, count: int = 3) -> AsyncGenerator[Tick, None]:
        for number in range(count):
            yield Tick(number=number)

    @strawberry.subscription
    async def forever(self, info: SampleInfo) -> AsyncGenerator[int, None]:
        world = info.context.world
        world.open_sources += 1
        world.outlets.append(info.context.outlet)
        try:
            yield 0
            world.started.set()
            await world.release.wait()
            yield 1
        finally:
            world.open_sources -= 1

    @strawberry.subscription
    async def flood(self, info: SampleInfo, characters: int) -> AsyncGenerator[str, None]:
        while True:
            info.context.world.flooded += 1
            yield "x" * characters

    @strawberry.subscription
    async def lagging(self) -> AsyncGenerator[int, None]:
        yield 0
        raise Lagged

    @strawberry.subscription
    async def failing(self) -> AsyncGenerator[int, None]:
        yield 0
        raise ConnectionError("the database is at 10.0.0.1")

    @strawberry.subscription
    async def denied(self) -> AsyncGenerator[int, None]:
        raise GraphQLError("This needs the scope x:read.", extensions={"code": "FORBIDDEN"})
        yield 0


schema = strawberry.Schema(Query, Mutation, Subscription)

COOKIES = {SESSION: "ada", CSRF: "the-csrf-value"}
__all__ = ["COOKIES", "Client", "SampleContext", "World", "contexts", "principal", "schema"]
