"""A worker process: Dramatiq's threads, the relay and the clock, until SIGTERM."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import dramatiq
import structlog
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.worker import Worker
from redis.exceptions import RedisError

from integrations.email import email_sender
from integrations.sms import sms_sender
from models.database import SIGNAL_CHANNEL, Database
from settings import Settings
from subscriptions.backends import ReconnectingBackend, backend_for
from workers import upkeep, webhook
from workers.account_mail import AccountMailer, account_mail_sender
from workers.billing import keep_billing
from workers.broker import QUEUE, make_broker, send_all
from workers.clock import TASKS, Clock
from workers.deliver import Deliverer
from workers.partitions import partition_tasks
from workers.relay import Relay, Send, SendAll

log = structlog.get_logger("worker")

# Below the supervisor's patience, above every provider's time-out.
STOP_MS = 13_000
# Rows that wait on the broker, for each thread that works them off.
ROOM = 48
RELAY_POOL = 4


class Delivery(dramatiq.Middleware):
    """Opens on Dramatiq's own loop what its actors need, and closes it there: connections belong to their loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._deliverer: Deliverer | None = None
        self._sms: Any = None
        self._broadcast: ReconnectingBackend | None = None

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

    async def deliver(self, tenant_id: str, message_id: str) -> None:
        """The actor."""
        if self._deliverer is None:
            raise RuntimeError("the worker has not booted")
        await self._deliverer.deliver(UUID(tenant_id), UUID(message_id))

    async def _open(self) -> None:
        self._database = Database.of(self._settings, pool_size=self._settings.worker_threads)
        broadcast = self._settings.broadcast_url
        if broadcast and not broadcast.startswith("postgres"):
            self._broadcast = backend_for(broadcast)
            self._database.after_signals.append(self._tell)
        self._sms = sms_sender(self._settings)
        self._deliverer = Deliverer(self._settings, self._database, self._sms, email_sender(self._settings))

    async def _tell(self, channel: str, payload: str) -> None:
        """Pass a signal on where the broadcast is not the database's; it is a hint, and what it hints at is committed."""
        try:
            if self._broadcast is not None:
                await self._broadcast.publish(channel, payload)
        except (OSError, RedisError) as error:
            log.warning("broadcast out of reach", error=type(error).__name__)

    async def _close(self) -> None:
        if self._broadcast is not None:
            await self._broadcast.disconnect()
        if self._sms is not None:
            await self._sms.close()
        if self._database is not None:
            await self._database.close()


def declare(broker: dramatiq.Broker, settings: Settings) -> SendAll:
    """Declare the actor on a broker, and give the function that queues the ids of messages for it."""
    delivery = Delivery(settings)
    broker.add_middleware(delivery)
    actor = dramatiq.actor(actor_name="deliver", queue_name=QUEUE, broker=broker)(delivery.deliver)
    return lambda due: send_all(broker, [actor.message(str(tenant), str(message)) for tenant, message in due])


def main(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; what is under way is finished. Returns the exit code.

    Raises:
        ValueError: a setting is missing, or of no known kind.
    """
    if settings.database_url is None:
        raise ValueError("DATABASE_URL is not set")
    # Wrong settings are told here, and not by each actor.
    sms_sender(settings)
    email_sender(settings)
    broker = make_broker(settings)
    send = declare(broker, settings)
    keep_up = upkeep.declare(broker, settings)
    send_webhook = webhook.declare(broker, settings)
    worker = Worker(broker, worker_threads=settings.worker_threads)
    worker.start()
    try:
        asyncio.run(_relay(settings, send, keep_up, send_webhook))
    finally:
        worker.stop(timeout=STOP_MS)
        broker.close()
    return 0


async def _relay(settings: Settings, send: SendAll, keep_up: upkeep.Send, send_webhook: Send) -> None:
    database = Database.of(settings, pool_size=RELAY_POOL)
    relay = Relay(
        database,
        send,
        lease_seconds=settings.message_dispatch_seconds,
        room=settings.worker_threads * ROOM,
    )
    # As the servers do: through a transaction-mode pooler LISTEN would hear nothing.
    backend = backend_for(settings.broadcast_url or settings.database_direct_url or database.url)
    lookout = upkeep.Lookout(database, keep_up)
    webhooks = webhook.WebhookRelay(database, send_webhook)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await backend.subscribe(SIGNAL_CHANNEL)
    tasks = [
        asyncio.create_task(relay.run()),
        asyncio.create_task(Clock(database, relay.wake, [*TASKS, *partition_tasks(settings)]).run()),
        asyncio.create_task(_listen(backend, relay.wake, webhooks.wake)),
        asyncio.create_task(keep_billing(settings)),
        asyncio.create_task(AccountMailer(settings, database, account_mail_sender(settings)).run()),
        asyncio.create_task(lookout.run()),
        asyncio.create_task(webhooks.run()),
        asyncio.create_task(stopped.wait()),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            # One that ended by an error ends the worker: its supervisor starts another.
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        relay.close()
        lookout.close()
        webhooks.close()
        await backend.disconnect()
        await database.close()


async def _listen(backend: ReconnectingBackend, *wake: Callable[[], None]) -> None:
    while True:
        await backend.next_published()
        for each in wake:
            each()
