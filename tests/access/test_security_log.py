"""The security log: what it tells, to whom, and that nobody can take it back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from integrations.geoip import city_of
from models.database import Database
from models.security_event import forget_access
from tests.access.mmdb import write
from tests.access.people import Mailbox, add_user, code_of, deliver_mails, enrol, log_in, security_events
from tests.service import running_service
from tests.world import PASSWORD, World, new_world

Connection = psycopg.Connection[Any]


async def test_who_came_in_and_who_did_not(world: World) -> None:
    client = world.service.client()
    client.http.headers["user-agent"] = "Sleuth/1.0"
    await log_in(client, world.email, "not it")
    await log_in(client, f"nobody-{world.email}", "not it")
    await log_in(client, world.email, PASSWORD)
    await client.ask("mutation { logOut { userErrors { code } } }")
    found = await security_events(world, "LOGGED_OUT", "LOGGED_IN", "LOG_IN_FAILED", "SIGNED_UP")
    assert sorted(each["type"] for each in found) == ["LOGGED_IN", "LOGGED_OUT", "LOG_IN_FAILED", "SIGNED_UP"]
    by = {each["type"]: each for each in found}
    assert by["LOG_IN_FAILED"]["actor"] is None
    assert by["LOG_IN_FAILED"]["details"] == {"reason": "password"}
    assert by["LOGGED_IN"]["actor"] == "Olive Owner"
    assert by["LOGGED_IN"]["details"] == {"secondFactor": "none"}
    for each in by.values():
        assert each["ip"] == "127.0.0.1"
        assert each["city"] is None
        assert each["userAgent"] == ("Sleuth/1.0" if each["type"] != "SIGNED_UP" else each["userAgent"])


async def test_changes_of_roles_keys_and_second_factors(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER", "Dana Disp")
    await world.api.do("userRoleChange", userId=person.id, role="VIEWER")
    await world.api.do("userRemove", userId=person.id)
    key = await world.api.do("apiKeyCreate", "apiKey { id } key userErrors { code }", name="Z", scopes=["tenant:read"])
    await world.api.do("apiKeyRevoke", apiKeyId=key["apiKey"]["id"])
    _, codes = await enrol(world.api, PASSWORD)
    await log_in(world.service.client(), world.email, PASSWORD, totpCode="000000")
    await log_in(world.service.client(), world.email, PASSWORD, totpCode=codes[0])
    await world.api.do("secondFactorRequire", required=True)
    await world.api.do("totpDisable", password=PASSWORD, code=codes[1])
    await enrol(world.api, PASSWORD)
    found = await security_events(world, "LOG_IN_FAILED", "SECOND_FACTOR_RULE_CHANGED")
    found = (await world.api.ask("{ securityEvents { nodes { type details actor } } }"))["securityEvents"]["nodes"]
    told = {each["type"]: each["details"] for each in reversed(found)}
    assert told["USER_INVITED"] == {"userId": person.id, "role": "DISPATCHER"}
    assert told["INVITATION_ACCEPTED"] == {}
    assert told["ROLE_CHANGED"] == {"userId": person.id, "before": "DISPATCHER", "after": "VIEWER"}
    assert told["USER_REMOVED"] == {"userId": person.id, "role": "VIEWER"}
    assert told["API_KEY_CREATED"] == {"apiKeyId": key["apiKey"]["id"], "scopes": ["tenant:read"], "expiresAt": None}
    assert told["API_KEY_REVOKED"] == {"apiKeyId": key["apiKey"]["id"]}
    assert told["LOG_IN_FAILED"] == {"reason": "second factor"}
    assert told["LOGGED_IN"] == {"secondFactor": "recovery code"}
    assert told["SECOND_FACTOR_RULE_CHANGED"] == {"required": True}
    assert {"SECOND_FACTOR_ENABLED", "SECOND_FACTOR_DISABLED"} <= set(told)
    text = json.dumps(found)
    for secret in (key["key"], codes[0], world.email, PASSWORD):
        assert secret not in text


async def test_resets_and_failed_confirmations(world: World, mailbox: Mailbox) -> None:
    await world.service.client().do("passwordResetRequest", email=world.email)
    await deliver_mails(world.service, mailbox)
    await world.api.do("passwordChange", currentPassword="wrong", newPassword="a stable of quiet zebras")
    await world.service.client().do(
        "passwordReset", token=mailbox.token(world.email), newPassword="a stable of quiet zebras"
    )
    await log_in(world.api, world.email, "a stable of quiet zebras")
    found = await security_events(world, "PASSWORD_RESET_REQUESTED", "PASSWORD_CONFIRMATION_FAILED", "PASSWORD_RESET")
    assert [each["type"] for each in found] == [
        "PASSWORD_RESET", "PASSWORD_CONFIRMATION_FAILED", "PASSWORD_RESET_REQUESTED"
    ]  # fmt: skip
    assert [each["ip"] for each in found] == ["127.0.0.1"] * 3


async def test_denials_once_a_minute_for_the_same(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "VIEWER", "Vera Viewer")
    for _ in range(3):
        assert await code_of(person.api, "{ users { id } }") == "FORBIDDEN"
        assert await code_of(person.api, "query ($id: ID!) { node(id: $id) { id } }", id=person.id) == "FORBIDDEN"
    assert (
        await code_of(person.api, 'mutation { customerCreate(input: {name: "x"}) { customer { id } } }') == "FORBIDDEN"
    )
    found = await security_events(world, "ACCESS_DENIED")
    while len(found) < 2:
        await asyncio.sleep(0.02)
        found = await security_events(world, "ACCESS_DENIED")
    assert {each["actor"] for each in found} == {"Vera Viewer"}
    assert sorted(each["details"]["scope"] for each in found) == ["customers:write", "users:read"]


async def test_owners_read_it_in_pages_and_nobody_else(world: World, mailbox: Mailbox) -> None:
    query = "query ($after: String) { securityEvents(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } }"
    for _ in range(4):
        await log_in(world.service.client(), world.email, PASSWORD)
    seen: list[str] = []
    after = None
    while True:
        page = (await world.api.ask(query, after=after))["securityEvents"]
        seen += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(set(seen)) == len(seen) == page["totalCount"] == 5
    node = await world.api.ask("query ($id: ID!) { node(id: $id) { id ... on SecurityEvent { type } } }", id=seen[0])
    assert node["node"] == {"id": seen[0], "type": "LOGGED_IN"}
    for role in ("ADMIN", "DISPATCHER", "TECHNICIAN", "VIEWER"):
        person = await add_user(world, mailbox, role)
        assert await code_of(person.api, "{ securityEvents { totalCount } }") == "FORBIDDEN"


async def test_the_app_can_add_and_not_take_back(world: World, database_url: str, database: Database) -> None:
    tenant = (await world.api.ask("{ tenant { id } }"))["tenant"]["id"]
    assert tenant
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for statement in (
            "UPDATE security_events SET actor = 'nobody'",
            "DELETE FROM security_events",
            "TRUNCATE security_events",
            "ALTER TABLE security_events DISABLE ROW LEVEL SECURITY",
            "DROP TABLE security_events",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)


async def test_entries_go_after_a_year_and_none_before(
    world: World, database: Database, as_superuser: Connection
) -> None:
    rows = as_superuser.execute(
        "UPDATE security_events SET occurred_at = now() - interval '364 days 23 hours'"
        " WHERE type = 'SIGNED_UP' RETURNING id"
    ).fetchall()
    assert rows
    await log_in(world.api, world.email, PASSWORD)
    as_superuser.execute(
        "UPDATE security_events SET occurred_at = now() - interval '365 days 1 hour' WHERE type = 'LOGGED_IN'"
    )
    async with database.anonymous() as session:
        await forget_access(session)
    kept = {each["type"] for each in await security_events(world)}
    assert kept == {"SIGNED_UP"}


async def test_the_city_of_an_address(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "cities.mmdb"
    write(file, {"203.0.113.0/24": "Austin", "198.51.100.0/25": "San Marcos", "2001:db8::/32": "Round Rock"})
    assert city_of(file, "203.0.113.7") == "Austin"
    assert city_of(file, "198.51.100.130") is None
    assert city_of(file, "2001:db8::1") == "Round Rock"
    assert city_of(file, None) is None
    assert city_of(None, "203.0.113.7") is None
    broken = tmp_path / "broken.mmdb"
    broken.write_bytes(b"not a database")
    assert city_of(broken, "203.0.113.7") is None
    assert city_of(tmp_path / "missing.mmdb", "203.0.113.7") is None
    async with (
        running_service(database_url, geoip_file=file, trusted_proxies="127.0.0.1") as service,
        new_world(service) as world,
    ):
        client = service.client()
        client.http.headers.update({"x-forwarded-for": "198.51.100.4", "x-forwarded-proto": "https"})
        await log_in(client, world.email, PASSWORD)
        (entry,) = await security_events(world, "LOGGED_IN")
        assert (entry["ip"], entry["city"]) == ("198.51.100.4", "San Marcos")
