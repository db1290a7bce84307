"""The appliances at the addresses that are visited."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import contact
from domain.errors import not_found
from domain.ids import new_id
from models.attachment import visited_equipment
from models.customer import CustomerAddress
from models.database import Transaction
from models.equipment import Equipment
from models.query import by_ids
from resolvers.caller import Caller


@dataclass(frozen=True, slots=True)
class NewEquipment:
    """What a dataplate tells, as it was typed."""

    kind: str
    make: str | None = None
    model: str | None = None
    serial_number: str | None = None
    notes: str | None = None


async def add_equipment(caller: Caller, address_id: UUID, given: NewEquipment) -> Equipment:
    """Note an appliance at an address.

    Raises:
        Refusal: NOT_FOUND, INVALID_INPUT.
    """
    kind = contact.required(given.kind, "kind")

    async def work(session: Transaction) -> Equipment:
        if await session.get(CustomerAddress, (caller.tenant_id, address_id)) is None:
            raise not_found("address", "addressId")
        row = Equipment(
            tenant_id=caller.tenant_id,
            id=new_id(),
            address_id=address_id,
            kind=kind,
            make=_text(given.make),
            model=_text(given.model),
            serial_number=_text(given.serial_number),
            notes=_text(given.notes),
        )
        session.add(row)
        await session.flush()
        return row

    return await caller.transact(work)


async def equipment_by_id(caller: Caller, ids: Sequence[UUID]) -> dict[UUID, Equipment]:
    """Those of these appliances that the caller may see: a technician sees those of the customers that are visited."""
    async with caller.reading() as session:
        found = await by_ids(session, Equipment, ids)
        if caller.visited_by is None:
            return found
        visible = await visited_equipment(session, list(found), caller.visited_by)
    return {key: row for key, row in found.items() if key in visible}


def _text(value: str | None) -> str | None:
    return (value or "").strip() or None
