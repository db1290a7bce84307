"""What Twilio tells us: signed or not at all, in any order, any number of times."""

from typing import Any

import httpx
import pytest

from tests.messages.steps import Bench
from tests.service import TLS
from tests.standins.twilio import NUMBER, RESET_TAKEN, post_signed


async def sent(bench: Bench) -> dict[str, Any]:
    """A text that Twilio has taken."""
    return await bench.deliver(bench.one(await bench.book(), "CONFIRMATION"))


async def test_reports_move_a_message_on(bench: Bench) -> None:
    """To delivered, with its moment."""
    row = await sent(bench)
    (text,) = bench.twilio.texts
    assert text.callback is not None
    assert text.callback.startswith(f"{bench.settings.origin}/webhooks/twilio/status?tenant=tnt_")
    for status, state in (("sent", "SENT"), ("delivered", "DELIVERED")):
        assert (await bench.twilio.report(text, status)).status_code == 204
        assert bench.again(row)["state"] == state
    assert bench.again(row)["delivered_at"] is not None


@pytest.mark.parametrize("late", ["queued", "sending", "sent", "delivered", "undelivered", "failed", "nonsense"])
async def test_a_late_report_or_a_replay_moves_nothing_back(bench: Bench, late: str) -> None:
    """From an end there is no way back, whatever comes and how often."""
    row = await sent(bench)
    (text,) = bench.twilio.texts
    await bench.twilio.report(text, "delivered")
    before = bench.again(row)
    for _ in range(2):
        assert (await bench.twilio.report(text, late)).status_code == 204
    assert bench.again(row) == before


async def test_a_failure_is_told_with_its_meaning(bench: Bench) -> None:
    """In words, without the number."""
    row = await sent(bench)
    await bench.twilio.report(bench.twilio.texts[0], "undelivered", ErrorCode="30006")
    row = bench.again(row)
    assert (row["state"], row["reason"]) == ("FAILED", "PROVIDER_REJECTED")
    assert row["failure"] == "the number is a landline or its carrier takes no texts (Twilio 30006)"


async def test_a_report_settles_what_nobody_knew(bench: Bench) -> None:
    """It names our message, so that no list need be read; the worker's late word changes nothing."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.twilio.behave = lambda _form: RESET_TAKEN
    row = await bench.deliver(row)
    await bench.twilio.report(bench.twilio.texts[0], "delivered")
    row = await bench.deliver(row)
    assert (row["state"], row["provider_id"]) == ("DELIVERED", bench.twilio.texts[0].sid)
    assert bench.twilio.listings == 0


async def test_a_report_stops_a_second_sending(bench: Bench) -> None:
    """What was taken for lost and waits to go again had gone out after all."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    text = bench.twilio.take({"To": bench.phone, "Body": row["body"], "StatusCallback": _callback(bench, row)})
    bench.set(row, attempts="1", fence="1", next_attempt_at="now() + interval '1 minute'")
    await bench.twilio.report(text, "sent")
    assert (await bench.deliver(bench.due_now(row)))["state"] == "SENT"
    assert bench.twilio.arrived == []


async def test_a_report_of_another_text_changes_nothing(bench: Bench) -> None:
    """A second text of the same message, sent when nobody could tell, is not the one that the ledger names."""
    row = await sent(bench)
    other = bench.twilio.take({"To": bench.phone, "Body": row["body"], "StatusCallback": _callback(bench, row)})
    await bench.twilio.report(other, "failed")
    assert bench.again(row)["state"] == "SENT"


async def test_by_twilios_own_id_alone(bench: Bench) -> None:
    """Where the callback's address was set at Twilio and names no message."""
    row = await sent(bench)
    form = {"MessageSid": bench.twilio.texts[0].sid, "MessageStatus": "delivered"}
    url = f"{bench.settings.origin}/webhooks/twilio/status"
    assert (await post_signed(url, form)).status_code == 204
    assert bench.again(row)["state"] == "DELIVERED"


