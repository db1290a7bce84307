"""What a hostile client may put into the account mutations: each a clear refusal, and nothing has changed."""

import asyncio
from typing import Any

import psycopg
import pytest

from tests.access.people import Mailbox, code_of
from tests.world import PASSWORD, World

Connection = psycopg.Connection[Any]
HOSTILE = [
    "\0",
    "a\0b" * 5,
    "x" * 301,
    "\u202e" * 300 + "xx",
    "'; DROP TABLE users; --",
    "%s%s%n",
    "{{7*7}}",
    "<script>",
]
ROWS = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM api_keys), (SELECT count(*) FROM sessions), (SELECT count(*) FROM tenants)"


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_texts_log_nobody_in(world: World, as_superuser: Connection, text: str) -> None:
    before = as_superuser.execute(ROWS).fetchone()
    for mutation, values in (
        ("logIn", {"email": text, "password": PASSWORD}),
        ("logIn", {"email": world.email, "password": text}),
        ("logIn", {"email": world.email, "password": "wrong", "totpCode": text}),
        ("passwordReset", {"token": text, "newPassword": PASSWORD + "!"}),
        ("invitationAccept", {"token": text, "password": PASSWORD + "!"}),
        ("signUp", {"businessName": "B", "name": "N", "email": text, "password": PASSWORD}),
    ):
        done = await world.service.client().do(mutation, **values)
        assert done["userErrors"], (mutation, values)
        assert done["userErrors"][0]["code"] in {"INVALID_INPUT", "INVALID_CREDENTIALS", "TOKEN_EXPIRED"}, done
    assert as_superuser.execute(ROWS).fetchone() == before


async def test_lone_surrogates_are_refused(world: World) -> None:
    client = world.service.client()
    body = '{"query": "mutation ($i: LogInInput!) { logIn(input: $i) { userErrors { code } } }", "variables": {"i": {"email": "%s", "password": "\\ud800"}}}'
    answer = await client.http.post(
        client.url, content=body % world.email, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (200, 400)
    assert "INTERNAL" not in answer.text
    assert not client.http.cookies


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "é", "\x01", "x" * 8_000, "../..", '"quoted"', "a=b"])
async def test_cookies_that_are_none(world: World, cookie: str) -> None:
    client = world.service.client()
    answer = await client.http.post(
        client.url,
        json={"query": "{ viewer { scopes } }"},
        headers=[(b"cookie", b"sps_session=" + cookie.encode()), (b"content-type", b"application/json")],
    )
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.json()["data"] == {"viewer": None}


@pytest.mark.parametrize(
    "key", ["sps_live_" + "0" * 51, "sps_live_" + "é" * 51, "sps_live_" + "x" * 5_000, "Bearer Bearer"]
)
async def test_keys_that_are_none(world: World, key: str) -> None:
    client = world.service.client()
    answer = await client.http.post(
        client.url,
        json={"query": "{ viewer { scopes } }"},
        headers=[(b"authorization", b"Bearer " + key.encode()), (b"content-type", b"application/json")],
    )
    assert answer.status_code in (400, 401)


@pytest.mark.parametrize(
    "scope", ["*", "customers:*", "CUSTOMERS:READ", " customers:read", "customers:read\0", "x" * 400]
)
async def test_scopes_that_are_none(world: World, scope: str) -> None:
    made = await world.api.do("apiKeyCreate", "key userErrors { code path }", name="K", scopes=[scope])
    assert made["key"] is None
    assert made["userErrors"][0]["code"] == "INVALID_INPUT"
    assert made["userErrors"][0]["path"] == ["input", "scopes", "0"]


async def test_an_email_in_other_letters_is_the_same_account(world: World, mailbox: Mailbox) -> None:
    made = await world.service.client().do(
        "signUp", businessName="B", name="N", email=f"  {world.email.upper()} ", password=PASSWORD
    )
    assert made["userErrors"][0]["code"] == "EMAIL_TAKEN"


async def test_mutations_in_one_request_cannot_be_crowded(world: World) -> None:
    """Two log-ins by alias would be two guesses for one."""
    query = 'mutation { a: logIn(input: {email: "a@b.c", password: "x"}) { userErrors { code } } b: logIn(input: {email: "a@b.c", password: "y"}) { userErrors { code } } }'
    assert await code_of(world.service.client(), query) in {"QUERY_TOO_COMPLEX", "BAD_USER_INPUT"}


async def test_a_password_that_is_dear_to_judge_is_judged_soon(world: World) -> None:
    """Letters that can each stand for another: unbounded, these took a core for ten seconds and more."""
    async with asyncio.timeout(8):
        made = await world.service.client().do(
            "signUp", businessName="B", name="N", email=f"dear-{world.email}", password="4@8({[<369!1|0$57+%2" * 6
        )
    assert [each["code"] for each in made["userErrors"]] in ([], ["WEAK_PASSWORD"])
