"""A worker behind PgBouncer in transaction mode, with its broker elsewhere: what is booked is confirmed, once."""

import asyncio
from urllib.parse import urlsplit

import pytest
import redis

from tests.messages.brokers import running
from tests.messages.conftest import worker_process
from tests.messages.steps import Bench
from tests.pooler import pooler

NUMBER = 8


@pytest.mark.services
@pytest.mark.parametrize("kind", ["redis", "rabbitmq"])
async def test_a_confirmation_is_sent_once(bench: Bench, database_url: str, kind: str) -> None:
    with pooler(database_url) as pooled, running(kind, database_url) as broker, running("redis", "") as bus:
        assert broker.url
        assert bus.url
        # No DATABASE_DIRECT_URL: nothing may need one. Leases shorter than the test, so that a second sending would show.
        settings = {
            "BROKER_URL": broker.url,
            "BROADCAST_URL": bus.url,
            "SPS_PREPARED_STATEMENTS": "off",
            "SPS_MESSAGE_DISPATCH_SECONDS": "1",
        }
        with worker_process(pooled.url, bench.settings.port, **bench.twilio.environment(), **settings):
            # More than a statement must recur for psycopg to prepare it.
            appointments = [await bench.book(3 + day) for day in range(NUMBER)]
            for each in appointments:
                row = await bench.until(each, ["SENT"], "CONFIRMATION")
                assert row["attempts"] == 1
                await bench.until(each, ["SENT"], "CONFIRMATION", "EMAIL")
            # It listens on the bus, and not through the pooler, where it would hear nothing.
            with redis.Redis(port=urlsplit(bus.url).port or 0) as client:
                assert client.pubsub_numsub("sps_events") == [(b"sps_events", 1)]
            await asyncio.sleep(3)
    assert len(bench.twilio.bodies(bench.phone)) == NUMBER
    assert len(set(bench.twilio.bodies(bench.phone))) == NUMBER
