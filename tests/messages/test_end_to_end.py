"""From the mutation to the customer's phone: server, relay, broker, worker and the real client of Twilio."""

import signal

from tests.messages.conftest import worker_process
from tests.messages.steps import Bench


async def test_on_the_way_reaches_the_phone(bench: Bench, database_url: str) -> None:
    """The text is sent by a worker process, once, and the ledger says so."""
    with worker_process(database_url, bench.settings.port, **bench.twilio.environment()) as process:
        appointment = await bench.book()
        await bench.until(appointment, ["SENT"], "CONFIRMATION")
        await bench.do("appointmentMarkOnTheWay", appointment, etaMinutes=20)
        row = await bench.until(appointment, ["SENT"], "ON_THE_WAY")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert [body.split(":")[1][:20] for body in bench.twilio.bodies(bench.phone)] == [
        " your appointment #1",
        " Tess is on the way ",
    ]
    assert row["body"] == bench.twilio.bodies(bench.phone)[-1]
    assert f"{bench.settings.origin}/track/" in row["body"]
    assert (row["attempts"], row["provider_id"]) == (
        1,
        [text.sid for text in bench.twilio.texts if text.to == bench.phone][-1],
    )
    assert bench.told(appointment) == [
        ("CONFIRMATION", "SENT", None),
        ("ON_THE_WAY", "SENT", None),
        ("REMINDER", "SUPPRESSED", "SUPERSEDED"),
    ]
    assert [row["state"] for row in bench.ledger(appointment, channel="EMAIL", event="ON_THE_WAY")] == ["SENT"]
