"""Emails over SMTP: both parts, a way off the list, no header that a value began, and each way that it can end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from integrations.delivery import Rejected
from integrations.email import Email, email_sender
from integrations.email_mime import mime
from tests.forging import forged
from tests.messages.steps import Bench
from tests.service import TLS
from tests.standins.smtp import MailStandIn, mail_stand_in
from workers.deliver import Deliverer


@pytest.fixture
def mail() -> Iterator[MailStandIn]:
    with mail_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def posting(bench: Bench, mail: MailStandIn) -> Bench:
    """The bench with a mail server."""
    settings = bench.settings.model_copy(update={"smtp_url": mail.url, "email_from": "no-reply@sps.example.com"})
    return replace(bench, deliverer=Deliverer(settings, bench.database, bench.sms, email_sender(settings)))


async def confirmation(bench: Bench) -> dict[str, Any]:
    return bench.one(await bench.book(), "CONFIRMATION", "EMAIL")


async def test_an_email_has_both_parts_and_a_way_off_the_list(posting: Bench, mail: MailStandIn) -> None:
    row = await posting.deliver(await confirmation(posting))
    (message,) = mail.received
    assert mail.envelopes == [("no-reply@sps.example.com", ["carla@example.com"])]
    assert row["state"] == "SENT"
    assert row["provider_id"] == message["Message-ID"]
    assert message["From"].addresses[0].display_name == posting.world.name
    assert message["Subject"] == f"Your appointment with {posting.world.name}"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert row["body"] in plain.get_content().replace("\r\n", "\n")
    assert "<p>Hello Carla Cruz,</p>" in html.get_content()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = message["List-Unsubscribe"].strip("<>")
    assert url in plain.get_content()
    async with httpx.AsyncClient(verify=TLS) as client:
        asked = await client.get(url)
        assert (asked.status_code, "<form" in asked.text) == (200, True)
        assert not await _opted_out(posting)
        done = await client.post(url, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert await _opted_out(posting)
        refused = await client.post(forged(url))
        assert refused.status_code == 404
    assert posting.one(await posting.book(4), "CONFIRMATION", "EMAIL")["reason"] == "OPTED_OUT"


async def _opted_out(bench: Bench) -> bool:
    found = await bench.world.api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Customer { emailOptedOut } } }", id=bench.world.customer
    )
    return bool(found["node"]["emailOptedOut"])


async def test_words_are_never_markup(posting: Bench, mail: MailStandIn) -> None:
    """Neither a customer's name nor a template."""
    await posting.world.api.do(
        "customerUpdate", "userErrors { code }", customerId=posting.world.customer, name='<img src=x onerror="x">'
    )
    await posting.settings_update(
        rules=[{"event": "CONFIRMATION", "emailTemplate": "<b>Hi</b> {{ customer_name }}\n{{ tracking_url }}"}]
    )
    row = await posting.deliver(await confirmation(posting))
    assert row["body"].startswith('<b>Hi</b> <img src=x onerror="x">')
    html = mail.received[0].get_body(("html",))
    assert html is not None
    content = html.get_content()
    assert "&lt;b&gt;Hi&lt;/b&gt; &lt;img src=x onerror=&quot;x&quot;&gt;<br>" in content
    assert "<img" not in content
    assert f'<a href="{posting.settings.origin}/track/' in content


@pytest.mark.parametrize(
    ("answer", "end", "state", "reason"),
    [
        ("451 later", "250 OK", "QUEUED", None),
        ("550 no such user", "250 OK", "FAILED", "PROVIDER_REJECTED"),
        ("250 OK", "452 full", "QUEUED", None),
        ("250 OK", "554 spam", "FAILED", "PROVIDER_REJECTED"),
        ("250 OK", None, "SENDING", None),
    ],
)
async def test_how_it_can_end(
    posting: Bench, mail: MailStandIn, answer: str, end: str | None, state: str, reason: str | None
) -> None:
    """Until the words are handed over nothing can have been taken; without an answer to them nobody knows."""
    mail.answer, mail.end = answer, end
    row = await posting.deliver(await confirmation(posting))
    assert (row["state"], row["reason"], row["attempts"]) == (state, reason, 1)
    assert "carla" not in row["failure"]
    assert (row["unknown_since"] is not None) == (state == "SENDING")


async def test_a_second_attempt_is_recognisable(posting: Bench, mail: MailStandIn) -> None:
    """A mail server lists nothing: after five minutes a confirmation goes again, under the same Message-ID."""
    mail.end = None
    row = await posting.deliver(await confirmation(posting))
    assert (await posting.deliver(row))["state"] == "SENDING"
    posting.set(row, unknown_since="now() - interval '6 minutes'")
    mail.end = "250 OK"
    assert (await posting.deliver(row))["state"] == "QUEUED"
    assert (await posting.deliver(row))["state"] == "SENT"
    assert len({message["Message-ID"] for message in mail.received}) == 1
    assert len(mail.received) == 2


async def test_where_nothing_leaves_nothing_is_in_doubt(bench: Bench) -> None:
    """Without a mail server, what a worker that died had claimed goes again at once."""
    row = await confirmation(bench)
    bench.set(row, state="'SENDING'", attempts="1", fence="1", claimed_at="now() - interval '10 seconds'")
    assert (await bench.deliver(row))["state"] == "QUEUED"
    assert (await bench.deliver(row))["state"] == "SENT"


async def test_no_server(posting: Bench) -> None:
    settings = posting.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:9"})
    deliverer = Deliverer(settings, posting.database, posting.sms, email_sender(settings))
    row = await replace(posting, deliverer=deliverer).deliver(await confirmation(posting))
    assert (row["state"], row["attempts"]) == ("QUEUED", 1)


@pytest.mark.parametrize(
    "value",
    [
        {"subject": "Hello\r\nBcc: all@example.com"},
        {"to": "carla@example.com\r\nBcc: all@example.com"},
        {"to": "carla"},
        {"from_name": "Us\nBcc: all@example.com"},
        {"reply_to": "us@example.com\nBcc: all@example.com"},
    ],
)
def test_a_value_cannot_begin_a_header(value: dict[str, str]) -> None:
    sound = Email(
        message_id="msg_1",
        event="REMINDER",
        to="carla@example.com",
        subject="Hello",
        body="Hello",
        from_name="Us",
        reply_to=None,
        unsubscribe_url="https://example.com/unsubscribe/x",
    )
    assert mime(sound, "us@example.com", "example.com")["Subject"] == "Hello"
    with pytest.raises(Rejected):
        mime(replace(sound, **value), "us@example.com", "example.com")


@pytest.mark.parametrize("url", ["http://mail", "smtp://", "mail.example.com"])
def test_a_url_that_is_none_is_told_at_the_start(bench_free_settings: Any, url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        email_sender(bench_free_settings(smtp_url=url))
