"""Account mails: what they look like on the wire, that none is forgotten, and where they go without a mail server."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import psycopg
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import SMTP

from integrations.delivery import Accepted, OutcomeUnknown, Refused, Rejected
from integrations.email import Email
from settings import Settings
from tests.access.people import PASSWORD, Mailbox, deliver_mails
from tests.world import World
from workers.account_mail import AccountMailer, account_mail_sender

Connection = psycopg.Connection[Any]


@dataclass
class MailServer:
    """A mail server on loopback."""

    got: list[Any] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.got.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[MailServer, int]]:
    handler = MailServer()
    controller = UnthreadedController(handler, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    server = await asyncio.get_running_loop().create_server(controller._factory_invoker, "127.0.0.1", 0)
    try:
        yield handler, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


class Moody:
    """A sender that fails in the given ways first."""

    def __init__(self, *moods: Exception | None) -> None:
        self.moods = list(moods)
        self.sent: list[Email] = []

    async def send(self, email: Email, not_after: float) -> Accepted:
        mood = self.moods.pop(0) if self.moods else None
        if mood is not None:
            raise mood
        self.sent.append(email)
        return Accepted(provider_id=None)


def mailer(world: World, sender: Any) -> AccountMailer:
    return AccountMailer(world.service.app.state.settings, world.service.app.state.database, sender)


async def test_an_invitation_on_the_wire(world: World) -> None:
    await deliver_mails(world.service, Mailbox())
    address = f"wire-{world.email}"
    async with mail_server() as (server, port):
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{port}", email_from="Service Pro Stream <no-reply@sps.example>")
        await world.api.do("userInvite", email=address, name="Wanda <script>", role="VIEWER")
        assert await mailer(world, account_mail_sender(settings)).work_off()
    (message,) = server.got
    assert (message["To"], message["Subject"]) == (address, f"{world.name} invites you")
    assert message["From"] == "Service Pro Stream <no-reply@sps.example>"
    assert message["List-Unsubscribe"] is None
    plain = message.get_body(("plain",)).get_content()
    html = message.get_body(("html",)).get_content()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "unsubscribe" not in (plain + html).lower()
    found = re.search(rf"{re.escape(world.service.app.state.settings.origin)}/invitation#([\w-]+)", plain)
    assert found
    done = await world.service.client().do("invitationAccept", token=found[1], password=PASSWORD)
    assert done["userErrors"] == []


async def test_a_mail_that_was_refused_or_in_doubt_is_sent_again(world: World, as_superuser: Connection) -> None:
    await deliver_mails(world.service, Mailbox())
    await world.api.do("userInvite", email=f"again-{world.email}", name="Ag", role="VIEWER")
    sender = Moody(Refused("busy"), OutcomeUnknown("no answer"))
    for _ in range(3):
        await mailer(world, sender).work_off()
        # Not at once: the next attempt waits.
        assert await mailer(world, sender).work_off() == 0
        as_superuser.execute("UPDATE account_mails SET relay_at = now() WHERE state = 'QUEUED'")
    assert [mail.to for mail in sender.sent] == [f"again-{world.email}"]
    row = as_superuser.execute(
        "SELECT state, attempts, failure FROM account_mails WHERE recipient = %s", (f"again-{world.email}",)
    ).fetchone()
    assert row == ("SENT", 3, None)


async def test_a_mail_that_cannot_be_sent_is_given_up(world: World, as_superuser: Connection) -> None:
    await deliver_mails(world.service, Mailbox())
    for name, mood in (("never", Rejected("no such mailbox")), ("late", Refused("busy"))):
        await world.api.do("userInvite", email=f"{name}-{world.email}", name=name, role="VIEWER")
        if name == "late":
            as_superuser.execute(
                "UPDATE account_mails SET created_at = now() - interval '7 hours' WHERE state = 'QUEUED'"
            )
        await mailer(world, Moody(mood)).work_off()
        row = as_superuser.execute(
            "SELECT state, failure FROM account_mails WHERE recipient = %s", (f"{name}-{world.email}",)
        ).fetchone()
        assert row == ("FAILED", str(mood))


async def test_a_worker_that_dies_leaves_the_mail_to_another(world: World, as_superuser: Connection) -> None:
    await deliver_mails(world.service, Mailbox())
    await world.api.do("userInvite", email=f"orphan-{world.email}", name="O", role="VIEWER")
    hung = Moody()
    hung.send = lambda *_: asyncio.Event().wait()  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(mailer(world, hung).work_off())
    while not as_superuser.execute(
        "SELECT 1 FROM account_mails WHERE recipient = %s AND attempts = 1", (f"orphan-{world.email}",)
    ).fetchone():
        await asyncio.sleep(0.01)
    task.cancel()
    other = Moody()
    assert await mailer(world, other).work_off() == 0
    as_superuser.execute("UPDATE account_mails SET relay_at = now() WHERE state = 'QUEUED'")
    assert await mailer(world, other).work_off() == 1
    assert [mail.to for mail in other.sent] == [f"orphan-{world.email}"]


async def test_many_workers_send_each_mail_once(world: World) -> None:
    await deliver_mails(world.service, Mailbox())
    for number in range(6):
        await world.api.do("userInvite", email=f"many{number}-{world.email}", name="M", role="VIEWER")
        await world.service.client().do("passwordResetRequest", email=f"many{number}-{world.email}")
    box = Moody()
    await asyncio.gather(*(mailer(world, box).work_off() for _ in range(5)))
    assert sorted(mail.to for mail in box.sent) == sorted(f"many{number}-{world.email}" for number in range(6))


async def test_without_a_mail_server_links_lie_in_a_folder_that_only_we_read(world: World, tmp_path: Path) -> None:
    await deliver_mails(world.service, Mailbox())
    settings = Settings(data_dir=tmp_path)
    await world.api.do("userInvite", email=f"file-{world.email}", name="Fay", role="VIEWER")
    assert await mailer(world, account_mail_sender(settings)).work_off() == 1
    (file,) = (tmp_path / "mail").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "mail").stat().st_mode & 0o777 == 0o700
    assert "/invitation#" in file.read_text()
