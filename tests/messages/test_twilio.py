"""The real client of Twilio against a stand-in that misbehaves: each way a request can end has its answer."""

import asyncio
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.ids import Prefix, encode
from integrations.delivery import CannotTell, OutcomeUnknown, Refused, boot_time
from integrations.email import email_sender
from integrations.sms import Sms, sms_sender
from tests.messages.steps import Bench
from tests.standins.twilio import (
    BROKEN,
    BROKEN_TAKEN,
    BUSY,
    RESET,
    RESET_TAKEN,
    SILENT_TAKEN,
    TAKE,
    TwilioStandIn,
)
from workers.deliver import Deliverer


async def test_busy_is_tried_again_not_before_it_said(bench: Bench) -> None:
    """A 429 is certain not to have been taken; its Retry-After is honoured, the attempt counted."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.behave, bench.twilio.retry_after = lambda _form: BUSY, "90"
    row = await bench.deliver(row)
    assert (row["state"], row["attempts"], row["failure"]) == ("QUEUED", 1, "Twilio is busy (429)")
    assert row["next_attempt_at"] > datetime.now(UTC) + timedelta(seconds=85)
    assert row["relay_at"] == row["next_attempt_at"]
    bench.twilio.behave = lambda _form: TAKE
    assert (await bench.deliver(row))["state"] == "QUEUED"
    assert (await bench.deliver(bench.due_now(row)))["state"] == "SENT"


async def test_after_five_attempts_it_has_failed(bench: Bench) -> None:
    """And says so in the ledger."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.behave = lambda _form: BUSY
    states = [(await bench.deliver(bench.due_now(row)))["state"] for _ in range(6)]
    assert states == ["QUEUED"] * 4 + ["FAILED"] * 2
    assert len(bench.twilio.arrived) == 5


async def test_nobody_listens(bench: Bench) -> None:
    """A refused connection is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    settings = bench.settings.model_copy(update={"twilio_base_url": url})
    sender = sms_sender(settings)
    deliverer = Deliverer(settings, bench.database, sender, email_sender(settings))
    row = await replace(bench, deliverer=deliverer).deliver(bench.one(await bench.book(), "CONFIRMATION"))
    assert (row["state"], row["failure"]) == ("QUEUED", "Twilio could not be reached")
    await sender.close()


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (21211, "FAILED", "PROVIDER_REJECTED"),
        (21614, "FAILED", "PROVIDER_REJECTED"),
        (21610, "SUPPRESSED", "OPTED_OUT"),
    ],
)
async def test_a_rejection_is_final(bench: Bench, code: int, state: str, reason: str) -> None:
    """At the first attempt; and whoever has answered STOP counts as opted out from then on."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.behave = lambda _form: code
    row = await bench.deliver(row)
    assert (row["state"], row["reason"], row["attempts"]) == (state, reason, 1)
    assert f"(Twilio {code})" in row["failure"]
    assert bench.phone not in row["failure"]
    customer = await bench.world.api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Customer { smsOptedOut } } }", id=bench.world.customer
    )
    assert customer["node"]["smsOptedOut"] == (code == 21610)


@pytest.mark.parametrize("treatment", [BROKEN, BROKEN_TAKEN, RESET, RESET_TAKEN, SILENT_TAKEN])
async def test_what_ends_without_an_answer_is_looked_up(bench: Bench, treatment: str) -> None:
    """If Twilio lists it, it was sent; if not, it is sent now. Never twice."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.behave = lambda _form: treatment
    row = await bench.deliver(row)
    assert (row["state"], row["attempts"]) == ("SENDING", 1)
    assert row["unknown_since"] is not None
    bench.twilio.behave = lambda _form: TAKE
    row = await bench.deliver(row)
    if treatment.endswith("-taken"):
        assert (row["state"], row["provider_id"]) == ("SENT", bench.twilio.texts[0].sid)
    else:
        assert row["state"] == "QUEUED"
        row = await bench.deliver(row)
        assert (row["state"], row["attempts"]) == ("SENT", 2)
    assert len(bench.twilio.texts) == 1


async def test_a_list_that_may_still_fill_proves_nothing(bench: Bench) -> None:
    """Until the time to settle is over a message that is not listed is left unknown."""
    settings = bench.settings.model_copy(update={"message_settle_seconds": 600, "message_claim_seconds": 600})
    deliverer = Deliverer(settings, bench.database, bench.sms, email_sender(settings))
    slow = replace(bench, deliverer=deliverer)
    row = slow.one(await slow.book(), "CONFIRMATION")
    slow.twilio.behave = lambda _form: RESET
    row = await slow.deliver(await slow.deliver(row))
    assert (row["state"], row["attempts"]) == ("SENDING", 1)
    assert row["relay_at"] > datetime.now(UTC) + timedelta(seconds=500)


async def test_a_worker_that_died_leaves_a_message_that_is_looked_up(bench: Bench) -> None:
    """Nothing before its claim has run out; then as for any other whose outcome is unknown."""
    sent, unsent = bench.one(await bench.book(), "CONFIRMATION"), bench.one(await bench.book(4), "CONFIRMATION")
    claimed = {"state": "'SENDING'", "attempts": "1", "fence": "1"}
    for row in (sent, unsent):
        bench.set(row, claimed_at="now() - interval '1 second'", **claimed)
        assert (await bench.deliver(row))["unknown_since"] is None
        bench.set(row, claimed_at="now() - interval '10 seconds'", **claimed)
    bench.twilio.take({"To": sent["recipient"], "Body": sent["body"]})
    assert (await bench.deliver(sent))["state"] == "SENT"
    unsent = await bench.deliver(unsent)
    assert (unsent["state"], unsent["fence"]) == ("QUEUED", 1)
    assert (await bench.deliver(unsent))["fence"] == 2
    assert len(bench.twilio.texts) == 2


async def test_one_listed_text_proves_one_message(bench: Bench) -> None:
    """Two with the same words, one text at Twilio: one was sent, the other goes out now."""
    await bench.settings_update(rules=[{"event": "CONFIRMATION", "smsTemplate": "Booked."}])
    rows = [bench.one(await bench.book(days), "CONFIRMATION") for days in (3, 4)]
    bench.twilio.behave = lambda _form: RESET_TAKEN if len(bench.twilio.texts) == 0 else RESET
    rows = [await bench.deliver(row) for row in rows]
    assert [row["state"] for row in rows] == ["SENDING", "SENDING"]
    await asyncio.gather(*(bench.deliver(row) for row in rows))
    assert sorted(bench.again(row)["state"] for row in rows) == ["QUEUED", "SENT"]


async def test_a_twin_on_its_way_is_waited_for(bench: Bench) -> None:
    """What the list shows might be the twin's, whose worker has not come to write it down."""
    await bench.settings_update(rules=[{"event": "CONFIRMATION", "smsTemplate": "Booked."}])
    rows = [bench.one(await bench.book(days), "CONFIRMATION") for days in (3, 4)]
    bench.twilio.behave = lambda _form: RESET
    lost = await bench.deliver(rows[0])
    twin = bench.set(rows[1], state="'SENDING'", attempts="1", fence="1", claimed_at="now()", body="'Booked.'")
    bench.twilio.take({"To": bench.phone, "Body": "Booked."})
    assert (await bench.deliver(lost))["state"] == "SENDING"
    bench.set(twin, state="'SENT'", provider_id=f"'{bench.twilio.texts[0].sid}'")
    assert (await bench.deliver(lost))["state"] == "QUEUED"


