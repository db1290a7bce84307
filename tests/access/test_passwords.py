"""Changing and resetting passwords: links that work once, sessions that end, and nothing told about who has an account."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from auth.account_token import TokenPurpose, account_token, read_account_token
from tests.access.people import PASSWORD as STRONG
from tests.access.people import Mailbox, add_user, code_of, deliver_mails, log_in
from tests.service import Client
from tests.world import PASSWORD, World

Connection = psycopg.Connection[Any]
NEW = "a stable full of quiet zebras"


async def ask(client: Client, email: str) -> Any:
    return await client.do("passwordResetRequest", email=email)


async def reset(client: Client, token: str, password: str = NEW) -> Any:
    return (await client.do("passwordReset", token=token, newPassword=password))["userErrors"]


async def link(world: World, mailbox: Mailbox) -> str:
    assert await ask(world.service.client(), world.email) == {"userErrors": []}
    await deliver_mails(world.service, mailbox)
    return mailbox.token(world.email, "new password")


async def alive(client: Client) -> bool:
    return (await client.ask("{ viewer { user { id } } }"))["viewer"] is not None


async def test_a_reset_sets_the_password_and_ends_all_sessions(world: World, mailbox: Mailbox) -> None:
    other = world.service.client()
    await log_in(other, world.email, PASSWORD)
    token = await link(world, mailbox)
    assert await alive(world.api)
    stranger = world.service.client()
    assert await reset(stranger, token) == []
    assert not stranger.http.cookies
    assert not await alive(world.api)
    assert not await alive(other)
    assert (await log_in(stranger, world.email, PASSWORD))["userErrors"][0]["code"] == "INVALID_CREDENTIALS"
    assert (await log_in(stranger, world.email, NEW))["userErrors"] == []
    await deliver_mails(world.service, mailbox)
    assert mailbox.to(world.email) == ["Set a new password", "Your password was changed"]


async def test_a_link_works_once(world: World, mailbox: Mailbox) -> None:
    token = await link(world, mailbox)
    assert await reset(world.service.client(), token) == []
    gone = [{"code": "TOKEN_EXPIRED", "path": ["input", "token"]}]
    assert await reset(world.service.client(), token, "yet another long password 7") == gone
    assert (await log_in(world.service.client(), world.email, NEW))["userErrors"] == []


async def test_of_two_who_use_a_link_at_one_moment_one_wins(world: World, mailbox: Mailbox) -> None:
    token = await link(world, mailbox)
    passwords = [f"quiet zebra number {number}" for number in range(6)]
    outcomes = await asyncio.gather(*(reset(world.service.client(), token, each) for each in passwords))
    winners = [password for password, errors in zip(passwords, outcomes, strict=True) if errors == []]
    assert len(winners) == 1
    assert {errors[0]["code"] for errors in outcomes if errors} == {"TOKEN_EXPIRED"}
    assert (await log_in(world.service.client(), world.email, winners[0]))["userErrors"] == []


async def test_using_one_link_ends_the_others(world: World, mailbox: Mailbox) -> None:
    first, second = await link(world, mailbox), await link(world, mailbox)
    assert first != second
    assert await reset(world.service.client(), second) == []
    assert (await reset(world.service.client(), first))[0]["code"] == "TOKEN_EXPIRED"


async def test_a_link_works_for_thirty_minutes(world: World, mailbox: Mailbox, as_superuser: Connection) -> None:
    token = await link(world, mailbox)
    life = as_superuser.execute(
        "SELECT t.expires_at - t.created_at FROM account_tokens t JOIN users u ON u.id = t.user_id WHERE u.email = %s",
        (world.email,),
    ).fetchone()
    assert life
    assert timedelta(minutes=29) < life[0] <= timedelta(minutes=30)
    as_superuser.execute("UPDATE account_tokens SET expires_at = now() - interval '1 second'")
    assert (await reset(world.service.client(), token))[0]["code"] == "TOKEN_EXPIRED"


async def test_tokens_that_are_none(world: World, mailbox: Mailbox) -> None:
    token = await link(world, mailbox)
    secret = world.service.app.state.settings.secret_key.get_secret_value()
    named = read_account_token(secret, TokenPurpose.PASSWORD_RESET, token)
    assert named
    tenant_id, token_id = named
    later = datetime.now(UTC) + timedelta(minutes=10)
    wrong = [
        "", "x", token[:-1], token[1:], token + "A", token[:30], token.swapcase(), f" {token}", "é" * 71,
        account_token("another secret", TokenPurpose.PASSWORD_RESET, tenant_id, token_id, later),
        account_token(secret, TokenPurpose.INVITATION, tenant_id, token_id, later),
        account_token(secret, TokenPurpose.PASSWORD_RESET, tenant_id, uuid4(), later),
        account_token(secret, TokenPurpose.PASSWORD_RESET, uuid4(), token_id, later),
        account_token(secret, TokenPurpose.PASSWORD_RESET, tenant_id, token_id, datetime.now(UTC)),
    ]  # fmt: skip
    for each in wrong:
        assert [error["code"] for error in await reset(world.service.client(), each)] == ["TOKEN_EXPIRED"], each
    assert (await reset(world.service.client(), "x" * 70_000))[0]["code"] == "INVALID_INPUT"
    assert await reset(world.service.client(), token) == []


async def test_a_weak_password_leaves_the_link_as_it_was(world: World, mailbox: Mailbox) -> None:
    token = await link(world, mailbox)
    for weak in ("short", "password1", world.email, "x" * 129):
        weak_errors = await reset(world.service.client(), token, weak)
        assert weak_errors == [{"code": "WEAK_PASSWORD", "path": ["input", "newPassword"]}], weak
    assert await reset(world.service.client(), token) == []


async def test_asking_tells_nothing_about_the_account(world: World, mailbox: Mailbox) -> None:
    query = (
        "mutation ($input: PasswordResetRequestInput!) { passwordResetRequest(input: $input) { userErrors { code } } }"
    )
    answers = []
    for email in (world.email, f"nobody-{world.email}", "not an address"):
        body = (await world.service.client().post(query, input={"email": email})).json()
        answers.append((body["data"], body.get("errors")))
    assert answers == [({"passwordResetRequest": {"userErrors": []}}, None)] * 3
    await deliver_mails(world.service, mailbox)
    assert [mail.to for mail in mailbox.mails if mail.to.endswith(world.email)] == [world.email]


async def test_a_request_is_written_alike_and_forgotten(
    world: World, mailbox: Mailbox, as_superuser: Connection
) -> None:
    await deliver_mails(world.service, mailbox)
    await ask(world.service.client(), world.email)
    await ask(world.service.client(), f"nobody-{world.email}")
    rows = as_superuser.execute("SELECT email FROM password_reset_requests ORDER BY id DESC LIMIT 2").fetchall()
    assert {row[0] for row in rows} == {world.email, f"nobody-{world.email}"}
    await deliver_mails(world.service, mailbox)
    assert as_superuser.execute("SELECT count(*) FROM password_reset_requests").fetchone() == (0,)


async def test_asking_is_throttled_for_known_and_unknown_alike(world: World) -> None:
    query = (
        "mutation ($input: PasswordResetRequestInput!) { passwordResetRequest(input: $input) { userErrors { code } } }"
    )
    for email in (world.email, f"nobody-{world.email}"):
        codes = [await code_of(world.service.client(), query, input={"email": email}) for _ in range(7)]
        assert codes == [None] * 5 + ["THROTTLED"] * 2


async def test_nothing_secret_is_kept_for_a_mail(world: World, mailbox: Mailbox, as_superuser: Connection) -> None:
    token = await link(world, mailbox)
    for table in ("account_mails", "account_tokens"):
        for row in as_superuser.execute(f"SELECT row_to_json(t)::text FROM {table} t").fetchall():  # noqa: S608
            assert token not in row[0]
            assert token[10:40] not in row[0]


async def test_a_log_in_that_raced_a_reset_has_no_session_left(world: World, mailbox: Mailbox) -> None:
    # Two rounds: those that come after the reset count as wrong guesses, of which an account has ten.
    for number in range(2):
        token = await link(world, mailbox)
        current = PASSWORD if number == 0 else f"quiet zebra of round {number - 1}"
        clients = [world.service.client() for _ in range(4)]
        await asyncio.gather(
            *(log_in(client, world.email, current) for client in clients),
            reset(world.service.client(), token, f"quiet zebra of round {number}"),
        )
        assert [await alive(client) for client in clients] == [False] * 4


async def test_changing_a_password_keeps_this_session_and_ends_the_others(world: World, mailbox: Mailbox) -> None:
    other = world.service.client()
    await log_in(other, world.email, PASSWORD)
    before = world.api.cookie_header
    refused = await world.api.do("passwordChange", currentPassword="not it at all", newPassword=NEW)
    assert refused["userErrors"] == [{"code": "INVALID_CREDENTIALS", "path": ["input", "currentPassword"]}]
    weak = await world.api.do("passwordChange", currentPassword=PASSWORD, newPassword="password1")
    assert weak["userErrors"] == [{"code": "WEAK_PASSWORD", "path": ["input", "newPassword"]}]
    assert (await world.api.do("passwordChange", currentPassword=PASSWORD, newPassword=NEW))["userErrors"] == []
    assert await alive(world.api)
    assert not await alive(other)
    old = world.service.client()
    old.http.headers.update(before)
    assert not await alive(old)
    assert (await world.api.do("passwordChange", currentPassword=NEW, newPassword=PASSWORD))["userErrors"] == []


async def test_confirming_a_password_is_throttled(world: World) -> None:
    query = "mutation ($input: PasswordChangeInput!) { passwordChange(input: $input) { userErrors { code } } }"
    guess = {"currentPassword": "guess", "newPassword": NEW}
    codes = [await code_of(world.api, query, input=guess) for _ in range(12)]
    assert codes[:10] == [None] * 10
    assert codes[-1] == "THROTTLED"


async def test_somebody_invited_gets_no_reset_link(world: World, mailbox: Mailbox) -> None:
    address = f"ida-{world.email}"
    await world.api.do("userInvite", email=address, name="Ida", role="VIEWER")
    await ask(world.service.client(), address)
    await deliver_mails(world.service, mailbox)
    assert [subject for subject in mailbox.to(address) if "password" in subject] == []


@pytest.mark.parametrize("role", ["VIEWER", "TECHNICIAN"])
async def test_everybody_can_change_their_own_password(world: World, mailbox: Mailbox, role: str) -> None:
    person = await add_user(world, mailbox, role)
    assert (await person.api.do("passwordChange", currentPassword=STRONG, newPassword=NEW))["userErrors"] == []
    assert (await log_in(world.service.client(), person.email, NEW))["userErrors"] == []
