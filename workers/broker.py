"""Dramatiq's broker: PostgreSQL by default, RabbitMQ or Redis by BROKER_URL. It carries ids of rows, and may lose them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
from dramatiq.middleware import AsyncIO, Middleware
from dramatiq_postgres import PostgresBroker
from dramatiq_postgres.broker import QUERIES
from dramatiq_postgres.utils import tidy4json, transaction
from psycopg.types.json import Json

from settings import Settings

QUEUE = "messages"
# A process that was killed gives its share back after this; the default is more than a minute.
HEARTBEAT_S, LOST_AFTER_S, UPKEEP_S = 1.0, 5.0, 2.0


class Postgres(PostgresBroker):  # type: ignore[misc]
    """dramatiq-postgres without its own retries: the relay hands out again what could not be queued, and sooner."""

    def enqueue_all(self, messages: Sequence[dramatiq.Message[Any]]) -> None:
        """Queue messages of one queue in one transaction, with one signal: a commit each is what queueing costs."""
        for message in messages:
            self.emit_before("enqueue", message, None)
        rows = [(each.queue_name, each.message_id, Json(tidy4json(each)), 0) for each in messages]
        with transaction(self.pool) as cursor:
            cursor.executemany(QUERIES.ENQUEUE_QUIET, rows)
            cursor.execute("SELECT pg_notify(%s, '')", (f"dramatiq.{messages[0].queue_name}.enqueue",))
        for message in messages:
            self.emit_after("enqueue", message, None)

    def enqueue(self, message: dramatiq.Message[Any], *, delay: int | None = None) -> dramatiq.Message[Any]:
        """Queue a message, or raise at once."""
        once: Any = PostgresBroker.enqueue.__wrapped__
        queued: dramatiq.Message[Any] = once(self, message, delay=delay)
        return queued


def send_all(broker: dramatiq.Broker, messages: Sequence[dramatiq.Message[Any]]) -> None:
    """Queue messages of one queue; those before the one that fails are queued, or none where the broker can do all at once."""
    if isinstance(broker, Postgres):
        broker.enqueue_all(messages)
        return
    for message in messages:
        broker.enqueue(message)


def make_broker(settings: Settings) -> dramatiq.Broker:
    """A broker that retries nothing and limits nothing: how often and how long is the ledger's business.

    Raises:
        ValueError: BROKER_URL is of no known kind, or there is neither it nor DATABASE_URL.
    """
    url = settings.broker_url or settings.database_direct_url or settings.database_url
    if url is None:
        raise ValueError("neither BROKER_URL nor DATABASE_URL is set")
    scheme = url.partition("://")[0]
    middleware: list[Middleware] = [AsyncIO()]
    if scheme in {"postgresql", "postgres"}:
        return Postgres(
            url=_with_room(url, settings.worker_threads + 6),
            results=False,
            middleware=middleware,
            heartbeat_interval=HEARTBEAT_S,
            heartbeat_ttl=LOST_AFTER_S,
            maintenance_interval=UPKEEP_S,
        )
    # Each of the others' clients takes a good part of a second to import, which the default need not wait for.
    if scheme in {"amqp", "amqps"}:
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url, middleware=middleware, confirm_delivery=True)
    if scheme in {"redis", "rediss", "unix"}:
        from dramatiq.brokers.redis import RedisBroker

        # By default the messages of a killed worker came back after minutes, if at all.
        options: dict[str, Any] = {"heartbeat_timeout": 5_000, "maintenance_chance": 1_000_000}
        return RedisBroker(url=url, middleware=middleware, **options)  # type: ignore[no-untyped-call]
    raise ValueError(f"BROKER_URL begins with postgresql://, amqp:// or redis://, not with {scheme}://")


def _with_room(url: str, connections: int) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"maxconn": str(connections)}
    return urlunsplit(parts._replace(query=urlencode(query)))
