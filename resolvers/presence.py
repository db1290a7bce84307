"""Presence: telling colleagues that one has an appointment open."""

from uuid import UUID

from domain.errors import Denied, not_found
from models.appointment import Appointment
from models.database import Transaction
from models.presence import Present, come, leave, present_at
from models.query import by_ids
from resolvers.caller import Caller


async def set_presence(caller: Caller, appointment_id: UUID, *, editing: bool) -> tuple[Present, ...]:
    """Note that the caller has an appointment open, or has closed it; who has it open now.

    Raises:
        Denied: an API key is nobody's presence.
        Refusal: NOT_FOUND.
    """
    user_id = caller.principal.user_id
    if user_id is None:
        raise Denied("Presence is for people, not for API keys.")

    async def work(session: Transaction) -> tuple[Present, ...]:
        if appointment_id not in await by_ids(session, Appointment, [appointment_id]):
            raise not_found("appointment", "appointmentId")
        if editing:
            await come(session, caller.tenant_id, appointment_id, user_id)
        else:
            await leave(session, caller.tenant_id, appointment_id, user_id)
        return (await present_at(session, [appointment_id])).get(appointment_id, ())

    return await caller.transact(work)
