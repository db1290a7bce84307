"""Whatever the broker, losing it loses nothing: it is emptied and restarted while texts are on their way."""

import asyncio
from collections import Counter

import pytest

from tests.messages.brokers import running
from tests.messages.conftest import worker_process
from tests.messages.steps import Bench

NUMBER = 150
KINDS = [
    "postgresql",
    pytest.param("redis", marks=pytest.mark.services),
    pytest.param("rabbitmq", marks=pytest.mark.services),
]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_that_loses_everything_loses_nothing(bench: Bench, database_url: str, kind: str) -> None:
    bench.sql("UPDATE messages SET state = 'CANCELLED' WHERE state IN ('QUEUED', 'SENDING')")
    row = bench.one(await bench.book(), "CONFIRMATION")
    bench.sql("UPDATE messages SET state = 'CANCELLED' WHERE tenant_id = %s", row["tenant_id"])
    bench.set(row, state="'QUEUED'")
    bench.clone(row, NUMBER - 1)
    settings = {"SPS_MESSAGE_DISPATCH_SECONDS": "3"}
    with running(kind, database_url) as broker:
        if broker.url is not None:
            settings["BROKER_URL"] = broker.url
        with worker_process(database_url, bench.settings.port, **bench.twilio.environment(), **settings):
            for share in (1, 2, 3):
                await _until(bench, share * NUMBER // 4)
                await asyncio.to_thread(broker.empty)
                if share == 2:
                    await asyncio.to_thread(broker.restart)
            await _until(bench, NUMBER)
            for _ in range(600):
                left = bench.sql("SELECT count(*) AS n FROM messages WHERE state IN ('QUEUED', 'SENDING')")[0]["n"]
                if left == 0:
                    break
                await asyncio.sleep(0.05)
    states = bench.sql(
        "SELECT state, count(*) AS n FROM messages WHERE tenant_id = %s AND attempts > 0 GROUP BY 1", row["tenant_id"]
    )
    assert states == [{"state": "SENT", "n": NUMBER}]
    assert set(Counter(bench.twilio.bodies(bench.phone)).values()) == {1}


async def _until(bench: Bench, texts: int) -> None:
    async with asyncio.timeout(90):
        while len(bench.twilio.texts) < texts:
            await asyncio.sleep(0.05)
