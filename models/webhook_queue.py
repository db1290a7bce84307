"""Webhook deliveries as a queue: planned from the event stream, handed out when due, claimed, ended."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.appointment import AppointmentEventType
from domain.ids import new_id
from domain.webhook import DISABLED_AFTER, DeliveryState, event_name, wants
from models.event import Event, events_after
from models.webhook import WebhookDelivery, WebhookEndpoint, lock_endpoint


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is one worker's for a while; as no more than this, one whose event is kept no longer."""

    tenant_id: UUID
    id: UUID
    endpoint_id: UUID
    appointment_id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class ClaimedDelivery(Claim):
    """A delivery that a worker may make now, with what it tells."""

    url: str
    attempts: int
    seq: int
    type: AppointmentEventType
    occurred_at: datetime
    actor: str
    changes: list[dict[str, Any]]


async def endpoints_behind(session: AsyncSession, room: int) -> Sequence[tuple[UUID, UUID]]:
    """Active endpoints, of all tenants, with events for which nothing has been planned yet: (tenant, endpoint)."""
    found = await session.execute(text("SELECT tenant_id, id FROM webhook_endpoints_behind(:room)"), {"room": room})
    return [(row.tenant_id, row.id) for row in found]


async def plan_deliveries(session: AsyncSession, tenant_id: UUID, endpoint_id: UUID, room: int) -> int:
    """Plan what the endpoint is to be told of up to so many further events, and tell how many events that were.

    The stream has no gaps and is in the order of commits, so that one number says what has been planned.
    """
    endpoint = await lock_endpoint(session, tenant_id, endpoint_id)
    if endpoint is None or not endpoint.active:
        return 0
    events = await events_after(session, endpoint.planned_seq, room)
    if not events:
        return 0
    told = [event for event in events if wants(endpoint.event_types, event.type)]
    waiting = set(
        (
            await session.execute(
                select(WebhookDelivery.appointment_id)
                .distinct()
                .where(
                    WebhookDelivery.endpoint_id == endpoint_id,
                    WebhookDelivery.state == DeliveryState.PENDING,
                    WebhookDelivery.appointment_id.in_({event.appointment_id for event in told}),
                )
            )
        ).scalars()
    )
    values = []
    for event in told:
        first = event.appointment_id not in waiting
        waiting.add(event.appointment_id)
        values.append(
            {
                "tenant_id": tenant_id,
                "id": new_id(),
                "endpoint_id": endpoint_id,
                "seq": event.seq,
                "appointment_id": event.appointment_id,
                "event_type": event_name(event.type),
                "state": DeliveryState.PENDING,
                "relay_at": func.now() if first else None,
                "next_attempt_at": func.now() if first else None,
            }
        )
    if values:
        await session.execute(insert(WebhookDelivery).values(values).on_conflict_do_nothing())
    endpoint.planned_seq = events[-1].seq
    return len(events)


async def dispatch_webhooks(session: AsyncSession, lease_seconds: float, room: int) -> Sequence[tuple[UUID, UUID]]:
    """Take deliveries that are due, of all tenants: (tenant, delivery). Each is due again after the lease, unless it ends."""
    found = await session.execute(
        text("SELECT tenant_id, id FROM dispatch_webhooks(:lease, :room)"), {"lease": lease_seconds, "room": room}
    )
    return [(row.tenant_id, row.id) for row in found]


async def claim_delivery(session: AsyncSession, tenant_id: UUID, delivery_id: UUID, seconds: float) -> Claim | None:
    """Claim a delivery for an attempt; None when it has ended, or somebody else has it."""
    until = func.clock_timestamp() + timedelta(seconds=seconds)
    delivery = WebhookDelivery
    found = await session.execute(
        update(delivery)
        .where(
            delivery.tenant_id == tenant_id,
            delivery.id == delivery_id,
            delivery.state == DeliveryState.PENDING,
            delivery.relay_at.is_not(None),
            func.coalesce(delivery.claimed_until, func.now()) <= func.clock_timestamp(),
        )
        .values(attempts=delivery.attempts + 1, fence=delivery.fence + 1, claimed_until=until, relay_at=until)
        .returning(delivery.endpoint_id, delivery.appointment_id, delivery.seq, delivery.fence, delivery.attempts)
    )
    row = found.first()
    if row is None:
        return None
    event = (
        await session.execute(
            select(WebhookEndpoint.url, Event.type, Event.occurred_at, Event.actor, Event.changes)
            .join(Event, Event.tenant_id == WebhookEndpoint.tenant_id)
            .where(WebhookEndpoint.id == row.endpoint_id, Event.seq == row.seq)
        )
    ).one_or_none()
    claim = Claim(tenant_id, delivery_id, row.endpoint_id, row.appointment_id, row.fence)
    if event is None:
        return claim
    return ClaimedDelivery(**asdict(claim), attempts=row.attempts, seq=row.seq, **event._mapping)


