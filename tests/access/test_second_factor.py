"""The second factor: set up, asked for, used once, recovered from, and asked of everybody."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pyotp
import pytest

from auth.second_factor import matching_step, new_recovery_codes, shared_secret
from tests.access.people import PASSWORD as STRONG
from tests.access.people import Mailbox, add_user, code_now, code_of, enrol, log_in
from tests.world import PASSWORD, World

Connection = psycopg.Connection[Any]
LOG_IN = "mutation ($input: LogInInput!) { logIn(input: $input) { viewer { scopes } userErrors { code path } } }"


def forget_last_step(as_superuser: Connection) -> None:
    """As if half a minute had gone by: the code of now may be taken again."""
    as_superuser.execute("UPDATE second_factors SET last_step = 0")


async def codes(world: World, email: str, password: str, code: str | None) -> list[str]:
    done = await log_in(world.service.client(), email, password, totpCode=code)
    return [each["code"] for each in done["userErrors"]]


async def test_log_in_asks_for_a_code_once_it_is_confirmed(world: World, as_superuser: Connection) -> None:
    made = await world.api.do("totpEnrol", "secret uri userErrors { code }", password=PASSWORD)
    parsed = pyotp.parse_uri(made["uri"])
    assert (parsed.secret, parsed.name, parsed.issuer) == (made["secret"], world.email, "Service Pro Stream")
    # Begun is not set up: nobody is locked out by a QR code that was never scanned.
    assert await codes(world, world.email, PASSWORD, None) == []
    wrong = await world.api.do("totpConfirm", "recoveryCodes userErrors { code path }", code="000000")
    assert wrong == {"recoveryCodes": [], "userErrors": [{"code": "INVALID_INPUT", "path": ["input", "code"]}]}
    done = await world.api.do("totpConfirm", "recoveryCodes userErrors { code }", code=code_now(made["secret"]))
    assert len(set(done["recoveryCodes"])) == 10
    required = await log_in(world.service.client(), world.email, PASSWORD)
    assert required["viewer"] is None
    assert [(each["code"], each["path"]) for each in required["userErrors"]] == [
        ("SECOND_FACTOR_REQUIRED", ["input", "totpCode"])
    ]
    # Only to who knows the password is it told that there is a second factor.
    assert await codes(world, world.email, "wrong", None) == ["INVALID_CREDENTIALS"]
    assert await codes(world, world.email, "wrong", code_now(made["secret"])) == ["INVALID_CREDENTIALS"]
    forget_last_step(as_superuser)
    assert await codes(world, world.email, PASSWORD, code_now(made["secret"])) == []
    state = (await world.api.ask("{ secondFactor { enabled recoveryCodesLeft } }"))["secondFactor"]
    assert state == {"enabled": True, "recoveryCodesLeft": 10}


async def test_no_code_counts_twice(world: World, as_superuser: Connection) -> None:
    secret, _ = await enrol(world.api, PASSWORD)
    code = code_now(secret)
    # The code that confirmed it is used up.
    assert await codes(world, world.email, PASSWORD, code) == ["INVALID_CREDENTIALS"]
    forget_last_step(as_superuser)
    attempts = await asyncio.gather(*(codes(world, world.email, PASSWORD, code) for _ in range(5)))
    assert sorted(attempts) == [[]] + [["INVALID_CREDENTIALS"]] * 4
    # Nor does an older one, once a younger was taken.
    assert await codes(world, world.email, PASSWORD, code_now(secret, -1)) == ["INVALID_CREDENTIALS"]


@pytest.mark.parametrize("code", ["", " ", "0", "abcdef", "000000 000000", "1234567", "é", "-", "٠١٢٣٤٥"])
async def test_codes_that_are_none(world: World, code: str) -> None:
    await enrol(world.api, PASSWORD)
    expected = "SECOND_FACTOR_REQUIRED" if not code.strip() else "INVALID_CREDENTIALS"
    assert await codes(world, world.email, PASSWORD, code) == [expected]


async def test_a_recovery_code_works_once(world: World, as_superuser: Connection) -> None:
    _, recovery = await enrol(world.api, PASSWORD)
    for row in as_superuser.execute("SELECT row_to_json(r)::text FROM recovery_codes r").fetchall():
        assert not any(code in row[0] or code.replace("-", "") in row[0] for code in recovery)
    first, second = recovery[0], recovery[1].replace("-", "").upper()
    attempts = await asyncio.gather(*(codes(world, world.email, PASSWORD, first) for _ in range(4)))
    assert sorted(attempts) == [[]] + [["INVALID_CREDENTIALS"]] * 3
    assert await codes(world, world.email, PASSWORD, second) == []
    assert await codes(world, world.email, PASSWORD, new_recovery_codes()[0]) == ["INVALID_CREDENTIALS"]
    state = (await world.api.ask("{ secondFactor { recoveryCodesLeft } }"))["secondFactor"]
    assert state == {"recoveryCodesLeft": 8}


async def test_guessing_codes_is_throttled(world: World) -> None:
    await enrol(world.api, PASSWORD)
    answers = [
        await code_of(
            world.service.client(),
            LOG_IN,
            input={"email": world.email, "password": PASSWORD, "totpCode": f"{number:06}"},
        )
        for number in range(12)
    ]
    assert answers.count("THROTTLED") == 2
    # Asking for the code is no guess.


async def test_turning_it_off_needs_password_and_code(world: World, as_superuser: Connection) -> None:
    secret, recovery = await enrol(world.api, PASSWORD)
    forget_last_step(as_superuser)
    for password, code in (("wrong", code_now(secret)), (PASSWORD, "000000"), (PASSWORD, "")):
        refused = await world.api.do("totpDisable", password=password, code=code)
        assert refused["userErrors"][0]["code"] in {"INVALID_CREDENTIALS", "SECOND_FACTOR_REQUIRED"}
    again = await world.api.do("totpEnrol", "secret userErrors { code }", password=PASSWORD)
    assert again == {"secret": None, "userErrors": [{"code": "IN_USE"}]}
    assert (await world.api.do("totpDisable", password=PASSWORD, code=recovery[3]))["userErrors"] == []
    assert await codes(world, world.email, PASSWORD, None) == []
    missing = await world.api.do("totpDisable", password=PASSWORD, code=code_now(secret))
    assert missing["userErrors"][0]["code"] == "NOT_FOUND"
    other, _ = await enrol(world.api, PASSWORD)
    assert other != secret


async def test_the_secret_follows_from_the_servers_key_and_is_kept_nowhere(
    world: World, as_superuser: Connection
) -> None:
    secret, _ = await enrol(world.api, PASSWORD)
    for row in as_superuser.execute("SELECT row_to_json(f)::text FROM second_factors f").fetchall():
        assert secret not in row[0]
    user = as_superuser.execute(
        "SELECT f.user_id, f.nonce FROM second_factors f JOIN users u ON u.id = f.user_id WHERE u.email = %s",
        (world.email,),
    ).fetchone()
    assert user
    key = world.service.app.state.settings.secret_key.get_secret_value()
    assert shared_secret(key, user[0], user[1]) == secret
    assert shared_secret("another", user[0], user[1]) != secret


def test_codes_of_the_steps_around_now_count_and_no_others() -> None:
    shared = pyotp.random_base32()
    now = datetime(2027, 3, 2, 15, 0, 7, tzinfo=UTC)
    current = int(now.timestamp()) // 30
    generator = pyotp.TOTP(shared)
    for around in range(-3, 4):
        found = matching_step(shared, generator.generate_otp(current + around), now, 0)
        assert found == (current + around if abs(around) <= 1 else None)
    assert matching_step(shared, generator.generate_otp(current), now, current) is None


async def test_an_owner_can_ask_it_of_everybody(world: World, mailbox: Mailbox) -> None:
    person = await add_user(world, mailbox, "DISPATCHER")
    rule = "tenant { requireSecondFactor } userErrors { code path }"
    early = await world.api.do("secondFactorRequire", rule, required=True)
    assert early == {"tenant": None, "userErrors": [{"code": "INVALID_INPUT", "path": ["input", "required"]}]}
    await enrol(world.api, PASSWORD)
    assert (await world.api.do("secondFactorRequire", rule, required=True))["tenant"] == {"requireSecondFactor": True}
    assert (await world.api.ask("{ viewer { secondFactorMissing } customers { totalCount } }"))["customers"]
    # Who has none can do nothing but set one up, with the session of before as with a new one.
    for client in (person.api, world.service.client()):
        if client is not person.api:
            assert (await log_in(client, person.email))["viewer"]["secondFactorMissing"] is True
        viewer = (await client.ask("{ viewer { scopes secondFactorMissing user { name } } }"))["viewer"]
        assert viewer == {"scopes": [], "secondFactorMissing": True, "user": {"name": "Uma User"}}
        for query in (
            "{ customers { totalCount } }",
            "{ tenant { id } }",
            '{ dispatchBoard(day: "2027-03-02") { day } }',
        ):
            body = (await client.post(query)).json()
            assert body["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert body["errors"][0]["extensions"]["secondFactorMissing"] is True
    await enrol(person.api, STRONG)
    assert (await person.api.ask("{ viewer { secondFactorMissing } customers { totalCount } }"))["viewer"] == {
        "secondFactorMissing": False
    }
    admin = await add_user(world, mailbox, "ADMIN", "Adam Admin")
    query = "mutation { secondFactorRequire(input: {required: false}) { tenant { id } } }"
    assert await code_of(admin.api, query) == "FORBIDDEN"
    assert (await world.api.do("secondFactorRequire", rule, required=False))["tenant"] == {"requireSecondFactor": False}
    assert (await log_in(admin.api, admin.email))["viewer"]["secondFactorMissing"] is False
