"""A customer takes itself off a business's emails."""

from datetime import UTC, datetime
from uuid import UUID

from models.customer import lock_customer
from models.database import Database, Transaction


async def unsubscribe(database: Database, tenant_id: UUID, customer_id: UUID) -> None:
    """Note that a customer wants no emails; the moment of the first time stays. Nothing for one who is gone."""

    async def work(session: Transaction) -> None:
        customer = await lock_customer(session, tenant_id, customer_id)
        if customer is not None and customer.email_opted_out_at is None:
            customer.email_opted_out_at = datetime.now(UTC)

    await database.transact(tenant_id, work)
