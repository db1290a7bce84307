"""The relay hands out what is due, once a lease, and forgets nothing; the clock does each task once a span."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models.message_queue import dispatch_messages
from tests.messages.steps import Bench
from workers.clock import Clock, Task
from workers.relay import Relay


async def due(bench: Bench, row: dict[str, Any], lease: float = 30, room: int = 10_000) -> list[UUID]:
    """What a relay is handed now, of the row's business."""
    async with bench.database.anonymous() as session:
        found = await dispatch_messages(session, lease, room)
    return [message for tenant, message in found if tenant == row["tenant_id"]]


async def test_what_is_due_is_handed_out_once_a_lease(bench: Bench) -> None:
    """Confirmations, and not the reminders of another day; again when the lease is over."""
    appointment = await bench.book()
    row = bench.one(appointment, "CONFIRMATION")
    confirmations = {each["id"] for each in bench.ledger(appointment, event="CONFIRMATION")}
    assert set(await due(bench, row)) == confirmations
    assert await due(bench, row) == []
    # The broker has lost them: nothing remembers them but their rows.
    bench.sql("UPDATE messages SET relay_at = now() WHERE tenant_id = %s AND state = 'QUEUED' AND event = 'CONFIRMATION'",
              row["tenant_id"])  # fmt: skip
    assert set(await due(bench, row)) == confirmations


async def test_what_has_been_claimed_is_looked_at_again(bench: Bench) -> None:
    """When the claim's time is over, whether or not its worker lives; never once it is final."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    await due(bench, row)
    bench.set(row, state="'SENDING'", relay_at="now() + interval '3 seconds'")
    assert row["id"] not in await due(bench, row)
    bench.set(row, relay_at="now()")
    assert row["id"] in await due(bench, row)
    for state in ("SENT", "DELIVERED", "FAILED", "SUPPRESSED", "CANCELLED"):
        bench.set(row, state=f"'{state}'", relay_at="now()")
        assert row["id"] not in await due(bench, row)


async def test_two_relays_share_and_never_overlap(bench: Bench) -> None:
    """Rows that one has locked the other skips."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.clone(row, 200)
    parts = await asyncio.gather(*(due(bench, row, room=10_000) for _ in range(4)))
    handed = [each for part in parts for each in part]
    assert len(handed) == len(set(handed)) >= 200


async def test_the_brokers_queue_is_kept_short(bench: Bench) -> None:
    """No more than there is room for, counting those that wait there already."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.sql(
        "UPDATE messages SET state = 'CANCELLED' WHERE state IN ('QUEUED', 'SENDING') AND tenant_id <> %s",
        row["tenant_id"],
    )
    bench.clone(row, 50)
    assert len(await due(bench, row, room=20)) == 20
    assert await due(bench, row, room=20) == []
    assert len(await due(bench, row, room=30)) == 10


async def test_a_broker_out_of_reach_loses_nothing(bench: Bench) -> None:
    """The relay goes on, and the rows come again after their lease."""
    row = bench.one(await bench.book(), "CONFIRMATION")
    handed: list[UUID] = []
    broken = True

    def send(due: Sequence[tuple[UUID, UUID]]) -> None:
        if broken:
            raise ConnectionError("no broker")
        handed.extend(message for _, message in due)

    relay = Relay(bench.database, send, lease_seconds=1, room=10_000)
    running = asyncio.create_task(relay.run())
    while bench.again(row)["relay_at"] == row["relay_at"]:
        await asyncio.sleep(0.02)
    broken = False
    async with asyncio.timeout(10):
        while row["id"] not in handed:
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    relay.close()


async def test_each_task_is_done_once_a_span(bench: Bench) -> None:
    """Whichever of the workers comes first; and again in the next span."""
    done = []

    async def work(_session: object) -> None:
        done.append(1)

    task = Task(f"a task {id(done)}", 3_600, work)
    clocks = [Clock(bench.database, lambda: None, [task]) for _ in range(6)]
    assert sorted(await asyncio.gather(*(clock.tick(task) for clock in clocks))) == [False] * 5 + [True]
    bench.sql("UPDATE ticks SET starts_at = starts_at - interval '1 hour' WHERE task = %s", task.name)
    assert await clocks[0].tick(task)
    assert len(done) == 2
