"""Equipment in the schema: the appliances at customers' addresses."""

import strawberry

from domain.ids import Prefix
from models.equipment import Equipment as EquipmentRow
from permissions.scopes import Scope
from resolvers.equipment import NewEquipment, add_equipment
from schema.attachment import Attachment
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, relation
from schema.node import Node, id_of, node_id


@strawberry.type(description="An appliance at an address, as its dataplate tells.")
class Equipment(Node):
    """An appliance."""

    row: strawberry.Private[EquipmentRow]
    kind: str
    make: str | None
    model: str | None
    serial_number: str | None
    notes: str | None

    @classmethod
    def of(cls, row: EquipmentRow) -> "Equipment":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.EQUIPMENT, row.id),
            kind=row.kind,
            make=row.make,
            model=row.model,
            serial_number=row.serial_number,
            notes=row.notes,
        )

    @relation(Scope.ATTACHMENTS_READ)
    async def attachments(self, info: Info) -> list[Attachment]:
        """Photos of it and of its dataplate, in the order in which they came."""
        return [Attachment.of(row) for row in await info.context.load.attachments_of_equipment.load(self.row.id)]


@strawberry.input
class EquipmentAddInput:
    """An appliance at an address."""

    address_id: strawberry.ID
    kind: str
    make: str | None = None
    model: str | None = None
    serial_number: str | None = None
    notes: str | None = None


@strawberry.type
class EquipmentAddPayload(Payload):
    """The appliance, or why there is none."""

    equipment: Equipment | None = None


@strawberry.type
class EquipmentMutation:
    """Root fields."""

    @mutation(Scope.CUSTOMERS_WRITE)
    async def equipment_add(self, info: Info, input: EquipmentAddInput) -> EquipmentAddPayload:
        """Note an appliance at a customer's address."""
        row = await add_equipment(
            info.context.caller,
            id_of(Prefix.CUSTOMER_ADDRESS, input.address_id, "address", "addressId"),
            NewEquipment(
                kind=input.kind,
                make=input.make,
                model=input.model,
                serial_number=input.serial_number,
                notes=input.notes,
            ),
        )
        return EquipmentAddPayload(equipment=Equipment.of(row))
