"""Sites that locations allow: who may call from a browser, whose page may be framed where, and whom a cookie makes nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from typing import Any

import httpx
import psycopg
import pytest
import websockets
from sqlalchemy.ext.asyncio import AsyncSession

from models.database import Database
from tests.service import Client, Service
from tests.web.server import message
from tests.web.talk import received, subscribe
from tests.world import ADDRESS, OFFICE_HOURS, PASSWORD, World, new_world
from web.allowed_origins import FAILED_S, KEPT_S, MOST_KEPT, AllowedOrigins
from web.logging import configure_logging

VIEWER = "{ viewer { user { name } } }"
ERRORS = "location { allowedOrigins } userErrors { code path }"


class Counting(Database):
    """Knows how often it was asked."""

    asked = 0

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[AsyncSession]:
        self.asked += 1
        async with super().anonymous() as session:
            yield session


class Clock:
    """Moves when told."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def counting(database_url: str) -> AsyncIterator[Counting]:
    made = Counting(database_url)
    yield made
    await made.close()


def site(world: World, name: str = "www") -> str:
    """An origin that no other test allows."""
    return f"https://{name}.{world.name.replace(' ', '')}-{world.service.port}.example".lower()


async def allow(world: World, *origins: str) -> None:
    answer = await world.api.do("locationUpdate", ERRORS, locationId=world.location, allowedOrigins=list(origins))
    assert answer == {"location": {"allowedOrigins": list(origins)}, "userErrors": []}


async def slug_of(world: World) -> str:
    return str((await world.api.ask("{ locations { slug } }"))["locations"][0]["slug"])


async def preflight(service: Service, origin: str) -> httpx.Response:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    return await service.client().http.options(f"{service.origin}/graphql", headers={"origin": origin, **wanted})


async def policy(service: Service, slug: str) -> str:
    answer = await service.client().http.get(f"{service.origin}/book/{slug}")
    return str(answer.headers["content-security-policy"].rpartition("frame-ancestors ")[2])


@asynccontextmanager
async def socket_of(client: Client, origin: str, init: Any = None) -> AsyncIterator[websockets.ClientConnection]:
    """A websocket as a browser opens it for a page of that origin: with the cookies, whether the page wants or not."""
    async with websockets.connect(
        client.url.replace("http", "ws", 1),
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers={**client.cookie_header, "origin": origin},
    ) as found:
        await found.send(message("connection_init", **({"payload": init} if init else {})))
        assert await received(found) == {"type": "connection_ack"}
        yield found


async def asked(socket: websockets.ClientConnection, query: str) -> Any:
    await subscribe(socket, "q", query)
    answer = await received(socket)
    assert await received(socket) == {"id": "q", "type": "complete"}
    return answer["payload"]


async def test_a_list_is_kept_in_one_form_and_left_alone_by_other_changes(world: World) -> None:
    given = ["HTTPS://Www.Plumber.example:443", "https://bücher.example", "https://www.plumber.example"]
    kept = {"location": {"allowedOrigins": ["https://www.plumber.example", "https://xn--bcher-kva.example"]}}
    update = {"locationId": world.location}
    assert (await world.api.ask("{ locations { allowedOrigins } }"))["locations"] == [{"allowedOrigins": []}]
    assert await world.api.do("locationUpdate", ERRORS, allowedOrigins=given, **update) == kept | {"userErrors": []}
    assert await world.api.do("locationUpdate", ERRORS, name="North", **update) == kept | {"userErrors": []}
    assert await world.api.do("locationUpdate", ERRORS, allowedOrigins=None, **update) == kept | {"userErrors": []}
    for bad, path in (
        (["https://a.example", "https://*.example"], ["1"]),
        ([f"https://{n}.example" for n in range(21)], []),
    ):
        answer = await world.api.do("locationUpdate", ERRORS, allowedOrigins=bad, **update)
        fault = {"code": "INVALID_INPUT", "path": ["input", "allowedOrigins", *path]}
        assert answer == {"location": None, "userErrors": [fault]}
        new = {"name": "New", "timeZone": "America/Chicago", "address": ADDRESS, "openingHours": OFFICE_HOURS}
        made = await world.api.do("locationCreate", ERRORS, serviceArea={}, allowedOrigins=bad, **new)
        assert made == answer
    assert (await world.api.ask("{ locations { allowedOrigins } }"))["locations"] == [kept["location"]]
    made = await world.api.do("locationCreate", ERRORS, serviceArea={}, allowedOrigins=given, **new)
    assert made == kept | {"userErrors": []}


