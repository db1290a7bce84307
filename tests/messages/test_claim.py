"""Whether a message may go is settled at its claim: fresh, wanted, reachable, its turn, and by one worker alone."""

import asyncio
from datetime import UTC, datetime, timedelta

from models.message_claim import accept, requeue
from tests.messages.steps import Bench


async def test_a_message_is_sent_once_whoever_tries(bench: Bench) -> None:
    """Eight workers hold the same ids: one claims."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    await asyncio.gather(*(bench.deliverer.deliver(row["tenant_id"], row["id"]) for _ in range(8)))
    assert len(bench.twilio.texts) == 1
    row = bench.again(row)
    assert (row["state"], row["attempts"], row["fence"]) == ("SENT", 1, 1)
    assert row["provider_id"] == bench.twilio.texts[0].sid
    assert row["segments"] == 1


async def test_nothing_goes_early(bench: Bench) -> None:
    """The reminder's time is the database's; a broker's stray message changes nothing."""
    row = bench.one(await bench.book(), "REMINDER")
    assert (await bench.deliver(row))["state"] == "QUEUED"
    assert bench.twilio.arrived == []


async def test_a_stale_message_is_held_back(bench: Bench) -> None:
    """Even when planning could not take it back: here its row says another time than the appointment."""
    row = bench.one(await bench.book(), "REMINDER")
    bench.due_now(bench.set(row, occasion_at="occasion_at - interval '1 hour'"))
    assert (await bench.deliver(row))["reason"] == "SUPERSEDED"
    assert bench.twilio.arrived == []


async def test_a_switch_turned_off_holds_back_what_waits(bench: Bench) -> None:
    """Each of the three: master, reminders, the event's own."""
    reminder = bench.one(await bench.book(), "REMINDER")
    confirmation = bench.one(await bench.book(4), "CONFIRMATION")
    other = bench.one(await bench.book(5), "CONFIRMATION")
    await bench.settings_update(remindersEnabled=False)
    assert (await bench.deliver(bench.due_now(reminder)))["reason"] == "DISABLED"
    await bench.settings_update(rules=[{"event": "CONFIRMATION", "sms": False}])
    assert (await bench.deliver(confirmation))["reason"] == "DISABLED"
    await bench.settings_update(smsEnabled=False, rules=[{"event": "CONFIRMATION", "sms": True}])
    assert (await bench.deliver(other))["state"] == "SUPPRESSED"
    assert bench.twilio.arrived == []


async def test_an_opt_out_and_a_lost_number_hold_back(bench: Bench) -> None:
    """As the customer is at the claim, and not as it was at planning."""
    first, second = bench.one(await bench.book(), "CONFIRMATION"), bench.one(await bench.book(4), "CONFIRMATION")
    await bench.world.api.do("customerUpdate", "userErrors { code }", customerId=bench.world.customer, smsOptedOut=True)
    assert (await bench.deliver(first))["reason"] == "OPTED_OUT"
    await bench.world.api.do(
        "customerUpdate", "userErrors { code }", customerId=bench.world.customer, smsOptedOut=False, phone=None
    )
    assert (await bench.deliver(second))["reason"] == "NO_RECIPIENT"
    assert bench.twilio.arrived == []


