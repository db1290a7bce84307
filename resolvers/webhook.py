"""Webhook endpoints of partners: making them, listing them, deleting them, and making deliveries again."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth.webhook_secret import webhook_secret
from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.ids import Prefix, encode, new_id
from domain.webhook import MOST_ENDPOINTS, DeliveryState, checked_event_types, checked_url
from models.database import Transaction
from models.event import last_seq
from models.page import Page
from models.query import by_ids
from models.tenant import lock_tenant
from models.webhook import (
    WebhookDelivery,
    WebhookEndpoint,
    count_endpoints,
    delete_endpoint,
    lock_endpoint,
    page_of_deliveries,
    webhook_endpoints,
)
from models.webhook_queue import replay
from resolvers.caller import Caller


async def list_endpoints(caller: Caller) -> Sequence[WebhookEndpoint]:
    """All endpoints, oldest first."""
    async with caller.reading() as session:
        return await webhook_endpoints(session)


async def list_deliveries(
    caller: Caller, endpoint_id: UUID, first: int | None, after: str | None
) -> Page[WebhookDelivery]:
    """An endpoint's deliveries, newest first; ended ones are kept for 30 days.

    Raises:
        Refusal: INVALID_INPUT for a size outside 1..100, or a cursor of another list.
    """
    async with caller.reading() as session:
        return await page_of_deliveries(session, endpoint_id, first, after)


async def create_endpoint(caller: Caller, url: str, event_types: Sequence[str]) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint, which is told of what happens from now on; its secret is in this answer alone.

    Raises:
        Refusal: INVALID_INPUT for a URL that deliveries cannot go to, or an event type that there is not; PLAN_LIMIT.
    """
    url = checked_url(url, caller.settings.webhook_allowed_hosts, "url")
    wanted = checked_event_types(event_types, "eventTypes")

    async def work(session: Transaction) -> WebhookEndpoint:
        # Two at the same moment are counted one after the other.
        await lock_tenant(session, caller.tenant_id)
        if await count_endpoints(session) >= MOST_ENDPOINTS:
            raise Refusal(
                ErrorCode.PLAN_LIMIT, f"A business has at most {MOST_ENDPOINTS} webhook endpoints.", ("input",)
            )
        row = WebhookEndpoint(
            tenant_id=caller.tenant_id,
            id=new_id(),
            url=url,
            event_types=wanted,
            planned_seq=await last_seq(session),
        )
        session.add(row)
        await session.flush()
        return row

    row = await caller.transact(work)
    return row, webhook_secret(caller.settings.secret_key.get_secret_value(), caller.tenant_id, row.id)


async def remove_endpoint(caller: Caller, endpoint_id: UUID) -> None:
    """Delete an endpoint and what it has not been told yet.

    Raises:
        Refusal: NOT_FOUND.
    """

    async def work(session: Transaction) -> None:
        if not await delete_endpoint(session, endpoint_id):
            raise not_found("webhook endpoint", "endpointId")

    await caller.transact(work, even_cancelled=True)


async def replay_delivery(caller: Caller, delivery_id: UUID) -> WebhookDelivery:
    """Make a delivery again, with the id that it had; the first success of a disabled endpoint enables it.

    Raises:
        Refusal: NOT_FOUND; INVALID_INPUT while it is still being delivered.
    """

    async def work(session: Transaction) -> WebhookDelivery:
        found = (await by_ids(session, WebhookDelivery, [delivery_id])).get(delivery_id)
        # The endpoint first, as whoever ends an attempt locks them.
        if found is None or await lock_endpoint(session, caller.tenant_id, found.endpoint_id) is None:
            raise not_found("webhook delivery", "deliveryId")
        row = await session.get(WebhookDelivery, (caller.tenant_id, delivery_id), with_for_update=True)
        if row is None:
            raise not_found("webhook delivery", "deliveryId")
        if row.state is DeliveryState.PENDING:
            raise invalid("It is still being delivered.", "deliveryId")
        await replay(session, row)
        return row

    return await caller.transact(work)


@dataclass(frozen=True, slots=True)
class EndpointWarning:
    """An endpoint that is not told of events, as a setting that fails silently."""

    code: str
    message: str
    endpoint: WebhookEndpoint


async def endpoint_warnings(session: Transaction) -> list[EndpointWarning]:
    """Warnings of configuration: WEBHOOK_DISABLED, and WEBHOOK_FAILING before that."""
    return [
        EndpointWarning(
            "WEBHOOK_FAILING" if row.active else "WEBHOOK_DISABLED",
            f"The webhook endpoint {row.url} has failed since {row.failing_since:%Y-%m-%d %H:%M} UTC"
            + (": it may be disabled." if row.active else " and was disabled: replay a delivery when it works again."),
            row,
        )
        for row in await webhook_endpoints(session)
        if row.failing_since is not None
    ]


def shown(delivery_id: UUID) -> str:
    """A delivery's id as callers and receivers see it."""
    return encode(Prefix.WEBHOOK_DELIVERY, delivery_id)
