"""Webhooks: deliveries are planned from the event stream, handed to Dramatiq when due, and made one by one for an appointment."""

import asyncio
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import dramatiq
import orjson
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.worker import Worker

from auth.webhook_secret import webhook_secret
from domain.ids import Prefix, encode
from domain.webhook import body, retry_delay
from integrations.webhook import PATIENCE_S, Unreachable, WebhookSender, signed
from models.database import Database, Transaction
from models.errors import UNREACHABLE
from models.webhook_queue import (
    ClaimedDelivery,
    claim_delivery,
    delivered,
    dispatch_webhooks,
    endpoints_behind,
    failed,
    forget,
    plan_deliveries,
    put_off,
)
from settings import Settings
from workers.relay import Send

log = structlog.get_logger("webhooks")

QUEUE = "webhooks"
# A claim outlives every attempt; what was handed out and not claimed is due again after the lease.
CLAIM_S, LEASE_S = PATIENCE_S * 3, 30.0
BATCH, ROOM = 200, 40
IDLE_S, BUSY_S = 1.0, 0.03
# Receivers may take their time: with so many under way in a process the rest waits, and leaves threads to messages.
AT_ONCE, AT_ONE_BUSINESS = 4, 2
PUT_OFF_S = 1.0
GONE = 410


class WebhookDeliverer:
    """Makes deliveries: claims one, posts it, writes down how that ended."""

    def __init__(self, settings: Settings, database: Database, sender: WebhookSender) -> None:
        self._secret = settings.secret_key.get_secret_value()
        self._database = database
        self._sender = sender
        self._under_way: Counter[UUID] = Counter()

    async def deliver(self, tenant_id: UUID, delivery_id: UUID) -> None:
        """Make a delivery, unless somebody else has it or it has ended; it is put off when too many are under way."""
        if self._under_way.total() >= AT_ONCE:
            await self._put_off(tenant_id, delivery_id)
            return
        # Counted before the first wait, or a crowd would pass together.
        self._under_way[tenant_id] += 1
        try:
            if self._under_way[tenant_id] > AT_ONE_BUSINESS:
                await self._put_off(tenant_id, delivery_id)
                return
            async with self._database.tenant(tenant_id) as session:
                claimed = await claim_delivery(session, tenant_id, delivery_id, CLAIM_S)
            if isinstance(claimed, ClaimedDelivery):
                await self._make(claimed)
            elif claimed is not None:
                async with self._database.tenant(tenant_id) as session:
                    await forget(session, claimed)
        finally:
            self._under_way[tenant_id] -= 1
            if not self._under_way[tenant_id]:
                del self._under_way[tenant_id]

    async def _make(self, claimed: ClaimedDelivery) -> None:
        shown = encode(Prefix.WEBHOOK_DELIVERY, claimed.id)
        secret = webhook_secret(self._secret, claimed.tenant_id, claimed.endpoint_id)
        content = body(
            tenant_id=claimed.tenant_id,
            seq=claimed.seq,
            type_=claimed.type,
            appointment_id=claimed.appointment_id,
            occurred_at=claimed.occurred_at,
            actor=claimed.actor,
            changes=claimed.changes,
        )
        status: int | None = None
        try:
            status = await self._sender.post(
                claimed.url, signed(secret, shown, orjson.dumps(content), datetime.now(UTC))
            )
            failure = None if 200 <= status < 300 else f"the receiver answered {status}"
        except Unreachable as error:
            failure = error.failure
        async with self._database.tenant(claimed.tenant_id) as session:
            await self._write(session, claimed, shown, status, failure)

    async def _write(
        self, session: Transaction, claimed: ClaimedDelivery, shown: str, status: int | None, failure: str | None
    ) -> None:
        endpoint = encode(Prefix.WEBHOOK_ENDPOINT, claimed.endpoint_id)
        known = {"deliveryId": shown, "endpointId": endpoint, "attempt": claimed.attempts, "status": status}
        if failure is None and status is not None:
            await delivered(session, claimed, status)
            log.info("webhook delivered", **known)
            return
        again_in = retry_delay(claimed.attempts, random.random())  # noqa: S311
        log.info("webhook failed", **known, failure=failure, last=again_in is None)
        disabled = await failed(session, claimed, status, failure or "", again_in=again_in, gone=status == GONE)
        if disabled:
            log.warning("webhook endpoint disabled", endpointId=endpoint, failure=failure)

    async def _put_off(self, tenant_id: UUID, delivery_id: UUID) -> None:
        async with self._database.tenant(tenant_id) as session:
            await put_off(session, delivery_id, PUT_OFF_S)


