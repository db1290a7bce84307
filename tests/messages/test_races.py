"""What decides about a message is read under locks: no change that has been committed is missed by a claim."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from tests.messages.steps import Bench

DECIDERS = {
    "reschedule": "UPDATE appointments SET arrival_starts_at = arrival_starts_at + interval '1 hour' WHERE id = :appointment",
    "cancellation": "UPDATE appointments SET status = 'CANCELLED' WHERE id = :appointment",
    "opt-out": "UPDATE customers SET sms_opted_out_at = now() WHERE id = :customer",
    "master toggle": "UPDATE notification_settings SET sms_enabled = false",
    "rule": "UPDATE notification_rules SET sms = false WHERE event = 'CONFIRMATION'",
}


@pytest.mark.parametrize("decider", DECIDERS)
async def test_a_claim_waits_for_what_is_being_decided(bench: Bench, decider: str) -> None:
    """The change began first and commits while a worker is about to claim: the worker sees it. Without the lock it reads
    what was before, and sends."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    found = bench.sql("SELECT customer_id FROM messages WHERE id = %s", row["id"])
    values = {"appointment": row["appointment_id"], "customer": found[0]["customer_id"]}
    async with bench.database.tenant(row["tenant_id"]) as session:
        used = {name: value for name, value in values.items() if f":{name}" in DECIDERS[decider]}
        await session.execute(text(DECIDERS[decider]), used)
        delivery = asyncio.create_task(bench.deliver(row))
        while not _somebody_waits(bench):
            assert not delivery.done(), bench.again(row)
            await asyncio.sleep(0.01)
    assert (await delivery)["state"] == "SUPPRESSED"
    assert bench.twilio.arrived == []


def _somebody_waits(bench: Bench) -> bool:
    statement = (
        "SELECT count(*) AS n FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
        " WHERE NOT l.granted AND a.datname = current_database()"
    )
    return bool(bench.sql(statement)[0]["n"])


async def test_reminders_that_fall_due_while_they_are_moved(bench: Bench) -> None:
    """Each goes out before its appointment was moved, or not at all; and nobody is locked out for good."""
    appointments = [await bench.book(days, technicianId=None) for days in range(3, 23)]
    reminders = [bench.due_now(bench.one(each, "REMINDER")) for each in appointments]
    for each in appointments:
        bench.set(bench.one(each, "CONFIRMATION"), state="'SENT'")
    await asyncio.gather(
        *(bench.deliver(row) for row in reminders),
        *(bench.move(each, days + 30) for days, each in enumerate(appointments)),
    )
    sent = 0
    for each in appointments:
        old, new = bench.ledger(each, event="REMINDER", channel="SMS")
        if old["state"] == "QUEUED":
            # Claimed before the move, and put back by a worker that was held up before it could send.
            old = await bench.deliver(bench.due_now(old))
        moved = bench.one(each, "RESCHEDULED")
        assert new["state"] == "QUEUED"
        if old["state"] == "SENT":
            sent += 1
            assert old["claimed_at"] <= moved["send_at"] + timedelta(milliseconds=1)
        else:
            assert (old["state"], old["reason"]) == ("SUPPRESSED", "SUPERSEDED")
    assert len(bench.twilio.arrived) == sent


async def test_opting_out_while_texts_go_out(bench: Bench) -> None:
    """None is claimed after the commit."""
    rows = [bench.one(await bench.book(days, technicianId=None), "CONFIRMATION") for days in range(3, 15)]

    async def opt_out() -> datetime:
        await bench.world.api.do(
            "customerUpdate", "userErrors { code }", customerId=bench.world.customer, smsOptedOut=True
        )
        committed: datetime = bench.sql("SELECT clock_timestamp() AS now")[0]["now"]
        return committed

    committed, *_ = await asyncio.gather(opt_out(), *(bench.deliver(row) for row in rows))
    rows = [bench.again(row) for row in rows]
    assert {row["state"] for row in rows} <= {"SENT", "SUPPRESSED"}
    assert all(row["claimed_at"] < committed for row in rows if row["state"] == "SENT")
    assert len(bench.twilio.arrived) == sum(row["state"] == "SENT" for row in rows)
    late = bench.one(await bench.book(20), "CONFIRMATION")
    assert late["reason"] == "OPTED_OUT"


async def test_a_thousand_pending_and_all_switched_off(bench: Bench) -> None:
    """After the commit nothing goes out any more."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.clone(row, 1_000)
    off = await bench.settings_update(smsEnabled=False, emailEnabled=False, remindersEnabled=False)
    assert off["userErrors"] == []
    ids = bench.sql("SELECT id FROM messages WHERE tenant_id = %s AND state = 'QUEUED'", row["tenant_id"])
    assert len(ids) > 1_000
    for start in range(0, len(ids), 8):
        await asyncio.gather(
            *(bench.deliverer.deliver(row["tenant_id"], each["id"]) for each in ids[start : start + 8])
        )
    states = bench.sql(
        "SELECT DISTINCT state, reason FROM messages WHERE tenant_id = %s AND send_at < now()", row["tenant_id"]
    )
    assert states == [{"state": "SUPPRESSED", "reason": "DISABLED"}]
    assert bench.twilio.arrived == []
