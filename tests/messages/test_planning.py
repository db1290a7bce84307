"""What is written down when an appointment changes: in the change's transaction, by the location's switches."""

from datetime import UTC, datetime, timedelta

from tests.messages.steps import Bench, in_days


async def test_booking_plans_confirmation_and_reminder(bench: Bench) -> None:
    """On both channels: now, and a day before the promised window."""
    appointment = await bench.book(days=3)
    rows = bench.ledger(appointment, channel="SMS")
    assert [(row["event"], row["state"]) for row in rows] == [("CONFIRMATION", "QUEUED"), ("REMINDER", "QUEUED")]
    confirmation, reminder = rows
    assert abs(confirmation["send_at"] - datetime.now(UTC)) < timedelta(minutes=1)
    assert reminder["send_at"] == datetime.fromisoformat(in_days(2))
    assert confirmation["recipient"] == bench.phone
    assert "your appointment #1001 is booked for" in confirmation["body"]
    assert "9:00 AM to 11:00 AM" in confirmation["body"] or "10:00 AM to 12:00 PM" in confirmation["body"]
    assert [row["event"] for row in bench.ledger(appointment, channel="EMAIL")] == ["CONFIRMATION", "REMINDER"]


async def test_a_request_without_a_time_tells_nothing(bench: Bench) -> None:
    """Nor does its cancellation: nothing was promised."""
    made = await bench.world.book()
    await bench.do("appointmentCancel", made["id"])
    assert bench.ledger(made["id"]) == []


async def test_a_visit_soon_is_confirmed_and_not_reminded(bench: Bench) -> None:
    """The reminder of a day before would be late already."""
    start = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    end = (datetime.now(UTC) + timedelta(hours=4)).isoformat()
    made = await bench.world.book(start, end)
    assert [row["event"] for row in bench.ledger(made["id"], channel="SMS")] == ["CONFIRMATION"]


async def test_switched_off_plans_nothing(bench: Bench) -> None:
    """The master toggles, and each event's own."""
    await bench.settings_update(smsEnabled=False, rules=[{"event": "CONFIRMATION", "email": False}])
    appointment = await bench.book()
    assert [(row["event"], row["channel"]) for row in bench.ledger(appointment)] == [("REMINDER", "EMAIL")]
    await bench.settings_update(remindersEnabled=False)
    assert bench.ledger(await bench.book(days=4)) == []


async def test_whoever_cannot_or_will_not_be_reached_is_in_the_ledger(bench: Bench) -> None:
    """With the reason, and final from the start."""
    bench.world.customer, bench.world.address = await bench.world.add_customer("Nora New", phone=None)
    made = await bench.world.api.do(
        "customerUpdate", "userErrors { code }", customerId=bench.world.customer, emailOptedOut=True
    )
    assert made["userErrors"] == []
    appointment = await bench.book()
    assert bench.told(appointment, "SMS") == [
        ("CONFIRMATION", "SUPPRESSED", "NO_RECIPIENT"),
        ("REMINDER", "SUPPRESSED", "NO_RECIPIENT"),
    ]
    assert bench.told(appointment, "EMAIL") == [
        ("CONFIRMATION", "SUPPRESSED", "OPTED_OUT"),
        ("REMINDER", "SUPPRESSED", "OPTED_OUT"),
    ]


async def test_a_move_supersedes_and_plans_anew(bench: Bench) -> None:
    """What waited told of another time; the new reminder goes by the new one."""
    appointment = await bench.book(days=3)
    await bench.move(appointment, 5)
    rows = bench.ledger(appointment, channel="SMS")
    assert [(row["event"], row["state"], row["reason"]) for row in rows] == [
        ("CONFIRMATION", "SUPPRESSED", "SUPERSEDED"),
        ("RESCHEDULED", "QUEUED", None),
        ("REMINDER", "SUPPRESSED", "SUPERSEDED"),
        ("REMINDER", "QUEUED", None),
    ]
    assert rows[-1]["send_at"] == datetime.fromisoformat(in_days(4))
    await bench.move(appointment, 6)
    assert [row["state"] for row in bench.ledger(appointment, channel="SMS", event="RESCHEDULED")] == [
        "SUPPRESSED",
        "QUEUED",
    ]


async def test_only_what_still_waits_is_taken_back(bench: Bench) -> None:
    """What a worker has claimed is on its way, and what was sent was sent."""
    appointment = await bench.book(days=3)
    sending = bench.set(bench.one(appointment, "CONFIRMATION"), state="'SENDING'", claimed_at="now()")
    sent = bench.set(bench.one(appointment, "CONFIRMATION", "EMAIL"), state="'SENT'", sent_at="now()")
    await bench.move(appointment, 5)
    assert [bench.again(row)["state"] for row in (sending, sent)] == ["SENDING", "SENT"]
    assert [row["state"] for row in bench.ledger(appointment, event="REMINDER")].count("SUPPRESSED") == 2


async def test_leaving_takes_back_the_reminder_and_not_the_confirmation(bench: Bench) -> None:
    appointment = await bench.book(days=3)
    await bench.do("appointmentMarkOnTheWay", appointment, etaMinutes=5)
    assert sorted(bench.told(appointment)) == [
        ("CONFIRMATION", "QUEUED", None),
        ("ON_THE_WAY", "QUEUED", None),
        ("REMINDER", "SUPPRESSED", "SUPERSEDED"),
    ]