UNLISTED = [
    # event, unknown for, the visit begins in, what becomes of it
    ("CONFIRMATION", "4 minutes", "3 days", ("SENDING", None)),
    ("CONFIRMATION", "6 minutes", "3 days", ("QUEUED", None)),
    ("REMINDER", "6 minutes", "2 hours", ("QUEUED", None)),
    ("REMINDER", "6 minutes", "50 minutes", ("SUPPRESSED", "OUTCOME_UNKNOWN")),
    ("ON_THE_WAY", "9 minutes", "1 hour", ("SENDING", None)),
    ("ON_THE_WAY", "11 minutes", "1 hour", ("SUPPRESSED", "OUTCOME_UNKNOWN")),
    ("FOLLOW_UP", "23 hours", "0 hours", ("SENDING", None)),
    ("FOLLOW_UP", "25 hours", "0 hours", ("SUPPRESSED", "OUTCOME_UNKNOWN")),
]


@pytest.mark.parametrize(("event", "since", "ahead", "outcome"), UNLISTED)
async def test_where_nobody_can_tell(
    bench: Bench, event: str, since: str, ahead: str, outcome: tuple[str, Any]
) -> None:
    """Without a list it goes by what is worse: a double, or none."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.can_list = False
    row = bench.set(
        row,
        event=f"'{event}'",
        state="'SENDING'",
        attempts="1",
        fence="1",
        claimed_at=f"now() - interval '{since}'",
        unknown_since=f"now() - interval '{since}'",
        occasion_at=f"now() + interval '{ahead}'",
    )
    row = await bench.deliver(row)
    assert (row["state"], row["reason"]) == outcome
    assert bench.twilio.listings == 1
    assert bench.twilio.arrived == []


async def test_unknown_at_the_last_attempt_is_a_failure(bench: Bench) -> None:
    """Five attempts are five, however they ended."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.set(row, state="'SENDING'", attempts="5", fence="5", claimed_at="now() - interval '1 hour'")
    row = await bench.deliver(row)
    assert (row["state"], row["reason"]) == ("FAILED", "OUTCOME_UNKNOWN")


async def test_the_list_is_read_to_its_end(bench: Bench) -> None:
    """Page after page, since a text may stand behind many others to the same number."""
    for number in range(250):
        bench.twilio.take({"To": bench.phone, "Body": f"text {number}"})
    since = datetime.now(UTC)
    assert [found.body for found in await bench.sms.find(bench.phone, "text 0", since)] == ["text 0"]
    assert await bench.sms.find(bench.phone, "another", since) == []
    assert await bench.sms.find("+15125559999", "text 0", since) == []
    bench.twilio.can_list = False
    with pytest.raises(CannotTell):
        await bench.sms.find(bench.phone, "text 0", since)


async def test_a_worker_that_was_held_up_sends_nothing_late(bench: Bench) -> None:
    """By then its claim may have run out, and another may send."""
    with pytest.raises(Refused):
        await bench.sms.send(_text(bench), boot_time() - 1)
    assert bench.twilio.arrived == []


async def test_a_silent_provider_is_left_well_before_the_claim_ends(bench: Bench, twilio: TwilioStandIn) -> None:
    """The claim is of 9 s here, a third of which the request may take."""
    twilio.behave, twilio.silence_s = lambda _form: SILENT_TAKEN, 60
    with pytest.raises(OutcomeUnknown):
        await bench.sms.send(_text(bench), boot_time() + 10)
    # It is still silent: we did not wait for it.
    assert twilio.silent == 1


def _text(bench: Bench) -> Sms:
    tenant = bench.sql("SELECT id FROM tenants LIMIT 1")[0]["id"]
    return Sms("msg_00000000000000000000000000", encode(Prefix.TENANT, tenant), "REMINDER", bench.phone, "hello")