async def test_an_allowed_site_may_call_and_a_neighbour_of_it_may_not(world: World) -> None:
    await allow(world, site(world))
    answer = await preflight(world.service, site(world))
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, site(world))
    assert "access-control-allow-credentials" not in answer.headers
    http = world.service.client().http
    url = f"{world.service.origin}/graphql"
    seen = await http.post(url, json={"query": "{ __typename }"}, headers={"origin": site(world)})
    assert seen.headers["access-control-allow-origin"] == site(world)
    for origin in (site(world, "shop"), site(world).replace("https", "http"), f"{site(world)}:444", f"{site(world)}."):
        assert (await preflight(world.service, origin)).status_code == 403, origin
        unseen = await http.post(url, json={"query": "{ __typename }"}, headers={"origin": origin})
        assert "access-control-allow-origin" not in unseen.headers


async def test_a_cookie_makes_nobody_of_an_allowed_sites_page(world: World) -> None:
    await allow(world, site(world))
    answer = await world.api.http.post(world.api.url, json={"query": VIEWER}, headers={"origin": site(world)})
    assert answer.json()["data"] == {"viewer": None}
    assert (await world.api.ask(VIEWER))["viewer"]["user"]["name"] == "Olive Owner"


async def test_a_websocket_of_an_allowed_site_is_not_the_visitors(world: World) -> None:
    """The browser sends the dispatcher's cookie along with any page's websocket."""
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with socket_of(world.api, site(world, "before")):
            pass
    assert refused.value.response.status_code == 403
    await allow(world, site(world))
    async with socket_of(world.api, site(world)) as socket:
        assert (await asked(socket, VIEWER))["data"] == {"viewer": None}
        answer = await asked(socket, "{ customers { totalCount } }")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await subscribe(socket, "s", "subscription { appointmentEvents { cursor } }")
        refused_too = await received(socket)
        assert refused_too["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED", refused_too
    async with socket_of(world.api, world.service.origin) as socket:
        assert (await asked(socket, VIEWER))["data"]["viewer"]["user"]["name"] == "Olive Owner"
    made = await world.api.do("apiKeyCreate", "key", name="Site", scopes=["customers:read"])
    async with socket_of(world.api, site(world), {"apiKey": made["key"]}) as socket:
        assert (await asked(socket, "{ customers { totalCount } }"))["data"] == {"customers": {"totalCount": 1}}


async def test_each_booking_page_opens_on_its_own_locations_sites(world: World) -> None:
    async with new_world(world.service) as other:
        await allow(world, site(world), "http://localhost:3000")
        await allow(other, site(other))
        slug, others = await slug_of(world), await slug_of(other)
        assert await policy(world.service, slug) == f"'self' {site(world)} http://localhost:3000"
        assert await policy(world.service, others) == f"'self' {site(other)}"
        assert await policy(world.service, f"{slug.upper()}%20") == await policy(world.service, slug)
        for nobodys in ("nobody-at-all", f"{slug}.x", f"{slug};x", "x" * 5_000):
            assert await policy(world.service, nobodys) == "'self'"


async def test_what_is_taken_off_the_list_is_refused_within_seconds(world: World, counting: Counting) -> None:
    clock = Clock()
    origins = AllowedOrigins(counting, clock)
    slug = await slug_of(world)
    await allow(world, site(world))
    assert await origins.may_call(site(world))
    assert await origins.frame_origins(slug) == (site(world),)
    await allow(world)
    clock.at = KEPT_S
    assert not await origins.may_call(site(world))
    assert await origins.frame_origins(slug) == ()


async def test_a_cancelled_business_allows_nobody_and_takes_nothing_from_others(
    world: World, counting: Counting
) -> None:
    clock = Clock()
    origins = AllowedOrigins(counting, clock)
    async with new_world(world.service) as other:
        await allow(world, site(world), site(world, "shared"))
        await allow(other, site(world, "shared"))
        slug = await slug_of(world)
        assert await origins.may_call(site(world))
        await world.api.do("accountCancel", password=PASSWORD)
        clock.at = KEPT_S
        assert not await origins.may_call(site(world))
        assert await origins.may_call(site(world, "shared"))
        assert await origins.frame_origins(slug) == ()
        assert await origins.frame_origins(await slug_of(other)) == (site(world, "shared"),)


async def test_a_flood_asks_the_database_once(world: World, counting: Counting) -> None:
    clock = Clock()
    origins = AllowedOrigins(counting, clock)
    await allow(world, site(world))
    answers = await asyncio.gather(*(origins.may_call(site(world)) for _ in range(50)))
    assert all(answers)
    assert counting.asked == 1
    clock.at = KEPT_S - 0.1
    assert await origins.may_call(site(world))
    assert not any([await origins.may_call("https://unknown.example") for _ in range(50)])
    assert counting.asked == 2


async def test_one_that_gives_up_takes_no_answer_from_those_who_wait(world: World, counting: Counting) -> None:
    origins = AllowedOrigins(counting)
    await allow(world, site(world))
    first, second = (asyncio.create_task(origins.may_call(site(world))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_what_no_browser_sends_does_not_reach_the_database(counting: Counting) -> None:
    origins = AllowedOrigins(counting)
    for origin in (
        "null",
        "*",
        "",
        "HTTPS://SHOP.EXAMPLE",
        "https://shop.example/",
        "https://shop.example:443",
        "x" * 9_000,
    ):
        assert not await origins.may_call(origin)
    for slug in ("", "No Slug", "x" * 9_000, "a;b"):
        assert await origins.frame_origins(slug) == ()
    assert counting.asked == 0


async def test_memory_has_its_limit(counting: Counting) -> None:
    origins = AllowedOrigins(counting)
    first = "https://0.example"
    for number in range(MOST_KEPT + 1):
        await origins.may_call(f"https://{number}.example")
    asked_so_far = counting.asked
    await origins.may_call(f"https://{MOST_KEPT}.example")
    assert counting.asked == asked_so_far
    await origins.may_call(first)
    assert counting.asked == asked_so_far + 1


async def test_without_a_database_nobody_is_allowed_and_it_is_logged(world: World, logged: StringIO) -> None:
    clock = Clock()
    await allow(world, site(world))
    slug = await slug_of(world)
    # The service has turned the log to its own place.
    configure_logging(logged)
    away = Counting("postgresql://sps_app@127.0.0.1:9/nowhere")
    origins = AllowedOrigins(away, clock)
    assert not await origins.may_call(site(world))
    assert await origins.frame_origins(slug) == ()
    assert not await origins.may_call(site(world))
    assert away.asked == 2
    assert logged.getvalue().count("allowed_origins_unknown") == 2
    await away.close()
    # Back again: what was refused for want of an answer is not refused for long.
    back = Counting(world.service.app.state.database.url)
    origins._database = back
    clock.at = FAILED_S
    assert await origins.may_call(site(world))
    await back.close()


async def test_the_apps_role_is_told_yes_or_no_and_reads_no_list(world: World, database_url: str) -> None:
    await allow(world, site(world))
    slug = await slug_of(world)
    with psycopg.connect(database_url) as connection:

        def answer(query: str, *values: object) -> list[tuple[Any, ...]]:
            return connection.execute(query, values).fetchall()

        assert answer("SELECT * FROM is_allowed_origin(%s)", site(world)) == [(True,)]
        assert answer("SELECT * FROM is_allowed_origin(%s)", site(world, "other")) == [(False,)]
        assert answer("SELECT * FROM is_allowed_origin(NULL)") == [(False,)]
        assert answer("SELECT * FROM look_up_frame_origins(%s)", slug) == [(site(world),)]
        assert answer("SELECT * FROM look_up_frame_origins(%s)", "%") == []
        assert answer("SELECT allowed_origins FROM locations") == []
