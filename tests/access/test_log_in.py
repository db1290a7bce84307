"""Logging in and out: passwords, cookies, sessions that end, and what an attacker learns."""

import asyncio
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher

from auth.passwords import AT_ONCE, LONGEST, Verdict, compare, hashed
from auth.tokens import token_hash
from tests.access.people import VIEWER, code_of, log_in
from tests.service import Service, running_service
from tests.world import PASSWORD, World

Connection = psycopg.Connection[Any]
WHO = "{ viewer { user { name } } }"


async def logged_in(client: Any) -> bool:
    return (await client.ask(WHO))["viewer"] is not None


async def test_logging_in_and_out(world: World) -> None:
    client = world.service.client()
    assert not await logged_in(client)
    done = await log_in(client, world.email.upper(), PASSWORD)
    assert done["userErrors"] == []
    assert done["viewer"]["user"]["role"] == "OWNER"
    assert await logged_in(client)
    stolen = client.cookie_header
    await client.ask("mutation { logOut { userErrors { code } } }")
    assert not client.http.cookies
    assert await code_of(world.service.client(), "{ tenant { id } }") == "UNAUTHENTICATED"
    thief = world.service.client()
    thief.http.headers.update(stolen)
    assert not await logged_in(thief)


async def test_the_cookies_on_loopback(service: Service) -> None:
    client = service.client()
    answer = await client.post(
        "mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }",
        input={
            "businessName": "Cookie Co",
            "name": "Cora",
            "email": f"c{service.port}@example.com",
            "password": PASSWORD,
        },
    )
    session, csrf = answer.headers.get_list("set-cookie")
    assert session.startswith("sps_session=")
    assert "; HttpOnly" in session
    assert csrf.startswith("sps_csrf=")
    assert "HttpOnly" not in csrf
    for cookie in (session, csrf):
        assert "; Path=/; Max-Age=1209600; SameSite=Lax" in cookie
        assert "Domain" not in cookie


