"""What PostgreSQL writes is what the resolvers answer, to the byte."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ready.drawn_selections import selections
from tests.ready.odd_rows import DAY, odd_world
from tests.service import Client, running_service
from tests.wire import Wire, tapped
from tests.world import World, new_world

EVERYTHING = """__typename id number version status allowedTransitions total { amount currency } durationMinutes
  arrivalWindow { start end } scheduled { start end } eta notes internalNotes source onTheWayAt startedAt completedAt
  cancelledAt createdAt updatedAt
  location { id name slug timeZone arrivalWindowMinutes minimumNoticeMinutes allowedOrigins address { ...All } }
  customer { id name email phone notes smsOptedOut emailOptedOut createdAt }
  address { id label address { ...All } }
  technician { id name email phone color skills active location { id } }
  lines { quantity unitPrice { amount } option { id name price { amount } durationMinutes }
    service { id name description durationMinutes price { amount currency } requiredSkills bookableOnline active } }"""
ALL = """ fragment All on Address { line1 line2 city region postalCode country location { latitude longitude }
  locationPrecision }"""
# Fields that may not be the same at each request are left to the resolvers.
PAGE = "appointments(orderBy: { field: SCHEDULED_START, direction: DESC }, first: 5)"
BOARD = f'dispatchBoard(day: "{DAY}")'
LANE = "working { start } technician { name id email phone color skills active location { name timeZone } }"
BY_RESOLVERS = "__typename @include(if: false)"


def documents(selection: str, ids: Sequence[str]) -> list[str]:
    rest = ALL if "...All" in selection else ""
    return [
        f"{{ appointments(first: 100) {{ nodes {{ {selection} }} pageInfo {{ endCursor }} }} }}{rest}",
        f"{{ {PAGE} {{ totalCount edges {{ cursor node {{ {selection} }} }} }} }}{rest}",
        f"{{ {BOARD} {{ lanes {{ {LANE} appointments {{ {selection} }} }} unassigned {{ {selection} }} }} }}{rest}",
        f'{{ node(id: "{ids[0]}") {{ ... on Appointment {{ {selection} }} ... on Customer {{ name }} }} }}{rest}',
        f'{{ nodes(ids: ["{ids[1]}", "{ids[2]}", "nobody"]) {{ id ... on Appointment {{ {selection} }} }} }}{rest}',
    ]


async def answered(client: Client, document: str) -> str:
    text = (await client.post(document)).text
    # Documents that do not merge are drawn too: they are refused alike, but for where in the text that is and the request's id.
    return re.sub(r'"column":\d+|"requestId":"\w+"', "", text.partition(',"extensions":{"cost"')[0])


@pytest.fixture
async def odd(database_url: str, owner_url: str) -> AsyncIterator[tuple[World, Wire, Sequence[str]]]:
    async with tapped(database_url) as (url, wire), running_service(url) as service, new_world(service) as world:
        yield world, wire, await odd_world(world, owner_url)


async def compare(world: World, wire: Wire, selection: str, ids: Sequence[str]) -> None:
    plainly = documents(f"{selection} {BY_RESOLVERS}", ids)
    plainly[2] = plainly[2].replace("technician { name", f"technician {{ {BY_RESOLVERS} name", 1)
    for made, plain in zip(documents(selection, ids), plainly, strict=True):
        expected = await answered(world.api, plain)
        assert not any("AS ready" in each for each in wire.statements)
        # At first as any statement, then as one that PostgreSQL keeps.
        for _ in range(3):
            wire.clear()
            assert await answered(world.api, made) == expected, made
            assert any("AS ready" in each for each in wire.statements), made
        wire.clear()


async def test_every_field_is_the_same(odd: tuple[World, Wire, Sequence[str]]) -> None:
    world, wire, ids = odd
    await compare(world, wire, EVERYTHING, ids)
    answer = await answered(world.api, documents(EVERYTHING, ids)[0])
    # Nothing that PostgreSQL left open is answered, and what looks so came from a row.
    assert "\x01" not in answer
    assert "\\u0001i01970000-0000-7001-8000-000000000001\\u0002" in answer
    for status in ("REQUESTED", "SCHEDULED", "COMPLETED", "CANCELLED"):
        assert re.search(f'"status":"{status}"', answer)


async def test_drawn_selections_are_the_same(database_url: str, owner_url: str) -> None:
    await drawn(database_url, owner_url, 40)


@pytest.mark.soak
async def test_many_drawn_selections_are_the_same(database_url: str, owner_url: str) -> None:
    await drawn(database_url, owner_url, 3_000)


async def drawn(database_url: str, owner_url: str, examples: int) -> None:
    async with running_service(database_url, budget_factor=1_000_000) as service, new_world(service) as world:
        ids = await odd_world(world, owner_url)
        loop = asyncio.get_running_loop()

        @settings(max_examples=examples, deadline=None)
        @given(selections(), st.integers(0, 4))
        def same(selection: str, which: int) -> None:
            asyncio.run_coroutine_threadsafe(one(selection, which), loop).result()

        async def one(selection: str, which: int) -> None:
            made, plain = (documents(text, ids)[which] for text in (selection, f"{selection} {BY_RESOLVERS}"))
            expected = await answered(world.api, plain)
            assert [await answered(world.api, made) for _ in range(2)] == [expected] * 2, made

        await asyncio.to_thread(same)


async def test_times_are_read_whatever_the_servers_style(database_url: str, owner_url: str) -> None:
    """An operator may have given the role another style of dates, and another time zone."""
    url = f"{database_url}&options=-cDateStyle%3DGerman%20-cTimeZone%3DAsia/Tokyo"
    async with running_service(url) as service, new_world(service) as world:
        await odd_world(world, owner_url)
        selection = "createdAt updatedAt scheduled { start end }"
        made, plain = (documents(text, ["x"] * 3)[0] for text in (selection, f"{selection} {BY_RESOLVERS}"))
        expected = await answered(world.api, plain)
        assert '"updatedAt":"1970-01-01T00:00:00.000001Z"' in expected
        assert [await answered(world.api, made) for _ in range(3)] == [expected] * 3