async def put_off(session: AsyncSession, delivery_id: UUID, seconds: float) -> None:
    """Have a delivery that nobody has claimed handed out later."""
    delivery = WebhookDelivery
    await session.execute(
        update(delivery)
        .where(
            delivery.id == delivery_id,
            delivery.state == DeliveryState.PENDING,
            func.coalesce(delivery.claimed_until, func.now()) <= func.now(),
            delivery.relay_at.is_not(None),
        )
        .values(relay_at=func.now() + timedelta(seconds=seconds))
    )


async def delivered(session: AsyncSession, claimed: ClaimedDelivery, status: int) -> bool:
    """Write down that an endpoint has taken a delivery; one that was disabled works again, and is told what it has missed."""
    endpoint = await lock_endpoint(session, claimed.tenant_id, claimed.endpoint_id)
    if endpoint is None or not await _end(session, claimed, DeliveryState.DELIVERED, status, None):
        return False
    endpoint.failing_since, endpoint.active, endpoint.disabled_at = None, True, None
    await _let_next(session, claimed.endpoint_id, claimed.appointment_id)
    return True


async def failed(
    session: AsyncSession,
    claimed: ClaimedDelivery,
    status: int | None,
    failure: str,
    *,
    again_in: timedelta | None,
    gone: bool,
) -> bool:
    """Write down that an attempt failed, and tell whether the endpoint is disabled by it.

    Args:
        again_in: until the next attempt; None: this was the last.
        gone: the endpoint says that it is there no more.
    """
    endpoint = await lock_endpoint(session, claimed.tenant_id, claimed.endpoint_id)
    if endpoint is None:
        return False
    if again_in is not None and not gone:
        ended = await _end(session, claimed, DeliveryState.PENDING, status, failure, again_in)
    else:
        ended = await _end(session, claimed, DeliveryState.FAILED, status, failure)
    if not ended:
        return False
    now = (await session.execute(select(func.now()))).scalar_one()
    endpoint.failing_since = endpoint.failing_since or now
    if again_in is not None and not gone:
        return False
    if gone or now - endpoint.failing_since >= DISABLED_AFTER:
        disabled = endpoint.active
        endpoint.active, endpoint.disabled_at = False, now
        await _fail_all(session, claimed.endpoint_id)
        return disabled
    await _let_next(session, claimed.endpoint_id, claimed.appointment_id)
    return False


async def forget(session: AsyncSession, claim: Claim) -> None:
    """Give up a delivery whose event is kept no longer, and let the next one of its appointment be made.

    Not with the claim: who has the endpoint's lock waits for rows of deliveries, and never the other way round.
    """
    endpoint = await lock_endpoint(session, claim.tenant_id, claim.endpoint_id)
    if endpoint and await _end(session, claim, DeliveryState.FAILED, None, "its event is kept no longer"):
        await _let_next(session, claim.endpoint_id, claim.appointment_id)


async def replay(session: AsyncSession, delivery: WebhookDelivery) -> None:
    """Have a delivery that has ended made again, before what its appointment's later events still have to tell; the caller has
    locked the endpoint."""
    await session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.endpoint_id == delivery.endpoint_id,
            WebhookDelivery.appointment_id == delivery.appointment_id,
            WebhookDelivery.state == DeliveryState.PENDING,
            func.coalesce(WebhookDelivery.claimed_until, func.now()) <= func.now(),
        )
        .values(relay_at=None, next_attempt_at=None)
    )
    delivery.state, delivery.attempts, delivery.finished_at = DeliveryState.PENDING, 0, None
    delivery.response_status, delivery.failure, delivery.claimed_until = None, None, None
    await session.flush()
    await _let_next(session, delivery.endpoint_id, delivery.appointment_id)
    await session.refresh(delivery)


async def _end(
    session: AsyncSession,
    claimed: Claim,
    state: DeliveryState,
    status: int | None,
    failure: str | None,
    again_in: timedelta | None = None,
) -> bool:
    again = None if again_in is None else func.now() + again_in
    found = await session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.id == claimed.id,
            WebhookDelivery.fence == claimed.fence,
            WebhookDelivery.state == DeliveryState.PENDING,
        )
        .values(
            state=state,
            response_status=status,
            failure=failure,
            claimed_until=None,
            next_attempt_at=again,
            relay_at=again,
            finished_at=func.now() if again is None else None,
        )
        .returning(literal(1))
    )
    return found.first() is not None


async def _let_next(session: AsyncSession, endpoint_id: UUID, appointment_id: UUID) -> None:
    delivery = WebhookDelivery
    following = (
        select(delivery.id)
        .where(
            delivery.endpoint_id == endpoint_id,
            delivery.appointment_id == appointment_id,
            delivery.state == DeliveryState.PENDING,
        )
        .order_by(delivery.seq)
        .limit(1)
        .scalar_subquery()
    )
    await session.execute(
        update(delivery)
        .where(delivery.id == following, delivery.relay_at.is_(None))
        .values(relay_at=func.now(), next_attempt_at=func.now())
    )


async def _fail_all(session: AsyncSession, endpoint_id: UUID) -> None:
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.state == DeliveryState.PENDING)
        .values(
            state=DeliveryState.FAILED,
            failure="the endpoint was disabled",
            claimed_until=None,
            next_attempt_at=None,
            relay_at=None,
            finished_at=func.now(),
        )
    )
