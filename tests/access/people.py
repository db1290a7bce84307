"""Steps of the account tests: people of a business, their mails, and their codes."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyotp

from integrations.delivery import Accepted
from integrations.email import Email
from settings import Settings
from tests.service import Client, Service
from tests.world import World
from workers.account_mail import AccountMailer

PASSWORD = "purple monkey dishwasher 42"
VIEWER = "viewer { user { id name role email } apiKey { id } tenant { name } scopes secondFactorMissing }"


@dataclass
class Mailbox:
    """A mail server that keeps what it is given."""

    mails: list[Email] = field(default_factory=list)
    leaves_nothing: bool = False

    async def send(self, email: Email, not_after: float) -> Accepted:
        self.mails.append(email)
        return Accepted(provider_id=None)

    def token(self, address: str, subject: str = "") -> str:
        """The token in the link of the latest mail to an address."""
        body = next(each.body for each in reversed(self.mails) if each.to == address and subject in each.subject)
        found = re.search(r"#([\w-]+)", body)
        assert found, body
        return found[1]

    def to(self, address: str) -> list[str]:
        """The subjects of the mails to an address."""
        return [each.subject for each in self.mails if each.to == address]


@dataclass
class Person:
    """Somebody of a business who is logged in."""

    api: Client
    email: str
    id: str


async def deliver_mails(service: Service, mailbox: Mailbox) -> None:
    """What a worker does when mails are due."""
    settings: Settings = service.app.state.settings
    mailer = AccountMailer(settings, service.app.state.database, mailbox)
    while await mailer.work_off():
        pass


async def add_user(world: World, mailbox: Mailbox, role: str, name: str = "Uma User", **rest: Any) -> Person:
    """Somebody who was invited, has accepted and is logged in."""
    address = f"{name.split()[0].lower()}-{role.lower()}-{world.email}"
    invited = await world.api.do(
        "userInvite", "user { id } userErrors { code path message }", email=address, name=name, role=role, **rest
    )
    assert invited["userErrors"] == [], invited
    await deliver_mails(world.service, mailbox)
    client = world.service.client()
    accepted = await client.do(
        "invitationAccept",
        f"{VIEWER} userErrors {{ code path message }}",
        token=mailbox.token(address),
        password=PASSWORD,
    )
    assert accepted["userErrors"] == [], accepted
    return Person(client, address, invited["user"]["id"])


async def log_in(client: Client, email: str, password: str = PASSWORD, **rest: Any) -> Any:
    """The payload of a log-in."""
    return await client.do(
        "logIn", f"{VIEWER} userErrors {{ code path message }}", email=email, password=password, **rest
    )


async def enrol(client: Client, password: str = PASSWORD) -> tuple[str, list[str]]:
    """Set up a second factor: the app's secret, and the recovery codes."""
    made = await client.do("totpEnrol", "secret uri userErrors { code path message }", password=password)
    assert made["userErrors"] == [], made
    done = await client.do("totpConfirm", "recoveryCodes userErrors { code message }", code=code_now(made["secret"]))
    assert done["userErrors"] == [], done
    return made["secret"], done["recoveryCodes"]


def code_now(secret: str, steps: int = 0) -> str:
    """What the app shows, now or so many half minutes later."""
    return pyotp.TOTP(secret).at(datetime.now(UTC), counter_offset=steps)


async def code_of(client: Client, query: str, **variables: Any) -> str | None:
    """The code of an answer's first error, or None."""
    body = (await client.post(query, **variables)).json()
    errors = body.get("errors")
    return errors[0]["extensions"]["code"] if errors else None


async def security_events(world: World, *kinds: str) -> list[Any]:
    """The owner's security log, newest first; entries beside a request are waited for."""
    for _ in range(100):
        found = (
            await world.api.ask("{ securityEvents { nodes { id type actor ip city userAgent occurredAt details } } }")
        )["securityEvents"]["nodes"]
        if set(kinds) <= {each["type"] for each in found}:
            return [each for each in found if not kinds or each["type"] in kinds]
        await asyncio.sleep(0.02)
    raise AssertionError(f"{kinds} not among {[each['type'] for each in found]}")
