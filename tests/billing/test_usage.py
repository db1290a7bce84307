"""Usage is counted from our own rows and told to Stripe, each reading once."""

import time
from contextlib import suppress
from uuid import uuid4

from integrations.payments import Payments, Unavailable
from models.database import Database
from resolvers.billing_sweep import look_after
from tests.billing.payer import Payer
from tests.standins.stripe import CUT, DO, DOWN

DAY = 86_400


def told(payer: Payer) -> dict[str, int]:
    """What the meters stand at: of one meter the latest reading counts, as its formula says."""
    latest: dict[str, tuple[int, int]] = {}
    for reading in payer.stripe.readings.values():
        found = (int(reading["timestamp"]), int(reading["payload"]["value"]))
        name = reading["event_name"].removeprefix("sps_")
        latest[name] = max(latest.get(name, found), found)
    return {name: value for name, (_, value) in latest.items()}


def send_message(payer: Payer, days_ago: int = 0) -> None:
    payer.sql(
        "INSERT INTO messages (tenant_id, id, appointment_id, customer_id, event, channel, state, recipient, body, send_at,"
        " next_attempt_at, relay_at, sent_at)"
        " SELECT a.tenant_id, %s, a.id, a.customer_id, 'CONFIRMATION', 'SMS', 'SENT', '+15125550123', 'x', t, t, t, t"
        " FROM appointments a, (SELECT now() - make_interval(days => %s) AS t) LIMIT 1",
        uuid4(),
        days_ago,
    )


async def test_appointments_messages_and_technicians_are_counted(payer: Payer) -> None:
    await payer.world.book()
    await payer.world.book()
    send_message(payer)
    # Not in this period, and never sent.
    send_message(payer, days_ago=40)
    usage = (await payer.billing())["usage"]
    assert {name: usage[name] for name in ("technicians", "appointments", "messages")} == {
        "technicians": 1, "appointments": 2, "messages": 1,
    }  # fmt: skip


async def test_readings_are_told_and_only_those_that_changed_are_told_again(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await payer.world.book()
    await payer.subscribe("PRO")
    await look_after(database, payments, payer.tenant_id)
    assert {each["event_name"]: each["default_aggregation"] for each in payer.stripe.meters.values()} == {
        f"sps_{meter}": {"formula": "last"} for meter in ("technicians", "appointments", "messages")
    }
    assert told(payer) == {"technicians": 1, "appointments": 1, "messages": 0}
    count = len(payer.stripe.readings)
    await look_after(database, payments, payer.tenant_id)
    assert len(payer.stripe.readings) == count
    await payer.world.book()
    send_message(payer)
    await look_after(database, payments, payer.tenant_id)
    assert len(payer.stripe.readings) == count + 2
    assert told(payer) == {"technicians": 1, "appointments": 2, "messages": 1}


async def test_a_reading_whose_answer_is_lost_is_counted_once(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await payer.subscribe("PRO")
    treatments = iter([CUT, CUT, DOWN])

    def trouble(_method: str, path: str) -> str:
        return next(treatments, DO) if path.endswith("meter_events") else DO

    payer.stripe.behave = trouble
    for _ in range(3):
        with suppress(Unavailable):
            await look_after(database, payments, payer.tenant_id)
    readings = payer.sql("SELECT identifier, reported_at FROM usage_reports")
    assert len(readings) == 3
    assert all(each["reported_at"] for each in readings)
    assert set(payer.stripe.readings) == {str(each["identifier"]) for each in readings}


async def test_nothing_is_told_of_a_business_that_does_not_pay(
    payer: Payer, database: Database, payments: Payments
) -> None:
    await look_after(database, payments, payer.tenant_id)
    await payer.start("PRO")
    await look_after(database, payments, payer.tenant_id)
    assert payer.stripe.readings == {}


async def test_the_last_reading_of_a_period_is_told_when_it_is_over(
    payer: Payer, database: Database, payments: Payments
) -> None:
    stripe = payer.stripe
    stripe.clock = int(time.time()) - 32 * DAY
    await payer.start("PRO")
    await payer.end_trial()
    subscription = await payer.subscribe("PRO")
    await payer.world.book()
    payer.sql("UPDATE appointments SET created_at = now() - interval '20 days'")
    await look_after(database, payments, payer.tenant_id)
    # Made in the period, after its latest reading.
    await payer.world.book()
    payer.sql(
        "UPDATE appointments SET created_at = now() - interval '3 days' WHERE created_at > now() - interval '1 day'"
    )
    before = len(stripe.events)
    stripe.clock += 30 * DAY
    stripe.renew(subscription)
    await payer.tell(stripe.events[before:])
    # Our clock is a month ahead of the stand-in's: what was asked before counts more than its events now.
    payer.sql("UPDATE billing_accounts SET asked_at = NULL")
    for _ in range(2):
        await look_after(database, payments, payer.tenant_id)
    old, new = payer.sql(
        "SELECT value, closed, period_start, read_at FROM usage_reports WHERE meter = 'appointments' ORDER BY period_start"
    )
    assert (old["value"], old["closed"], new["value"]) == (2, True, 0)
    # Stripe puts a reading into the period in which its time lies.
    assert old["read_at"] < new["period_start"]
    assert len([each for each in stripe.readings.values() if each["event_name"] == "sps_appointments"]) == 3
