"""A worker as a process: what it logs, the broker's tables, and a machine whose clock is wrong."""

import asyncio
import re
import signal
from pathlib import Path

import psycopg
import pytest
from dramatiq_postgres.schema import generate_init_sql

from tests.messages.conftest import SECRET, start_worker
from tests.messages.steps import Bench
from tests.standins.twilio import BUSY, RESET, TAKE

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


async def test_the_log_names_neither_number_nor_address_nor_words(
    bench: Bench, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever goes wrong: refused, rejected, reset, looked up, put into words in vain."""
    await bench.settings_update(
        rules=[{"event": "CONFIRMATION", "smsTemplate": "canary {{ customer_name }} {{ number }}"}]
    )
    ways: list[str | int] = [RESET, 21211, BUSY]
    bench.twilio.behave = lambda _form: ways.pop() if ways else TAKE
    quick = {"SPS_MESSAGE_SETTLE_SECONDS": "0"}
    worker = start_worker(database_url, bench.settings.port, **bench.twilio.environment(), **quick)
    try:
        appointments = [await bench.book(days) for days in (3, 4, 5, 6)]
        for each in appointments:
            await bench.until(each, ["SENT", "FAILED"], "CONFIRMATION")
            await bench.until(each, ["SENT"], "CONFIRMATION", "EMAIL")
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 0
    finally:
        worker.kill()
    logged = capfd.readouterr().err
    assert "message failed" in logged
    assert "email kept in the ledger" in logged
    for secret in (bench.phone, bench.phone[1:], "carla@example.com", "Carla", "canary", SECRET):
        assert secret not in logged, secret


def test_the_brokers_tables_are_the_librarys(owner_url: str) -> None:
    """Made by our migration, and by the library beside it: column by column, index by index."""
    shape = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM information_schema.columns
    WHERE table_schema = %s ORDER BY 1, 2
    """
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = %s ORDER BY 1"
    with psycopg.connect(owner_url) as connection:
        connection.execute(generate_init_sql("library", ""))
        ours, theirs = (connection.execute(shape, (name,)).fetchall() for name in ("dramatiq", "library"))
        assert [str(row).replace("library.", "dramatiq.") for row in theirs] == [str(row) for row in ours]
        ours, theirs = (connection.execute(indexes, (name,)).fetchall() for name in ("dramatiq", "library"))
        assert sorted(re.sub(r"\blibrary\.", "dramatiq.", row[0]) for row in theirs) == sorted(row[0] for row in ours)
        connection.rollback()


@pytest.mark.services
@pytest.mark.parametrize("off", ["+10m", "-10m"])
async def test_a_machine_whose_clock_is_wrong_sends_nothing_early_and_nothing_twice(
    bench: Bench, database_url: str, off: str
) -> None:
    """What is due in five minutes stays; what is due goes once, beside a worker whose clock is right."""
    await bench.settings_update(rules=[{"event": "REMINDER", "offsetMinutes": 60}])
    appointments = [await bench.book(days) for days in range(3, 13)]
    for each in appointments:
        bench.set(
            bench.one(each, "REMINDER"),
            next_attempt_at="now() + interval '5 minutes'",
            relay_at="now() + interval '5 minutes'",
        )
    assert FAKETIME is not None, "install libfaketime"
    wrong = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": off, "DONT_FAKE_MONOTONIC": "1"}
    known = bench.twilio.environment()
    workers = [start_worker(database_url, bench.settings.port, **known, **extra) for extra in (wrong, {})]
    try:
        for each in appointments:
            await bench.until(each, ["SENT"], "CONFIRMATION")
        await asyncio.sleep(3)
    finally:
        for worker in workers:
            worker.terminate()
            await asyncio.to_thread(worker.wait, 20)
    assert len(bench.twilio.bodies(bench.phone)) == 10
    assert {bench.one(each, "REMINDER")["state"] for each in appointments} == {"QUEUED"}
