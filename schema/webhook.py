"""Webhooks to partners in the schema."""

from datetime import datetime

import strawberry

from domain.ids import Prefix
from models.webhook import WebhookDelivery as DeliveryRow
from models.webhook import WebhookEndpoint as EndpointRow
from permissions.scopes import Scope
from resolvers.webhook import create_endpoint, list_deliveries, list_endpoints, remove_endpoint, replay_delivery
from schema.checks import Payload
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.node import Node, id_of, node_id


@strawberry.type
class WebhookDelivery(Node):
    """An event that an endpoint is told: signed after the Standard Webhooks specification, with `id` as `webhook-id`."""

    event_type: str = strawberry.field(description="appointment.scheduled, say.")
    state: str = strawberry.field(description="PENDING, DELIVERED or FAILED.")
    attempts: int
    response_status: int | None = strawberry.field(description="Of the last attempt; null when there was no answer.")
    failure: str | None = strawberry.field(description="What went wrong at the last attempt, in words.")
    next_attempt_at: datetime | None = strawberry.field(
        description="Null when it has ended, or waits for an earlier one of its appointment."
    )
    created_at: datetime

    @classmethod
    def of(cls, row: DeliveryRow) -> "WebhookDelivery":
        """The object of a row."""
        return cls(
            id=node_id(Prefix.WEBHOOK_DELIVERY, row.id),
            event_type=row.event_type,
            state=row.state.value,
            attempts=row.attempts,
            response_status=row.response_status,
            failure=row.failure,
            next_attempt_at=row.next_attempt_at,
            created_at=row.created_at,
        )


@strawberry.type
class WebhookEndpoint(Node):
    """Where a partner is told of events: at least once, in order for an appointment, for five days."""

    row: strawberry.Private[EndpointRow]
    url: str
    event_types: list[str]
    active: bool = strawberry.field(
        description="False when it has failed for five days; a replay that succeeds enables it."
    )

    @classmethod
    def of(cls, row: EndpointRow) -> "WebhookEndpoint":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.WEBHOOK_ENDPOINT, row.id),
            url=row.url,
            event_types=row.event_types,
            active=row.active,
        )

    @relation(Scope.WEBHOOKS_READ)
    async def deliveries(
        self, info: Info, first: int | None = None, after: str | None = None
    ) -> Connection[WebhookDelivery]:
        """Deliveries, newest first; ended ones are kept for 30 days."""
        page = await list_deliveries(info.context.caller, self.row.id, first, after)
        made: Connection[WebhookDelivery] = connection_of(page, WebhookDelivery.of)
        return made


@strawberry.input
class WebhookEndpointCreateInput:
    """An https URL, and which events it is told of: appointment.scheduled, say, or * for all."""

    url: str
    event_types: list[str]


@strawberry.input
class WebhookEndpointDeleteInput:
    """Which endpoint."""

    endpoint_id: strawberry.ID


@strawberry.input
class WebhookDeliveryReplayInput:
    """Which delivery."""

    delivery_id: strawberry.ID


@strawberry.type
class WebhookEndpointCreatePayload(Payload):
    """The endpoint, or why there is none."""

    endpoint: WebhookEndpoint | None = None
    secret: str | None = strawberry.field(default=None, description="Shown here and never again.")


@strawberry.type
class WebhookEndpointDeletePayload(Payload):
    """Why nothing changed."""


@strawberry.type
class WebhookDeliveryReplayPayload(Payload):
    """The delivery, or why nothing changed."""

    delivery: WebhookDelivery | None = None


@strawberry.type
class WebhookQuery:
    """Root fields."""

    @query(Scope.WEBHOOKS_READ)
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint] | None:
        """All endpoints, oldest first."""
        return [WebhookEndpoint.of(row) for row in await list_endpoints(info.context.caller)]


@strawberry.type
class WebhookMutation:
    """Root fields."""

    @mutation(Scope.WEBHOOKS_WRITE, "It is told of what happens from now on.")
    async def webhook_endpoint_create(
        self, info: Info, input: WebhookEndpointCreateInput
    ) -> WebhookEndpointCreatePayload:
        """Make an endpoint."""
        row, secret = await create_endpoint(info.context.caller, input.url, input.event_types)
        return WebhookEndpointCreatePayload(endpoint=WebhookEndpoint.of(row), secret=secret)

    @mutation(Scope.WEBHOOKS_WRITE)
    async def webhook_endpoint_delete(
        self, info: Info, input: WebhookEndpointDeleteInput
    ) -> WebhookEndpointDeletePayload:
        """Delete an endpoint and what it has not been told yet."""
        endpoint_id = id_of(Prefix.WEBHOOK_ENDPOINT, input.endpoint_id, "webhook endpoint", "endpointId")
        await remove_endpoint(info.context.caller, endpoint_id)
        return WebhookEndpointDeletePayload()

    @mutation(Scope.WEBHOOKS_WRITE, "The receiver gets it again under the same `webhook-id`.")
    async def webhook_delivery_replay(
        self, info: Info, input: WebhookDeliveryReplayInput
    ) -> WebhookDeliveryReplayPayload:
        """Make a delivery again that has ended."""
        delivery_id = id_of(Prefix.WEBHOOK_DELIVERY, input.delivery_id, "webhook delivery", "deliveryId")
        row = await replay_delivery(info.context.caller, delivery_id)
        return WebhookDeliveryReplayPayload(delivery=WebhookDelivery.of(row))
