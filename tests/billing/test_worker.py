"""A worker sweeps billing by itself."""

import asyncio

from integrations.payments import Payments
from models.database import Database
from models.stripe_event import keep_event
from resolvers.billing_event import read_event
from settings import Settings
from tests.billing.payer import Payer
from workers.billing import keep_billing


async def test_what_a_dead_server_has_kept_a_worker_does(
    payer: Payer, database: Database, database_url: str, payments: Payments
) -> None:
    await payer.subscribe("PRO", tell=False)
    event = next(each for each in payer.stripe.events if each["type"] == "customer.subscription.updated")
    kept = read_event(event)
    async with database.anonymous() as session:
        await keep_event(session, kept.id, kept.type, kept.created, kept.customer_id, kept.body, 0.0)
    worker = asyncio.create_task(keep_billing(Settings(database_url=database_url, **payer.stripe.settings())))
    async with asyncio.timeout(30):
        while not (payer.kept(event["id"]) or {})["done_at"]:
            await asyncio.sleep(0.1)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    assert (await payer.billing())["plan"]["code"] == "PRO"