async def test_a_move_within_the_promised_window_tells_nothing(bench: Bench) -> None:
    """The customer was promised the same, and the reminder is still true."""
    window = {"start": in_days(3), "end": in_days(3, 19)}
    made = await bench.world.book(in_days(3), in_days(3, 16), arrivalWindow=window)
    await bench.world.api.do(
        "appointmentSchedule", "userErrors { code }", appointmentId=made["id"],
        scheduled={"start": in_days(3, 17), "end": in_days(3, 18)}, arrivalWindow=window,
    )  # fmt: skip
    assert bench.told(made["id"]) == [("CONFIRMATION", "QUEUED", None), ("REMINDER", "QUEUED", None)]


async def test_where_moves_are_not_told_the_unsent_confirmation_tells_the_new_time(bench: Bench) -> None:
    """Else the customer would hear of neither."""
    await bench.settings_update(rules=[{"event": "RESCHEDULED", "sms": False}])
    appointment = await bench.book(days=3)
    await bench.move(appointment, 5)
    assert bench.told(appointment) == [
        ("CONFIRMATION", "SUPPRESSED", "SUPERSEDED"),
        ("CONFIRMATION", "QUEUED", None),
        ("REMINDER", "SUPPRESSED", "SUPERSEDED"),
        ("REMINDER", "QUEUED", None),
    ]


async def test_cancelling_cancels(bench: Bench) -> None:
    """All that waited goes with the visit; the cancellation itself is told."""
    appointment = await bench.book()
    await bench.do("appointmentCancel", appointment)
    assert sorted(bench.told(appointment)) == [
        ("CANCELLED", "QUEUED", None),
        ("CONFIRMATION", "CANCELLED", None),
        ("REMINDER", "CANCELLED", None),
    ]
    # Taken back before it was told: the cancellation is no longer so, and the visit is confirmed again.
    await bench.do("appointmentReopen", appointment)
    states = bench.told(appointment)
    assert ("CANCELLED", "SUPPRESSED", "SUPERSEDED") in states
    assert ("CONFIRMATION", "QUEUED", None) in states
    assert ("REMINDER", "QUEUED", None) in states


async def test_the_way_there_and_back(bench: Bench) -> None:
    """On the way, undone, started, completed, reopened: each takes back what it made untrue."""
    await bench.settings_update(rules=[{"event": "FOLLOW_UP", "sms": True, "offsetMinutes": 60}])
    appointment = await bench.book()
    await bench.do("appointmentMarkOnTheWay", appointment)
    assert ("REMINDER", "SUPPRESSED", "SUPERSEDED") in bench.told(appointment)
    assert bench.one(appointment, "ON_THE_WAY")["state"] == "QUEUED"
    await bench.do("appointmentReopen", appointment)
    assert bench.one(appointment, "ON_THE_WAY")["reason"] == "SUPERSEDED"
    assert ("REMINDER", "QUEUED", None) in bench.told(appointment)
    await bench.do("appointmentMarkOnTheWay", appointment)
    await bench.do("appointmentStart", appointment)
    assert {state for _, state, _ in bench.told(appointment)} == {"SUPPRESSED"}
    await bench.do("appointmentComplete", appointment)
    follow_up = bench.one(appointment, "FOLLOW_UP")
    assert follow_up["state"] == "QUEUED"
    assert timedelta(minutes=59) < follow_up["send_at"] - datetime.now(UTC) <= timedelta(minutes=60)
    await bench.do("appointmentReopen", appointment)
    assert bench.again(follow_up)["reason"] == "SUPERSEDED"


async def test_what_falls_into_quiet_hours_waits_until_they_end(bench: Bench) -> None:
    """All day but one minute, here; on the way is told at any hour."""
    await bench.settings_update(quietHoursStart="12:01", quietHoursEnd="12:00")
    appointment = await bench.book()
    confirmation = bench.one(appointment, "CONFIRMATION")
    assert confirmation["send_at"] > datetime.now(UTC) + timedelta(seconds=30) or confirmation["send_at"].minute == 0
    assert confirmation["send_at"] == confirmation["next_attempt_at"] == confirmation["relay_at"]
    await bench.do("appointmentMarkOnTheWay", appointment)
    assert bench.one(appointment, "ON_THE_WAY")["send_at"] <= datetime.now(UTC)


async def test_a_change_that_fails_tells_nothing(bench: Bench) -> None:
    """Rolled back with the change, since it is part of it."""
    first = await bench.book(days=3)
    made = await bench.world.api.do(
        "appointmentCreate", "userErrors { code }",
        locationId=bench.world.location, customerId=bench.world.customer, addressId=bench.world.address,
        lines=[{"serviceId": bench.world.offer}], technicianId=bench.world.technician,
        scheduled={"start": in_days(3), "end": in_days(3, 16)},
    )  # fmt: skip
    assert made["userErrors"] == [{"code": "SLOT_TAKEN"}]
    tenant = bench.ledger(first)[0]["tenant_id"]
    assert bench.sql("SELECT count(*) AS n FROM messages WHERE tenant_id = %s", tenant) == [{"n": 4}]
