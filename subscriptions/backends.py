"""Backends for broadcaster that reconnect by themselves and say so; its own go deaf when the connection is lost."""

import asyncio
import random
from abc import abstractmethod
from typing import Any

import psycopg
import structlog
from broadcaster import Event
from broadcaster._backends.base import BroadcastBackend
from psycopg import sql
from redis import asyncio as redis
from redis.exceptions import RedisError

log = structlog.get_logger("broadcast")

# Said on every channel after a (re)connection: whatever was published meanwhile went unheard.
GAP = "gap"
FIRST_DELAY_S, LONGEST_DELAY_S = 0.05, 2.0
# A signal is a hint, and the newest of a channel says all: beyond this the oldest ones go.
MOST_WAITING = 10_000


class ReconnectingBackend(BroadcastBackend):
    """Listens in a task that never gives up; subclasses say how to listen once, and how to publish."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._channels: set[str] = set()
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        self._task: asyncio.Task[None] | None = None
        # Two channels at one moment would each start a listener, and one of them would never be stopped.
        self._subscribing = asyncio.Lock()
        self.connected = asyncio.Event()

    @abstractmethod
    async def listen(self) -> None:
        """Listen on `self._channels` until the connection is lost; call `hear` for each message."""

    async def connect(self) -> None:
        """Nothing yet: the first subscription begins to listen."""

    async def disconnect(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def subscribe(self, channel: str) -> None:
        """Begin to listen on a channel; returns at once, the connection says `GAP` when it stands."""
        async with self._subscribing:
            self._channels.add(channel)
            if self._task:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
            self._task = asyncio.create_task(self._supervise())

    async def unsubscribe(self, channel: str) -> None:
        """Forget a channel; what still comes on it finds no subscriber."""
        self._channels.discard(channel)

    async def next_published(self) -> Event:
        """The next message."""
        return await self._waiting.get()

    def hear(self, channel: str, message: str) -> None:
        """Pass a message on; when nobody keeps up the oldest is let go, since signals are hints."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(Event(channel, message))

    def stands(self) -> None:
        """The connection stands: tell every channel that it may have missed something."""
        self.connected.set()
        for channel in self._channels:
            self.hear(channel, GAP)

    async def _supervise(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            try:
                await self.listen()
            except (TimeoutError, OSError, psycopg.Error, RedisError) as error:
                if self.connected.is_set():
                    delay = FIRST_DELAY_S
                log.warning("broadcast connection lost", error=type(error).__name__, retry_in_s=round(delay, 2))
            self.connected.clear()
            # Jitter: all processes lose the database at the same moment.
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # noqa: S311
            delay = min(delay * 2, LONGEST_DELAY_S)


class PostgresBackend(ReconnectingBackend):
    """LISTEN/NOTIFY over psycopg, on a connection of its own (not through a transaction-mode pooler)."""

    async def listen(self) -> None:
        """Listen until the connection is lost."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.stands()
            async for notification in connection.notifies():
                self.hear(notification.channel, notification.payload)

    async def publish(self, channel: str, message: Any) -> None:
        """Say something outside a transaction; changes say it inside theirs (models.database)."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            await connection.execute("SELECT pg_notify(%s, %s)", (channel, str(message)))


class RedisBackend(ReconnectingBackend):
    """Redis pub/sub."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._client = redis.Redis.from_url(url, health_check_interval=5, socket_connect_timeout=5)

    async def listen(self) -> None:
        """Listen until the connection is lost."""
        async with self._client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(*self._channels)
            self.stands()
            while True:
                message = await pubsub.get_message(timeout=5.0)
                if message is not None:
                    self.hear(message["channel"].decode(), message["data"].decode())

    async def publish(self, channel: str, message: Any) -> None:
        """Say something to every process; what cannot be said is found by looking.

        It is said after the commit: a caller whose change stands must not hear that it failed.
        """
        try:
            await self._client.publish(channel, str(message))
        except (RedisError, OSError) as error:
            log.warning("signal not published", channel=channel, error=type(error).__name__)

    async def disconnect(self) -> None:
        """Stop listening and close the connections."""
        await super().disconnect()
        await self._client.aclose()


def backend_for(url: str) -> ReconnectingBackend:
    """The backend of a URL.

    Raises:
        ValueError: the scheme is none of postgresql, redis and rediss.
    """
    scheme = url.partition("://")[0]
    if scheme in {"postgres", "postgresql"}:
        return PostgresBackend(url)
    if scheme in {"redis", "rediss"}:
        return RedisBackend(url)
    raise ValueError(f"BROADCAST_URL must begin with postgresql:// or redis://, not {scheme}://")