class Webhooks(dramatiq.Middleware):
    """Opens on Dramatiq's own loop what the actor needs, and closes it there: connections belong to their loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._deliverer: WebhookDeliverer | None = None

    def before_worker_boot(self, broker: dramatiq.Broker, worker: Worker) -> None:
        """Open, before the first message: the AsyncIO middleware, which was added first, has started the loop."""
        loop = get_event_loop_thread()
        if loop is None:
            raise RuntimeError("the AsyncIO middleware comes first")
        loop.run_coroutine(self._open())

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        """Close. Called before the AsyncIO middleware, which was added first, stops the loop."""
        loop = get_event_loop_thread()
        if loop is not None:
            loop.run_coroutine(self._close())

    async def deliver(self, tenant_id: str, delivery_id: str) -> None:
        """The actor. What it could not write down is found out by nobody, and made again after the claim: at least once."""
        if self._deliverer is None:
            raise RuntimeError("the worker has not booted")
        try:
            await self._deliverer.deliver(UUID(tenant_id), UUID(delivery_id))
        except UNREACHABLE as error:
            log.warning("webhook interrupted", error=type(error).__name__)

    async def _open(self) -> None:
        self._database = Database.of(self._settings, pool_size=AT_ONCE + 1)
        self._deliverer = WebhookDeliverer(
            self._settings, self._database, WebhookSender(self._settings.webhook_allowed_hosts)
        )

    async def _close(self) -> None:
        if self._database is not None:
            await self._database.close()


def declare(broker: dramatiq.Broker, settings: Settings) -> Send:
    """Declare the actor on a broker, and give the function that queues a delivery's ids for it."""
    webhooks = Webhooks(settings)
    broker.add_middleware(webhooks)
    actor = dramatiq.actor(actor_name="deliver_webhook", queue_name=QUEUE, broker=broker)(webhooks.deliver)
    return lambda tenant_id, delivery_id: actor.send(str(tenant_id), str(delivery_id))


class WebhookRelay:
    """Plans deliveries of new events and hands out those that are due, of all tenants.

    Several may do so: an endpoint is planned for under its lock, and rows that one hands out another skips.

    Args:
        send: puts a delivery's ids on the broker; blocks.
    """

    def __init__(self, database: Database, send: Send) -> None:
        self._database = database
        self._send = send
        self._woken = asyncio.Event()
        # One thread: the brokers' connections are each a thread's own.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="webhooks")

    def wake(self) -> None:
        """Look now: something has happened."""
        self._woken.set()

    async def run(self) -> None:
        """Plan and hand out until cancelled; neither a lost database nor a lost broker ends it."""
        while True:
            self._woken.clear()
            try:
                busy = await self.plan() + await self.hand_out()
            except UNREACHABLE as error:
                log.warning("no webhooks handed out", error=type(error).__name__)
                busy = 0
            if busy:
                await asyncio.sleep(BUSY_S)
                continue
            try:
                async with asyncio.timeout(IDLE_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def plan(self) -> int:
        """Plan for the endpoints that are behind, and tell how many events that were."""
        async with self._database.anonymous() as session:
            behind = await endpoints_behind(session, ROOM)
        planned = 0
        for tenant_id, endpoint_id in behind:
            async with self._database.tenant(tenant_id) as session:
                planned += await plan_deliveries(session, tenant_id, endpoint_id, BATCH)
        return planned

    async def hand_out(self) -> int:
        """Hand out what is due, and tell how many deliveries that were."""
        async with self._database.anonymous() as session:
            due = await dispatch_webhooks(session, LEASE_S, ROOM)
        for tenant_id, delivery_id in due:
            if not await asyncio.get_running_loop().run_in_executor(self._thread, self._sent, tenant_id, delivery_id):
                break
        return len(due)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _sent(self, tenant_id: UUID, delivery_id: UUID) -> bool:
        try:
            self._send(tenant_id, delivery_id)
        except Exception as error:  # noqa: BLE001 (each broker has its own kinds)
            log.warning("broker out of reach", error=type(error).__name__)
            return False
        return True