async def test_the_words_are_those_of_the_moment(bench: Bench) -> None:
    """A corrected template and a corrected number count, and the ledger keeps what was sent."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    await bench.settings_update(rules=[{"event": "CONFIRMATION", "smsTemplate": "Hi {{ customer_first_name }}!"}])
    await bench.world.api.do(
        "customerUpdate", "userErrors { code }", customerId=bench.world.customer, phone="+15125550199"
    )
    row = await bench.deliver(row)
    assert (row["body"], row["recipient"]) == ("Hi Carla!", "+15125550199")
    assert bench.twilio.bodies("+15125550199") == ["Hi Carla!"]


async def test_messages_of_an_appointment_keep_their_order(bench: Bench) -> None:
    """A later one waits for an earlier that is due or on its way, and for none that waits for long."""
    appointment = await bench.book(days=5)
    await bench.do("appointmentMarkOnTheWay", appointment)
    first, second = bench.one(appointment, "CONFIRMATION"), bench.one(appointment, "ON_THE_WAY")
    second = await bench.deliver(second)
    assert (second["state"], second["attempts"]) == ("QUEUED", 0)
    assert second["relay_at"] < datetime.now(UTC) + timedelta(seconds=2)
    bench.set(first, state="'SENDING'", claimed_at="now()")
    assert (await bench.deliver(second))["state"] == "QUEUED"
    bench.set(first, unknown_since="now()")
    assert (await bench.deliver(second))["state"] == "SENT"
    # An hour of quiet, or of a provider's Retry-After, holds up nobody.
    appointment = await bench.book(days=4)
    await bench.do("appointmentMarkOnTheWay", appointment)
    bench.set(bench.one(appointment, "CONFIRMATION"), next_attempt_at="now() + interval '1 hour'")
    assert (await bench.deliver(bench.one(appointment, "ON_THE_WAY")))["state"] == "SENT"


async def test_quiet_hours_hold_back_at_the_claim_too(bench: Bench) -> None:
    """Switched on after planning; no attempt is counted."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    here = datetime.now(UTC) - timedelta(hours=6)
    around = {
        "quietHoursStart": f"{(here - timedelta(hours=3)):%H:%M}",
        "quietHoursEnd": f"{(here + timedelta(hours=3)):%H:%M}",
    }
    assert (await bench.settings_update(**around))["userErrors"] == []
    row = await bench.deliver(row)
    assert (row["state"], row["attempts"]) == ("QUEUED", 0)
    assert row["next_attempt_at"] > datetime.now(UTC) + timedelta(hours=1)
    assert bench.twilio.arrived == []


async def test_only_the_holder_of_the_fence_can_finish(bench: Bench) -> None:
    """A worker that was thought dead comes back after another has claimed: what it writes changes nothing."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.set(row, state="'SENDING'", fence="2", attempts="2", claimed_at="now()")
    async with bench.database.tenant(row["tenant_id"]) as session:
        assert not await accept(session, row["id"], 1, "SM1")
        assert not await requeue(session, row["id"], 1, 0.0, None)
    assert bench.again(row)["state"] == "SENDING"
    async with bench.database.tenant(row["tenant_id"]) as session:
        assert await accept(session, row["id"], 2, "SM2")
        assert not await requeue(session, row["id"], 2, 0.0, None)
    assert bench.again(row)["state"] == "SENT"


async def test_a_row_that_breaks_its_worker_is_given_up_and_blocks_nobody(bench: Bench) -> None:
    """A template that was never checked, as no caller could save it."""
    appointment = await bench.book()
    broken, sound = bench.one(appointment, "CONFIRMATION"), bench.one(appointment, "CONFIRMATION", "EMAIL")
    async with bench.database.tenant(broken["tenant_id"]) as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "UPDATE notification_rules SET sms_template = '{{ nothing.at.all }}' WHERE event = 'CONFIRMATION'"
        )
    for attempt in range(1, 6):
        row = await bench.deliver(bench.due_now(broken))
        assert row["attempts"] == attempt
    assert (row["state"], row["failure"]) == ("FAILED", "it could not be put into words (UndefinedError)")
    assert (await bench.deliver(bench.due_now(sound)))["state"] == "SENT"


async def test_a_cancelled_business_tells_nothing(bench: Bench) -> None:
    """Its data is kept for a while; its voice is not."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    async with bench.database.tenant(row["tenant_id"]) as session:
        connection = await session.connection()
        await connection.exec_driver_sql("UPDATE tenants SET status = 'CANCELLED'")
    assert (await bench.deliver(row))["reason"] == "DISABLED"
