"""Erasing a customer at the customer's wish: personal data goes everywhere, what was earned stays countable."""

from datetime import UTC, datetime
from uuid import UUID

from domain.appointment import EVENT_OF, Action, next_status
from domain.errors import ErrorCode, Refusal, not_found
from domain.ids import Prefix, encode
from domain.security_event import SecurityEventType
from models.appointment import Appointment, snapshot
from models.customer_erase import (
    OPEN,
    UNDER_WAY,
    appointments_of_customer,
    erase_rows,
    lock_customer_for_erasure,
    those_in,
)
from models.database import Transaction
from models.export import begin_exports_anew
from models.technician import hold_technicians
from resolvers.appointment import Change, finish
from resolvers.caller import Caller
from resolvers.security_event import record_of


async def erase_customer(caller: Caller, customer_id: UUID) -> None:
    """Erase a customer's personal data: from the record, addresses, appliances, appointments, history, messages, files and
    archives. Visits that were planned are cancelled; status, times and sums of all visits stay. Erasing again changes nothing.

    Raises:
        Refusal: NOT_FOUND; IN_USE while a technician is on the way to the customer or at work there; BUSY.
    """

    async def work(session: Transaction) -> None:
        # In the order in which every change of an appointment locks: appointments, technicians, and the customer last.
        visits = await appointments_of_customer(session, caller.tenant_id, customer_id)
        if await those_in(session, visits, UNDER_WAY):
            raise Refusal(
                ErrorCode.IN_USE,
                "A technician is on the way to that customer, or at work there.",
                ("input", "customerId"),
            )
        planned = await those_in(session, visits, OPEN)
        await hold_technicians(session, {visit.technician_id for visit in planned if visit.technician_id})
        customer = await lock_customer_for_erasure(session, caller.tenant_id, customer_id)
        if customer is None:
            raise not_found("customer", "customerId")
        if await appointments_of_customer(session, caller.tenant_id, customer_id) != visits:
            raise Refusal(ErrorCode.BUSY, "A visit was booked for that customer at this moment; try again.")
        for visit in planned:
            await _cancel(session, caller, visit)
        await erase_rows(session, customer, visits)
        await begin_exports_anew(session, caller.tenant_id)
        record_of(session, caller, SecurityEventType.CUSTOMER_ERASED, customerId=encode(Prefix.CUSTOMER, customer_id))

    await caller.transact(work)


async def _cancel(session: Transaction, caller: Caller, visit: Appointment) -> None:
    before = snapshot(visit)
    visit.status = next_status(visit.status, Action.CANCEL, scheduled=visit.starts_at is not None)
    visit.cancelled_at, visit.eta = datetime.now(UTC), None
    await finish(Change(session, caller, visit, EVENT_OF[Action.CANCEL]), before)
