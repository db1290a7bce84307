"""Finding any object by its id."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import strawberry
from graphql import GraphQLError

from domain.ids import Prefix, split
from permissions.guards import Requires
from permissions.scopes import Scope
from resolvers.customer import visible_to
from resolvers.tenant import own_tenant
from schema.along import asked, read_what_is_asked
from schema.api_key import ApiKey
from schema.appointment import Appointment, ready_appointments
from schema.attachment import Attachment
from schema.billing import Invoice
from schema.context import Info
from schema.customer import Customer, CustomerAddress
from schema.equipment import Equipment
from schema.export import Export
from schema.fields import AUTHENTICATED, query
from schema.location import Location
from schema.message import Message
from schema.node import Node
from schema.ready import shown
from schema.security_event import SecurityEvent
from schema.service import Service, ServiceCategory, ServiceOption
from schema.technician import Technician
from schema.tenant import Tenant
from schema.time_off import TimeOff
from schema.user import User
from schema.webhook import WebhookDelivery, WebhookEndpoint

MOST_NODES = 100

# For each prefix: the scope that reading such an object takes, the loader of its row, and its type.
NODES: dict[Prefix, tuple[Scope, str, Callable[[Any], Node]]] = {
    Prefix.USER: (Scope.USERS_READ, "user", User.of),
    Prefix.API_KEY: (Scope.API_KEYS_READ, "api_key", ApiKey.of),
    Prefix.SECURITY_EVENT: (Scope.SECURITY_READ, "security_event", SecurityEvent.of),
    Prefix.LOCATION: (Scope.LOCATIONS_READ, "location", Location.of),
    Prefix.TECHNICIAN: (Scope.TECHNICIANS_READ, "technician", Technician.of),
    Prefix.TIME_OFF: (Scope.TECHNICIANS_READ, "time_off", TimeOff.of),
    Prefix.SERVICE_CATEGORY: (Scope.SERVICES_READ, "category", ServiceCategory.of),
    Prefix.SERVICE: (Scope.SERVICES_READ, "service", Service.of),
    Prefix.SERVICE_OPTION: (Scope.SERVICES_READ, "option", ServiceOption.of),
    Prefix.CUSTOMER: (Scope.CUSTOMERS_READ, "customer", Customer.of),
    Prefix.CUSTOMER_ADDRESS: (Scope.CUSTOMERS_READ, "address", CustomerAddress.of),
    Prefix.INVOICE: (Scope.BILLING_READ, "invoice", Invoice.of),
    Prefix.APPOINTMENT: (Scope.APPOINTMENTS_READ, "appointment", Appointment.of),
    Prefix.EQUIPMENT: (Scope.CUSTOMERS_READ, "equipment", Equipment.of),
    Prefix.ATTACHMENT: (Scope.ATTACHMENTS_READ, "attachment", Attachment.of),
    Prefix.EXPORT: (Scope.EXPORTS_READ, "export", Export.of),
    Prefix.WEBHOOK_ENDPOINT: (Scope.WEBHOOKS_READ, "webhook_endpoint", WebhookEndpoint.of),
    Prefix.WEBHOOK_DELIVERY: (Scope.WEBHOOKS_READ, "webhook_delivery", WebhookDelivery.of),
    Prefix.MESSAGE: (Scope.MESSAGES_READ, "message", Message.of),
}


@strawberry.type
class NodeQuery:
    """Root fields."""

    @query(AUTHENTICATED, "Null for an id of nothing, of another tenant, or that is none.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """The object of an id."""
        return await find_node(info, id)

    @query(AUTHENTICATED, "In the order of the ids; null where there is nothing.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        """The objects of up to 100 ids."""
        if len(ids) > MOST_NODES:
            raise GraphQLError(f"At most {MOST_NODES} ids.", extensions={"code": "BAD_USER_INPUT"})
        return list(await asyncio.gather(*(find_node(info, text) for text in ids)))


async def find_node(info: Info, text: str) -> Node | None:
    """The object of an id, if there is one and the caller may read such objects.

    Raises:
        GraphQLError: FORBIDDEN, when the caller may not read objects of that type at all.
    """
    parsed = split(text)
    if parsed is None:
        return None
    prefix, value = parsed
    caller = info.context.caller
    if prefix is Prefix.TENANT:
        _require(info, Scope.TENANT_READ)
        row = await own_tenant(caller)
        return Tenant.of(row) if row and row.id == value else None
    if prefix not in NODES:
        return None
    scope, loader, convert = NODES[prefix]
    _require(info, scope)
    if prefix is Prefix.APPOINTMENT and (ready := ready_appointments(info, asked(info, ()))):
        answer = await info.context.load.ready_appointment(ready).load(value)
        return None if answer is None else cast("Node", shown(answer))
    found = await getattr(info.context.load, loader).load(value)
    if found is None or not await visible_to(caller, prefix, found):
        return None
    if prefix is Prefix.APPOINTMENT:
        await read_what_is_asked(info, [found])
    return convert(found)


def _require(info: Info, scope: Scope) -> None:
    Requires(scope).require(info.context)
