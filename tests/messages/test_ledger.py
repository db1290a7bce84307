"""The ledger as the office reads it: pages, relations, and states as they change."""

from tests.messages.steps import Bench

MESSAGES = """
query ($first: Int, $after: String, $filter: MessageFilter) {
  messages(first: $first, after: $after, filter: $filter) {
    nodes { id event channel state reason to body subject segments sendAt sentAt deliveredAt providerId attempts failure
            appointment { id } }
    totalCount pageInfo { hasNextPage endCursor }
  }
}
"""
STREAM = "subscription { messageEvents { id event channel state reason appointment { number } } }"


async def test_the_office_reads_what_was_sent_and_why_not(bench: Bench) -> None:
    appointment = await bench.book()
    await bench.deliver(bench.one(appointment, "CONFIRMATION"))
    await bench.settings_update(remindersEnabled=False)
    await bench.deliver(bench.due_now(bench.one(appointment, "REMINDER")))
    page = (await bench.world.api.ask(MESSAGES, first=3, filter={"appointmentId": appointment}))["messages"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"], len(page["nodes"])) == (4, True, 3)
    rest = await bench.world.api.ask(
        MESSAGES, first=3, after=page["pageInfo"]["endCursor"], filter={"appointmentId": appointment}
    )
    nodes = page["nodes"] + rest["messages"]["nodes"]
    assert len({node["id"] for node in nodes}) == 4
    [sent] = [node for node in nodes if node["state"] == "SENT"]
    assert sent["id"].startswith("msg_")
    assert (sent["event"], sent["channel"], sent["to"], sent["attempts"]) == ("CONFIRMATION", "SMS", bench.phone, 1)
    assert sent["providerId"] == bench.twilio.texts[0].sid
    assert sent["sentAt"] is not None
    assert sent["appointment"] == {"id": appointment}
    narrowed = await bench.world.api.ask(MESSAGES, filter={"states": ["SUPPRESSED"]})
    assert [(node["event"], node["reason"]) for node in narrowed["messages"]["nodes"]] == [("REMINDER", "DISABLED")]
    both = await bench.world.api.ask(
        "query ($a: ID!, $m: ID!) { a: node(id: $a) { ... on Appointment { messages { event state } } }"
        " m: node(id: $m) { ... on Message { state } } }",
        a=appointment,
        m=sent["id"],
    )
    assert both["m"] == {"state": "SENT"}
    assert len(both["a"]["messages"]) == 4


async def test_states_are_pushed_as_they_change(bench: Bench) -> None:
    appointment = await bench.book()
    row = bench.one(appointment, "CONFIRMATION")
    async with bench.world.api.subscribe(STREAM) as stream:
        await bench.deliver(row)
        told = (await stream.next())["messageEvents"]
        assert (told["state"], told["channel"], told["appointment"]) == ("SENT", "SMS", {"number": 1001})
        await bench.twilio.report(bench.twilio.texts[0], "delivered")
        assert (await stream.next())["messageEvents"]["state"] == "DELIVERED"
        await bench.settings_update(remindersEnabled=False)
        await bench.deliver(bench.due_now(bench.one(appointment, "REMINDER")))
        told = (await stream.next())["messageEvents"]
        assert (told["event"], told["state"], told["reason"]) == ("REMINDER", "SUPPRESSED", "DISABLED")


async def test_what_is_planned_and_taken_back_is_pushed_too(bench: Bench) -> None:
    async with bench.world.api.subscribe(STREAM) as stream:
        appointment = await bench.book()
        planned = [(await stream.next())["messageEvents"] for _ in range(4)]
        assert {(each["event"], each["channel"], each["state"]) for each in planned} == {
            (event, channel, "QUEUED") for event in ("CONFIRMATION", "REMINDER") for channel in ("SMS", "EMAIL")
        }
        await bench.do("appointmentCancel", appointment)
        changed = [(await stream.next())["messageEvents"] for _ in range(6)]
        assert sorted((each["event"], each["state"]) for each in changed) == [
            ("CANCELLED", "QUEUED"), ("CANCELLED", "QUEUED"), ("CONFIRMATION", "CANCELLED"), ("CONFIRMATION", "CANCELLED"),
            ("REMINDER", "CANCELLED"), ("REMINDER", "CANCELLED"),
        ]  # fmt: skip


async def test_another_business_sees_and_hears_nothing(bench: Bench) -> None:
    from tests.world import new_world

    row = bench.one(await bench.book(), "CONFIRMATION")
    async with new_world(bench.world.service) as other, other.api.subscribe(STREAM) as stream:
        await bench.deliver(row)
        assert (await other.api.ask(MESSAGES))["messages"]["totalCount"] == 0
        made = await other.book("2027-03-02T15:00:00Z", "2027-03-02T16:00:00Z")
        theirs = bench.one(made["id"], "CONFIRMATION")
        bench.set(theirs, recipient=f"'{bench.phone}'")
        await bench.deliver(theirs)
        # The first that it hears of is its own.
        assert (await stream.next())["messageEvents"]["appointment"] == {"number": 1001}
