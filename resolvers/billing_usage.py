"""Tells Stripe what was used: read from our own rows, written down, then sent; so often that the last reading is right."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.billing import Standing
from integrations.payments import Payments, Reading, Rejected
from models.billing import BillingAccount, now_of
from models.billing_usage import (
    METERS,
    close_period,
    note_readings,
    note_reported,
    open_periods,
    unreported,
    usage_between,
)
from models.database import Database, Transaction

# Stripe takes readings of the last 35 days.
NEWEST = timedelta(days=34)
# A message sent in the last seconds of a period may still be written as sent a little later.
SETTLED = timedelta(minutes=5)


async def read_meters(session: Transaction, account: BillingAccount, standing: Standing) -> None:
    """Write down what was used in the current period so far, and the last readings of earlier ones.

    The values count from the period's beginning, so that one that is lost or doubled changes nothing: the last one counts.
    """
    now = await now_of(session)
    tenant_id, start = account.tenant_id, standing.period_start
    for earlier, end in await open_periods(session, tenant_id, start):
        used = await usage_between(session, tenant_id, earlier, end)
        # The number of technicians then cannot be counted now; its last reading stands.
        values = {"appointments": used.appointments, "messages": used.messages}
        await note_readings(session, tenant_id, (earlier, end), values, end - timedelta(seconds=1))
        if now >= end + SETTLED:
            await close_period(session, tenant_id, earlier)
    used = await usage_between(session, tenant_id, start, standing.period_end)
    values = {meter: int(getattr(used, meter)) for meter in METERS}
    await note_readings(session, tenant_id, (start, standing.period_end), values, _within(now, standing.period_end))


def _within(now: datetime, end: datetime | None) -> datetime:
    return min(now, end - timedelta(seconds=1)) if end else now


async def tell_meters(database: Database, payments: Payments, tenant_id: UUID, customer_id: str) -> int:
    """Send the readings that Stripe does not have; how many.

    Raises:
        PaymentsError: it did not take one, which is sent again the next time by the same identifier.
    """
    async with database.tenant(tenant_id) as session:
        waiting = await unreported(session, tenant_id, NEWEST)
    refused: Rejected | None = None
    for report in waiting:
        reading = Reading(report.identifier, customer_id, report.meter, report.value, report.read_at)
        try:
            await payments.report(reading)
        except Rejected as error:
            # A meter that is not set up there must not keep the others from being told.
            refused = error
            continue
        async with database.tenant(tenant_id) as session:
            await note_reported(session, tenant_id, report.identifier)
    if refused is not None:
        raise refused
    return len(waiting)
