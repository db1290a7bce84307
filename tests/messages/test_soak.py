"""Workers killed between claim and completion, and a Twilio that misbehaves: nothing is lost, nothing is doubled."""

import asyncio
import random
import subprocess
import threading
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest

from tests.messages.conftest import start_worker
from tests.messages.steps import Bench
from tests.standins.twilio import BROKEN, BROKEN_TAKEN, BUSY, RESET, RESET_TAKEN, SILENT_TAKEN, TAKE, Text

FAULTS = (BUSY, BROKEN, BROKEN_TAKEN, RESET, RESET_TAKEN, SILENT_TAKEN)
OPEN = "state IN ('QUEUED', 'SENDING')"


@dataclass
class Executioner:
    """Kills the worker while a request of its is being answered, before or after the text exists: so between a claim and
    its completion."""

    kills: int
    every: int
    process: "subprocess.Popen[bytes] | None" = None
    done: int = 0
    _seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before(self, _form: dict[str, str]) -> None:
        with self._lock:
            self._seen += 1
            if self._seen % (2 * self.every) == 0:
                self._kill()

    def after(self, _text: Text) -> None:
        with self._lock:
            if self._seen % (2 * self.every) == self.every:
                self._seen += 1
                self._kill()

    def _kill(self) -> None:
        if self.done < self.kills and self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.done += 1


def spread(bench: Bench, tenant_id: UUID) -> None:
    """Give each fifty of the appointments a customer of their own: Twilio's list for one number is read only so far."""
    with psycopg.connect(bench.owner_url) as connection:
        connection.execute("SELECT set_config('app.tenant_id', %s, false)", (str(tenant_id),))
        connection.execute(
            "INSERT INTO customers (tenant_id, id, name, phone, search)"
            " SELECT %s, gen_random_uuid(), 'Customer ' || n, '+1737' || (2000000 + n), ''"
            " FROM generate_series(0, (SELECT max(number) - 100000 FROM appointments) / 50) n",
            (tenant_id,),
        )
        for table, appointment in (("appointments", "id"), ("messages", "appointment_id")):
            connection.execute(
                f"UPDATE {table} t SET customer_id = c.id FROM customers c, appointments a"  # noqa: S608
                f" WHERE a.id = t.{appointment} AND a.number >= 100000"
                " AND c.phone = '+1737' || (2000000 + (a.number - 100000) / 50)"
            )


async def run(bench: Bench, database_url: str, messages: int, kills: int, faults: float) -> Counter[str]:
    """Have so many texts delivered under so many kills; the states that they came to."""
    bench.sql(f"UPDATE messages SET state = 'CANCELLED' WHERE {OPEN}")  # noqa: S608
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.clone(row, messages - 1)
    spread(bench, row["tenant_id"])
    bench.sql("UPDATE messages SET state = 'CANCELLED' WHERE tenant_id = %s AND (channel <> 'SMS' OR event <> 'CONFIRMATION')",
              row["tenant_id"])  # fmt: skip
    bench.sql("UPDATE messages SET state = 'QUEUED' WHERE channel = 'SMS' AND event = 'CONFIRMATION' AND tenant_id = %s",
              row["tenant_id"])  # fmt: skip
    luck = random.Random(7)
    bench.twilio.behave = lambda _form: luck.choice(FAULTS) if luck.random() < faults else TAKE
    executioner = Executioner(kills, max(messages // (kills + 2), 1))
    bench.twilio.on_request, bench.twilio.on_taken = executioner.before, executioner.after
    settings = {
        "SPS_MESSAGE_CLAIM_SECONDS": "6",
        "SPS_MESSAGE_SETTLE_SECONDS": "1",
        "SPS_MESSAGE_DISPATCH_SECONDS": "4",
    }
    try:
        while True:
            if executioner.process is None or executioner.process.poll() is not None:
                executioner.process = start_worker(
                    database_url, bench.settings.port, **bench.twilio.environment(), **settings
                )
            await asyncio.sleep(0.25)
            left = bench.sql(f"SELECT count(*) AS n FROM messages WHERE {OPEN}")[0]["n"]  # noqa: S608
            if left == 0:
                break
    finally:
        if executioner.process is not None:
            executioner.process.terminate()
            executioner.process.wait(20)
    states = bench.sql(
        "SELECT state || coalesce(' ' || reason, '') AS state, count(*) AS n FROM messages"
        " WHERE channel = 'SMS' AND event = 'CONFIRMATION' AND tenant_id = %s GROUP BY 1",
        row["tenant_id"],
    )
    assert executioner.done == kills
    taken = Counter(bench.twilio.bodies())
    doubled = {body: number for body, number in taken.items() if number > 1}
    found = Counter({each["state"]: each["n"] for each in states})
    print(f"{messages} messages, {kills} kills: {dict(found)}, taken {len(taken)}, doubled {len(doubled)}")  # noqa: T201
    assert doubled == {}
    assert sum(found.values()) == messages
    sent = bench.sql(
        "SELECT body FROM messages WHERE state = 'SENT' AND channel = 'SMS' AND tenant_id = %s", row["tenant_id"]
    )
    assert {each["body"] for each in sent} == set(taken)
    return found


async def test_kills(bench: Bench, database_url: str) -> None:
    assert await run(bench, database_url, messages=40, kills=2, faults=0.0) == {"SENT": 40}


@pytest.mark.soak
async def test_fifty_kills(bench: Bench, database_url: str) -> None:
    """None lost, none doubled."""
    assert await run(bench, database_url, messages=500, kills=50, faults=0.0) == {"SENT": 500}


@pytest.mark.soak
async def test_two_hundred_kills_and_a_provider_that_misbehaves(bench: Bench, database_url: str) -> None:
    """Lost none: what five attempts could not send says so. Doubled none: the list answers for each."""
    found = await run(bench, database_url, messages=10_000, kills=200, faults=0.15)
    assert set(found) <= {"SENT", "FAILED PROVIDER_REJECTED", "FAILED OUTCOME_UNKNOWN"}
    assert found["SENT"] > 9_900
