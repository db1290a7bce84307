"""Reading appointments: pages, history, and what a technician may see of them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from models.appointment import Appointment
from models.appointment_list import AppointmentCriteria, AppointmentSort, order_by, page_of_appointments
from models.page import Page
from models.prepared import Readable
from models.query import by_ids
from models.ready import Ready
from resolvers.caller import Caller


async def list_appointments(
    caller: Caller,
    first: int | None,
    after: str | None,
    criteria: AppointmentCriteria,
    sort: AppointmentSort = AppointmentSort.NUMBER,
    *,
    descending: bool = False,
    along: Callable[[Readable, Sequence[Appointment]], Awaitable[None]] | None = None,
    ready: Ready | None = None,
) -> Page[Appointment]:
    """A page of appointments; a technician's own only.

    Args:
        along: reads what belongs to them, in the same transaction.
        ready: has the rows be of their answers, and then nothing is read along.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    narrowed = replace(criteria, visited_by=caller.visited_by)
    async with caller.looking() as session:
        page = await page_of_appointments(session, first, after, narrowed, order_by(sort, descending=descending), ready)
        if along is not None and ready is None:
            await along(session, page.rows)
        return page


async def appointments_by_id(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Appointment]:
    """Those of these appointments that the caller may see."""
    async with caller.looking() as session:
        found = await by_ids(session, Appointment, ids)
    return {key: row for key, row in found.items() if caller.sees_work_of(row.technician_id)}


def withheld(row: Appointment) -> Appointment:
    """What a technician who has lost an appointment is told of it: that it is there, and whose it is now."""
    return Appointment(
        tenant_id=row.tenant_id,
        id=row.id,
        number=row.number,
        version=row.version,
        status=row.status,
        location_id=row.location_id,
        customer_id=row.customer_id,
        address_id=row.address_id,
        technician_id=row.technician_id,
        total=Decimal("0.00"),
        duration_minutes=0,
        source=row.source,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