async def test_what_twilio_did_not_sign_is_refused_and_changes_nothing(bench: Bench) -> None:
    """A wrong key, no signature, a signature of another form or address."""
    row = await sent(bench)
    (text,) = bench.twilio.texts
    assert (await bench.twilio.report(text, "delivered", token="another")).status_code == 403
    url, form = text.callback or "", {"MessageSid": text.sid, "MessageStatus": "delivered"}
    async with httpx.AsyncClient(verify=TLS) as client:
        assert (await client.post(url, data=form)).status_code == 403
        assert (await client.post(url, data=form, headers={"X-Twilio-Signature": "AAAA"})).status_code == 403
        assert (await client.get(url)).status_code == 405
        assert (await client.post(url, content=b"x" * 70_000)).status_code == 413
    inbound = f"{bench.settings.origin}/webhooks/twilio/inbound"
    stop = {"From": bench.phone, "To": NUMBER, "Body": "STOP"}
    assert (await post_signed(inbound, stop, token="another")).status_code == 403
    assert bench.again(row)["state"] == "SENT"
    assert await opted_out(bench) is False


async def opted_out(bench: Bench, customer: str | None = None) -> bool:
    found = await bench.world.api.ask(
        "query ($id: ID!) { node(id: $id) { ... on Customer { smsOptedOut } } }", id=customer or bench.world.customer
    )
    return bool(found["node"]["smsOptedOut"])


@pytest.mark.parametrize("word", ["STOP", " stop. ", "Unsubscribe", "Opt out"])
async def test_stop_is_obeyed_confirmed_and_shown(bench: Bench, word: str) -> None:
    """What waits is held back, and nothing is planned any more."""
    waiting = bench.one(await bench.book(), "CONFIRMATION")
    answer = await inbound(bench, word)
    assert "no more texts" in answer.text
    assert answer.headers["content-type"].startswith("text/xml")
    assert await opted_out(bench)
    assert (await bench.deliver(waiting))["reason"] == "OPTED_OUT"
    assert bench.one(await bench.book(4), "CONFIRMATION")["reason"] == "OPTED_OUT"
    assert bench.twilio.arrived == []
    assert "texts about your appointments again" in (await inbound(bench, "START")).text
    assert not await opted_out(bench)
    assert bench.one(await bench.book(5), "CONFIRMATION")["state"] == "QUEUED"


async def test_stop_holds_for_customers_who_are_entered_later(bench: Bench) -> None:
    """The number has answered, whoever enters it again; the new customer's row then says so too."""
    await inbound(bench, "STOP")
    bench.world.customer, bench.world.address = await bench.world.add_customer("Carla again", phone=bench.phone)
    row = bench.one(await bench.book(), "CONFIRMATION")
    assert row["reason"] == "OPTED_OUT"
    bench.set(row, state="'QUEUED'", reason="NULL")
    assert (await bench.deliver(row))["reason"] == "OPTED_OUT"
    assert await opted_out(bench)


async def test_help_is_answered_and_anything_else_let_be(bench: Bench) -> None:
    """Nobody is opted out by a sentence that holds the word."""
    assert "call the business" in (await inbound(bench, "help")).text
    for words in ("Please stop by at noon", "Thanks!", "", "🙂" * 200):
        answer = await inbound(bench, words)
        assert (answer.status_code, "<Message>" in answer.text) == (200, False)
    assert not await opted_out(bench)


async def test_where_twilio_has_confirmed_already_we_only_note_it(bench: Bench) -> None:
    """With its own opt-out management on, a second confirmation would be one too many."""
    answer = await inbound(bench, "arrêt", OptOutType="STOP")
    assert "<Message>" not in answer.text
    assert await opted_out(bench)


async def inbound(bench: Bench, body: str, **more: str) -> httpx.Response:
    form = {"From": bench.phone, "To": NUMBER, "Body": body, "MessageSid": "SMin", **more}
    return await post_signed(f"{bench.settings.origin}/webhooks/twilio/inbound", form)


def _callback(bench: Bench, row: dict[str, Any]) -> str:
    from domain.ids import Prefix, encode

    tenant, message = encode(Prefix.TENANT, row["tenant_id"]), encode(Prefix.MESSAGE, row["id"])
    return f"{bench.settings.origin}/webhooks/twilio/status?tenant={tenant}&message={message}"
