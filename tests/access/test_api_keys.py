"""Partners' keys: shown once, good for their scopes, worthless the moment they are revoked."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
import websockets

from auth.api_key import key_hash, new_key, prefix_of
from tests.access.people import Mailbox, add_user, code_of
from tests.service import Client, running_service
from tests.world import World

Connection = psycopg.Connection[Any]
FIELDS = "apiKey { id name prefix scopes expiresAt revokedAt lastUsedAt } key userErrors { code path message }"
CREATE = "mutation ($input: ApiKeyCreateInput!) { apiKeyCreate(input: $input) { key userErrors { code } } }"


async def make(world: World, *scopes: str, **rest: Any) -> Any:
    made = await world.api.do("apiKeyCreate", FIELDS, name="Zap", scopes=list(scopes or ["customers:read"]), **rest)
    assert made["userErrors"] == [], made
    return made


def partner(world: World, key: str, scheme: str = "Bearer") -> Client:
    client = world.service.client()
    client.http.headers["authorization"] = f"{scheme} {key}"
    return client


async def test_a_key_is_shown_once_and_works(world: World, as_superuser: Connection) -> None:
    made = await make(world, "customers:read", "tenant:read")
    key = made["key"]
    assert key.startswith("sps_live_")
    assert made["apiKey"]["prefix"] == key[:17] == prefix_of(key)
    row = as_superuser.execute("SELECT row_to_json(k)::text FROM api_keys k WHERE prefix = %s", (key[:17],)).fetchone()
    assert row
    assert key[17:] not in row[0]
    listed = (await world.api.ask("{ apiKeys { id name prefix scopes lastUsedAt } }"))["apiKeys"]
    assert key[17:] not in json.dumps(listed)
    assert listed[0]["lastUsedAt"] is None
    client = partner(world, key)
    viewer = (await client.ask("{ viewer { user { id } apiKey { id name } tenant { name } scopes } }"))["viewer"]
    assert viewer == {
        "user": None, "apiKey": {"id": made["apiKey"]["id"], "name": "Zap"}, "tenant": {"name": world.name},
        "scopes": ["customers:read", "tenant:read"],
    }  # fmt: skip
    assert (await client.ask("{ customers { totalCount } }"))["customers"]["totalCount"] == 1
    assert await code_of(client, "{ technicians { totalCount } }") == "FORBIDDEN"
    assert (await world.api.ask("{ apiKeys { lastUsedAt } }"))["apiKeys"][0]["lastUsedAt"] is not None


async def test_last_used_is_sampled(world: World, as_superuser: Connection) -> None:
    key = (await make(world))["key"]
    await partner(world, key).ask("{ viewer { scopes } }")
    seen = "SELECT last_used_at, xmin FROM api_keys WHERE prefix = %s"
    first = as_superuser.execute(seen, (key[:17],)).fetchone()
    await partner(world, key).ask("{ viewer { scopes } }")
    assert as_superuser.execute(seen, (key[:17],)).fetchone() == first
    as_superuser.execute(
        "UPDATE api_keys SET last_used_at = last_used_at - interval '2 minutes' WHERE prefix = %s", (key[:17],)
    )
    await partner(world, key).ask("{ viewer { scopes } }")
    later = as_superuser.execute(seen, (key[:17],)).fetchone()
    assert later
    assert first
    assert later[0] > first[0]


async def test_a_wrong_key_is_never_taken_for_nobody(world: World) -> None:
    key = (await make(world))["key"]
    wrong = [
        key[:-1], key + "x", key[:17], key[:17] + new_key()[17:], new_key(), key.upper(), "sps_live_", "x", "é", key[9:],
        "sps_test_" + key[9:], key + "\u00a0",
    ]  # fmt: skip
    for each in wrong:
        client = world.service.client()
        # Even beside a session that is good: whoever sends a key means the key.
        headers = {b"cookie": world.api.cookie_header["cookie"].encode(), b"authorization": f"Bearer {each}".encode()}
        answer = await client.http.post(client.url, json={"query": "{ viewer { scopes } }"}, headers=headers)
        assert answer.status_code == 401, each
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("header", ["", "Bearer", "Basic YTpi", "Token x", "sps_live_abc"])
async def test_a_header_that_names_no_key(world: World, header: str) -> None:
    client = world.service.client()
    answer = await client.http.post(
        client.url, json={"query": "{ viewer { scopes } }"}, headers={"authorization": header}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_name_is_read_in_any_case(world: World, scheme: str) -> None:
    key = (await make(world))["key"]
    assert (await partner(world, key, scheme).ask("{ viewer { scopes } }"))["viewer"]


async def test_a_revoked_key_is_worthless_at_once(world: World) -> None:
    made = await make(world)
    client = partner(world, made["key"])
    assert (await client.ask("{ viewer { scopes } }"))["viewer"]
    for _ in range(2):
        done = await world.api.do(
            "apiKeyRevoke", "apiKey { revokedAt } userErrors { code }", apiKeyId=made["apiKey"]["id"]
        )
        assert done["apiKey"]["revokedAt"]
    assert (await client.post("{ viewer { scopes } }")).status_code == 401


async def test_an_expired_key_is_worthless(world: World, as_superuser: Connection) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = await make(world, expiresAt=soon)
    client = partner(world, made["key"])
    assert (await client.ask("{ viewer { apiKey { expiresAt } } }"))["viewer"]
    as_superuser.execute(
        "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = %s", (made["key"][:17],)
    )
    assert (await client.post("{ viewer { scopes } }")).status_code == 401


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"scopes": []}, ["input", "scopes"]),
        ({"scopes": ["customers:read", "customers:fly"]}, ["input", "scopes", "1"]),
        ({"scopes": ["account:close"]}, ["input", "scopes", "0"]),
        ({"scopes": ["users:write"]}, ["input", "scopes", "0"]),
        ({"scopes": ["api_keys:write"]}, ["input", "scopes", "0"]),
        ({"name": " "}, ["input", "name"]),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, ["input", "expiresAt"]),
    ],
)
async def test_keys_that_cannot_be(world: World, values: Any, path: list[str]) -> None:
    made = await world.api.do("apiKeyCreate", FIELDS, **({"name": "Zap", "scopes": ["customers:read"]} | values))
    assert made["key"] is None
    assert [(each["code"], each["path"]) for each in made["userErrors"]] == [("INVALID_INPUT", path)]
    assert (await world.api.ask("{ apiKeys { id } }"))["apiKeys"] == []


async def test_nobody_gives_a_key_a_scope_that_they_lack(world: World, mailbox: Mailbox) -> None:
    admin = await add_user(world, mailbox, "ADMIN")
    values = {"name": "Z", "scopes": ["customers:read", "security:read"]}
    assert await code_of(admin.api, CREATE, input=values) == "FORBIDDEN"
    dispatcher = await add_user(world, mailbox, "DISPATCHER")
    assert await code_of(dispatcher.api, CREATE, input={"name": "Z", "scopes": ["customers:read"]}) == "FORBIDDEN"
    assert (await world.api.ask("{ apiKeys { id } }"))["apiKeys"] == []


async def test_what_is_for_people_is_not_for_keys(world: World) -> None:
    client = partner(world, (await make(world))["key"])
    for query in (
        "mutation { logOut { userErrors { code } } }",
        '{ secondFactor { enabled } }',
        'mutation { totpEnrol(input: {password: "x"}) { secret } }',
        'mutation { passwordChange(input: {currentPassword: "x", newPassword: "y"}) { userErrors { code } } }',
    ):  # fmt: skip
        assert await code_of(client, query) == "FORBIDDEN"


async def test_a_key_needs_no_csrf_header(world: World) -> None:
    client = partner(world, (await make(world, "customers:write"))["key"])
    made = await client.do("customerCreate", name="Keyed")
    assert made["userErrors"] == []


async def test_a_partners_appointments_are_marked(world: World) -> None:
    key = (await make(world, "appointments:write", "appointments:read"))["key"]
    client = partner(world, key)
    made = await client.do(
        "appointmentCreate", "appointment { source history { actor } } userErrors { code }",
        locationId=world.location, customerId=world.customer, addressId=world.address,
        lines=[{"serviceId": world.offer}],
    )  # fmt: skip
    assert made["appointment"] == {"source": "PARTNER", "history": [{"actor": "Zap (API key)"}]}


async def test_another_servers_secret_makes_another_hash(world: World, database_url: str) -> None:
    key = (await make(world))["key"]
    assert key_hash("one", key) != key_hash("two", key)
    async with running_service(database_url) as other, httpx.AsyncClient() as http:
        answer = await http.post(
            f"{other.origin}/graphql",
            json={"query": "{ viewer { scopes } }"},
            headers={"authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 401


async def talk(world: World, payload: Any = None, headers: dict[str, str] | None = None) -> Any:
    """The first message that answers a connection_init; the code when the socket is closed."""
    async with websockets.connect(
        world.api.url.replace("http", "ws", 1),
        subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        additional_headers=headers,
    ) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        try:
            if json.loads(await socket.recv())["type"] != "connection_ack":
                return None
            await socket.send(
                json.dumps({"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { apiKey { name } } }"}})
            )
            return json.loads(await socket.recv())["payload"]["data"]["viewer"]
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


async def test_keys_over_a_websocket(world: World) -> None:
    key = (await make(world))["key"]
    zap = {"apiKey": {"name": "Zap"}}
    assert await talk(world, {"apiKey": key}) == zap
    assert await talk(world, None, {"authorization": f"Bearer {key}"}) == zap
    assert await talk(world, {"apiKey": key}, world.api.cookie_header) == zap
    assert await talk(world, None, world.api.cookie_header) == {"apiKey": None}
    assert await talk(world) is None
    for wrong in (key[:-1], new_key(), "", 7, [key], {"key": key}, True):
        assert await talk(world, {"apiKey": wrong}, world.api.cookie_header) == 4401, wrong
    assert await talk(world, None, {"authorization": "Bearer nonsense"}) == 4401
