"""Two businesses on one server: whatever one of them asks with the other's ids, it is told what it is told of nothing.

Operations come from the schema by introspection, so that every query, mutation, subscription and kind of id is tried.
"""

import json
import random
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio
import websockets

from domain.ids import Prefix
from schema.node_query import NODES
from tests.isolation.attacker import random_id
from tests.isolation.operations import Maker, has_ids, root_fields
from tests.isolation.scene import CANARY, EVENTS, SEED, Scene, open_scene, run

# One scene for all: making it takes longer than most of what is tried on it.
pytestmark = pytest.mark.asyncio(loop_scope="module")
Connection = psycopg.Connection[Any]
NORMAL, SOAK = 200, 10_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(database_url: str, superuser_url: str) -> AsyncIterator[Scene]:
    async with open_scene(database_url, superuser_url) as opened:
        yield opened


async def test_every_kind_of_id_is_in_the_scene(scene: Scene) -> None:
    for tenant in (scene.mine, scene.theirs):
        assert [prefix for prefix in Prefix if not tenant.ids[prefix]] == []


async def test_foreign_ids_are_ids_of_nothing(scene: Scene, as_superuser: Connection) -> None:
    attackers = await run(scene, as_superuser, NORMAL)
    assert CANARY not in scene.log.getvalue()
    assert sum(each.seen for each in attackers) > NORMAL


@pytest.mark.soak
async def test_foreign_ids_are_ids_of_nothing_ten_thousand_times(scene: Scene, as_superuser: Connection) -> None:
    attackers = await run(scene, as_superuser, SOAK)
    assert CANARY not in scene.log.getvalue()
    assert sum(each.seen for each in attackers) > SOAK


async def test_each_place_for_an_id_is_looked_at(scene: Scene) -> None:
    """With everything else right and one foreign id, the answer says that there is no such thing.

    So the property above is not about requests that fail before any id is looked at.
    """
    attacker = scene.attackers(random.Random(SEED))[0]
    missed = []
    for kind, name, definition in root_fields():
        if not has_ids(definition):
            continue
        for path in [
            slot.path for slot in Maker(random.Random(SEED), every=True).operation(kind, name, definition).slots
        ]:
            for seed in range(6):
                operation = Maker(random.Random(seed), every=seed % 2 == 0).operation(kind, name, definition, 1)
                if path not in [slot.path for slot in operation.slots]:
                    continue
                difference = await attacker.compare(operation, {path})
                assert difference is None, difference
                if f"{name}:{path}" in attacker.reached:
                    break
            if f"{name}:{path}" not in attacker.reached:
                missed.append(f"{name}:{path}")
    assert missed == []


@pytest.mark.parametrize("prefix", sorted(set(NODES) | {Prefix.TENANT}))
async def test_a_foreign_node_is_nothing_one_by_one_and_in_a_crowd(scene: Scene, prefix: Prefix) -> None:
    theirs, mine = scene.theirs.ids[prefix], scene.mine.ids[prefix]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    api = scene.mine.world.api
    answers = (await api.ask(query, ids=[*theirs[:20], *mine[:1], random_id(prefix)]))["nodes"]
    assert answers[:-2] == [None] * len(theirs[:20])
    assert answers[-1] is None
    assert answers[-2]["id"] == mine[0]
    # They are the ids of something: whose they are sees them (but an upload that has not come).
    back = [each["id"] for each in (await scene.theirs.world.api.ask(query, ids=theirs[:20]))["nodes"] if each]
    assert back
    assert set(back) <= set(theirs)


async def test_a_socket_of_one_hears_nothing_of_the_other(scene: Scene) -> None:
    async with scene.mine.world.api.subscribe(EVENTS) as stream, scene.mine.dispatcher.api.subscribe(EVENTS) as other:
        for number in range(5):
            await scene.theirs.world.book(notes=f"{CANARY} {number}")
        await scene.mine.world.book(notes="mine")
        for each in (stream, other):
            text = json.dumps(await each.next())
            assert CANARY not in text
            assert '"mine"' in text


async def test_a_foreign_cursor_opens_no_stream(scene: Scene) -> None:
    """Also of a random tenant: whose a cursor is, is not told."""
    query = "subscription ($after: String) { appointmentEvents(after: $after) { cursor } }"
    codes = []
    for cursor in (scene.theirs.cursors[0], scene.theirs.cursors[0][::-1], "AQ", ""):
        async with websockets.connect(
            scene.mine.world.api.url.replace("http", "ws", 1),
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
            additional_headers=scene.mine.world.api.cookie_header,
        ) as socket:
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            payload = {"query": query, "variables": {"after": cursor}}
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            message = json.loads(await socket.recv())
            error = message["payload"][0]
            error["extensions"].pop("requestId")
            codes.append(error)
    assert codes[0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert all(each == codes[0] for each in codes)
