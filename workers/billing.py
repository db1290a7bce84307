"""The sweep of billing, each minute by one worker among all: what webhooks have left undone, and what falls due by itself."""

import asyncio

import structlog

from integrations.payments import payments_for
from models.database import Database
from models.errors import UNREACHABLE
from models.tick import take_tick
from resolvers.billing_sweep import forget, sweep
from settings import Settings

log = structlog.get_logger("billing")
EVERY_S, FORGET_EVERY_S = 60.0, 86_400.0
# The sweep's own: it may wait for Stripe, and nobody else is to wait for it.
POOL = 2


async def keep_billing(settings: Settings) -> None:
    """Sweep until cancelled.

    Raises:
        ValueError: DATABASE_URL is not set.
    """
    database, payments = Database.of(settings, pool_size=POOL), payments_for(settings)
    try:
        while True:
            try:
                if await _mine(database, "billing", EVERY_S):
                    await sweep(database, payments)
                if await _mine(database, "forget billing", FORGET_EVERY_S):
                    await forget(database)
            except UNREACHABLE as error:
                log.warning("billing not swept", error=type(error).__name__)
            # Asked several times a span, so that no worker's rhythm leaves one out.
            await asyncio.sleep(EVERY_S / 4)
    finally:
        await payments.close()
        await database.close()


async def _mine(database: Database, task: str, seconds: float) -> bool:
    async with database.anonymous() as session:
        return await take_tick(session, task, seconds)
