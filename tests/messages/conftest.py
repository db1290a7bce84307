"""A stand-in for Twilio, workers as processes of their own, and a deliverer inside the test for single steps."""

import itertools
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integrations.email import email_sender
from integrations.sms import sms_sender
from models.database import Database
from settings import Settings
from tests.messages.steps import Bench
from tests.process import ROOT, environment
from tests.service import running_service
from tests.standins.twilio import TwilioStandIn, twilio_stand_in
from tests.world import new_world
from workers.deliver import Deliverer

_numbers = itertools.count(os.getpid() % 5_000 * 100)
SECRET = "a key that server and worker of a test share"


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    """Twilio on loopback."""
    with twilio_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
async def bench(database_url: str, owner_url: str, twilio: TwilioStandIn) -> AsyncIterator[Bench]:
    """A business, the product's server, and a deliverer that the test drives step by step."""
    shared: dict[str, Any] = {
        "secret_key": SECRET,
        # A third of it is what a request may take: enough for a machine that is busy with other tests.
        "message_claim_seconds": 9,
        "message_settle_seconds": 0,
        **twilio.settings(),
    }
    async with running_service(database_url, **shared) as service, new_world(service) as world:
        settings = Settings(database_url=database_url, port=service.port, **shared)
        database = Database(database_url, pool_size=8)
        sms = sms_sender(settings)
        # A number of the test's own: an opt-out is the number's, and a worker delivers for the whole database.
        number = next(_numbers)
        phone = f"+1512{220 + number // 10_000}{number % 10_000:04}"
        world.customer, world.address = await world.add_customer(phone=phone)
        yield Bench(
            world=world,
            settings=settings,
            database=database,
            owner_url=owner_url,
            twilio=twilio,
            sms=sms,
            deliverer=Deliverer(settings, database, sms, email_sender(settings)),
            phone=phone,
        )
        await sms.close()
        await database.close()


@pytest.fixture
def bench_free_settings() -> Callable[..., Settings]:
    """Settings for what needs no database."""
    return lambda **values: Settings(secret_key=SECRET, **values)


@contextmanager
def worker_process(database_url: str, port: int, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as `sps worker` runs it; ended when the block ends."""
    started = start_worker(database_url, port, **settings)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
        started.wait(20)


def start_worker(database_url: str, port: int, **settings: str) -> "subprocess.Popen[bytes]":
    """Start one; whoever starts it ends it. What it logs is the test's output."""
    known = {"DATABASE_URL": database_url, "SPS_PORT": str(port), "SPS_SECRET_KEY": SECRET} | settings
    return subprocess.Popen([sys.executable, "-P", "-m", "cli", "worker"], cwd=ROOT, env=environment(**known))