async def test_the_cookies_over_https(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        client = service.client()
        client.http.headers["x-forwarded-proto"] = "https"
        answer = await client.post(
            "mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }",
            input={"businessName": "S", "name": "C", "email": f"s{service.port}@example.com", "password": PASSWORD},
        )
        session, csrf = answer.headers.get_list("set-cookie")
        assert session.startswith("__Host-sps_session=")
        assert csrf.startswith("__Host-sps_csrf=")
        assert session.endswith("; HttpOnly; Secure")
        assert csrf.endswith("; Secure")
        # The plain name counts for nothing there: a neighbour on the same host could have planted it.
        plain = {"cookie": session.partition(";")[0].removeprefix("__Host-"), "x-forwarded-proto": "https"}
        asked = await service.client().http.post(client.url, json={"query": WHO}, headers=plain)
        assert asked.json()["data"]["viewer"] is None


async def test_tokens_are_kept_as_hashes(world: World, as_superuser: Connection) -> None:
    token = world.api.http.cookies["sps_session"]
    found = as_superuser.execute("SELECT id FROM sessions WHERE token_hash = %s", (token_hash(token),)).fetchall()
    assert len(found) == 1
    assert token_hash(token) != token.encode()
    assert len(token) == 43  # 256 bits in base 64
    stored = as_superuser.execute("SELECT password_hash FROM users WHERE email = %s", (world.email,)).fetchone()
    assert stored
    assert stored[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["", "wrong password", PASSWORD + "x", "x" * 129, PASSWORD.upper()])
async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(world: World, password: str) -> None:
    answers = []
    for email in (world.email, f"nobody-{world.email}"):
        answers.append(
            (
                await world.service.client().post(
                    "mutation ($input: LogInInput!) { logIn(input: $input) { viewer { scopes } userErrors { code message path } } }",
                    input={"email": email, "password": password},
                )
            ).json()
        )
        answers[-1]["extensions"] = None
    assert answers[0] == answers[1]
    assert answers[0]["data"]["logIn"]["userErrors"][0]["code"] == "INVALID_CREDENTIALS"


async def test_logging_in_anew_ends_the_session_before(world: World) -> None:
    before = world.api.cookie_header
    assert (await log_in(world.api, world.email, PASSWORD))["userErrors"] == []
    assert world.api.cookie_header != before
    assert await logged_in(world.api)
    other = world.service.client()
    other.http.headers.update(before)
    assert not await logged_in(other)


async def test_a_session_ends_when_it_is_not_used(world: World, as_superuser: Connection) -> None:
    hash_ = token_hash(world.api.http.cookies["sps_session"])
    age = "UPDATE sessions SET last_seen_at = now() - %s::interval WHERE token_hash = %s"
    as_superuser.execute(age, ("71 hours", hash_))
    assert await logged_in(world.api)
    seen = as_superuser.execute("SELECT now() - last_seen_at FROM sessions WHERE token_hash = %s", (hash_,)).fetchone()
    assert seen
    assert seen[0].total_seconds() < 60
    as_superuser.execute(age, ("73 hours", hash_))
    assert not await logged_in(world.api)


async def test_a_session_ends_after_fourteen_days_however_much_it_is_used(
    world: World, as_superuser: Connection
) -> None:
    hash_ = token_hash(world.api.http.cookies["sps_session"])
    life = as_superuser.execute(
        "SELECT expires_at - created_at FROM sessions WHERE token_hash = %s", (hash_,)
    ).fetchone()
    assert life
    assert round(life[0].total_seconds()) == 14 * 86_400
    as_superuser.execute("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE token_hash = %s", (hash_,))
    assert not await logged_in(world.api)


async def test_a_hash_of_other_parameters_is_renewed(world: World, as_superuser: Connection) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    as_superuser.execute("UPDATE users SET password_hash = %s WHERE email = %s", (old, world.email))
    assert await compare(old, PASSWORD) is Verdict.OUTDATED
    assert (await log_in(world.service.client(), world.email, PASSWORD))["userErrors"] == []
    new = as_superuser.execute("SELECT password_hash FROM users WHERE email = %s", (world.email,)).fetchone()
    assert new
    assert await compare(new[0], PASSWORD) is Verdict.RIGHT


@pytest.mark.parametrize(
    "password",
    ["short77", "x" * 129, "password1", "12345678", "qwertyuiop", "Business", "letmein1"],
)
async def test_weak_passwords_are_refused(service: Service, password: str) -> None:
    made = await service.client().do(
        "signUp", f"{VIEWER} userErrors {{ code path }}",
        businessName="Business", name="Bea", email=f"weak{service.port}@example.com", password=password,
    )  # fmt: skip
    assert made == {"viewer": None, "userErrors": [{"code": "WEAK_PASSWORD", "path": ["input", "password"]}]}


@pytest.mark.parametrize(
    "password", ["vkQ9#tLm", "ρόδα-ψωμί-κύμα-νερό", "é" * 3 + "tang-ligne-fort", "k" + "9Zx!" * 31 + "abc"]
)
async def test_passwords_of_any_script_and_length_within_the_bounds_work(world: World, password: str) -> None:
    assert 8 <= len(password) <= LONGEST
    client = world.service.client()
    made = await client.do(
        "signUp", f"{VIEWER} userErrors {{ code path message }}",
        businessName="Any", name="Ann", email=f"any{hash(password) % 10_000}-{world.email}", password=password,
    )  # fmt: skip
    assert made["userErrors"] == []
    again = await log_in(world.service.client(), made["viewer"]["user"]["email"], password)
    assert again["userErrors"] == []


async def test_a_password_is_the_same_however_a_keyboard_composes_it() -> None:
    stored = await hashed("caf\u00e9 du coin")
    assert await compare(stored, "cafe\u0301 du coin") is Verdict.RIGHT


async def test_hashing_never_takes_more_than_its_share_of_threads() -> None:
    stored = await hashed("a crowd at the door")
    verdicts = await asyncio.gather(*(compare(stored, f"guess {number}") for number in range(12)))
    assert set(verdicts) == {Verdict.WRONG}
    import threading

    assert sum(thread.name.startswith("passwords") for thread in threading.enumerate()) <= AT_ONCE


async def test_ten_guesses_at_an_account_then_one_a_minute(world: World) -> None:
    query = "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { code } } }"
    # Guessed all at once: each is counted before its password is looked at.
    for email in (world.email, f"unknown-{world.email}"):
        answers = await asyncio.gather(
            *(
                world.service.client().post(query, input={"email": email, "password": f"guess {number}"})
                for number in range(14)
            )
        )
        bodies = [answer.json() for answer in answers]
        throttled = [body for body in bodies if body["data"] is None]
        assert len(throttled) == 4
        assert {body["errors"][0]["extensions"]["code"] for body in throttled} == {"THROTTLED"}
        assert all(0 < body["errors"][0]["extensions"]["retryAfter"] <= 60 for body in throttled)
        assert sum("retry-after" in answer.headers for answer in answers) == 4
    # Neither does the right password get in now: a lock that opened for it would tell that it is right.
    body = (await world.service.client().post(query, input={"email": world.email, "password": PASSWORD})).json()
    assert body["errors"][0]["extensions"]["code"] == "THROTTLED"


async def test_what_ends_well_is_not_counted(world: World) -> None:
    for _ in range(12):
        assert (await log_in(world.service.client(), world.email, PASSWORD))["userErrors"] == []


async def test_guesses_from_one_place_are_counted_over_all_accounts(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:

        async def guess(number: int, place: str) -> str:
            client = service.client()
            client.http.headers.update({"x-forwarded-for": place, "x-forwarded-proto": "https"})
            return await code_of(
                client,
                "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { code } } }",
                input={"email": f"guess{number}@{place}.example.com", "password": "guess"},
            ) or "answered"  # fmt: skip

        answers = [await guess(number, "203.0.113.9") for number in range(52)]
        assert answers[:50] == ["answered"] * 50
        assert "THROTTLED" in answers[50:]
        assert await guess(99, "203.0.113.10") == "answered"


async def test_without_its_count_nobody_gets_in(world: World, as_superuser: Connection) -> None:
    """The throttle fails closed: when it cannot be asked, even the right password is refused."""
    function = "take_attempt(bytea[], double precision[], double precision[])"
    as_superuser.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM sps_app")
    try:
        client = world.service.client()
        refused = await code_of(
            client,
            "mutation ($input: LogInInput!) { logIn(input: $input) { userErrors { code } } }",
            input={"email": world.email, "password": PASSWORD},
        )
        assert refused == "INTERNAL"
        assert not client.http.cookies
    finally:
        as_superuser.execute(f"GRANT EXECUTE ON FUNCTION {function} TO sps_app")
    assert (await log_in(client, world.email, PASSWORD))["userErrors"] == []


async def test_a_taken_address_is_told_and_counted(database_url: str) -> None:
    async with running_service(database_url, trusted_proxies="127.0.0.1") as service:
        client = service.client()
        client.http.headers.update({"x-forwarded-for": "203.0.113.77", "x-forwarded-proto": "https"})

        async def sign_up(email: str) -> Any:
            answer = await client.post(
                "mutation ($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }",
                input={"businessName": "Taken", "name": "T", "email": email, "password": "weak"},
            )
            return answer.json()

        first = await sign_up(f"taken{service.port}@example.com")
        assert first["data"]["signUp"]["userErrors"] == [{"code": "WEAK_PASSWORD"}]
        codes = [(await sign_up(f"taken{service.port}@example.com"))["data"] for _ in range(51)]
        assert None in codes
