"""Reading the ledger: pages, an appointment's messages, and which of them a technician may see."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from models.message import Message, messages_of
from models.message_list import MessageCriteria, page_of_messages, visible_messages
from models.page import Page
from resolvers.caller import Caller
from resolvers.grouping import grouped


async def list_messages(
    caller: Caller, first: int | None, after: str | None, criteria: MessageCriteria
) -> Page[Message]:
    """A page of messages, newest first; a technician's about the technician's own appointments.

    Raises:
        Refusal: INVALID_INPUT for a page size or cursor that is none.
    """
    async with caller.reading() as session:
        return await page_of_messages(session, first, after, replace(criteria, visited_by=caller.visited_by))


async def messages_by_id(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Message]:
    """Those of these messages that the caller may see."""
    async with caller.reading() as session:
        return {row.id: row for row in await visible_messages(session, ids, caller.visited_by)}


async def messages_by_appointment(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, list[Message]]:
    """The messages about these appointments, in the order in which they were or will be sent."""
    async with caller.reading() as session:
        return grouped(await messages_of(session, ids), lambda row: row.appointment_id)
