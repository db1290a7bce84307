"""Transactions: one tenant each, set locally; what was recorded as events is written last and signalled once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, cast
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from sqlalchemy import AsyncAdaptedQueuePool, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import greenlet_spawn

from models.errors import RETRIED, refusal_of
from models.event import write_events
from models.prepared import as_sqlalchemy
from models.reading import Reading
from models.tenant_session import STATEMENT_TIMEOUT_MS, TenantSession
from settings import Settings

T = TypeVar("T")
# What the layers above call it, which do not import SQLAlchemy.
Transaction = AsyncSession
SIGNAL_CHANNEL = "sps_events"
ATTEMPTS = 3


def _use_utc(connection: DBAPIConnection, _record: object) -> None:
    # Times then come in UTC itself, and not in a zone that has to be asked about each, and as text in the form that
    # `models.ready_text` reads; poolers keep both settings for us.
    connection.cursor().execute("SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false)")
    connection.commit()


class Database:
    """The app's way to PostgreSQL. One for each event loop, since a pool's connections belong to theirs.

    Args:
        url: postgresql://…, of a role that owns nothing.
        pool_size: connections kept at most.
        pool_patience_s: how long to wait for one of them.
        prepared_statements: whether PostgreSQL is asked to keep statements that recur. A pooler that does not know them gives
            the next transaction another server connection, which has never heard of what was prepared on the last one.
    """

    def __init__(
        self, url: str, *, pool_size: int = 10, pool_patience_s: float = 10.0, prepared_statements: bool = True
    ) -> None:
        self.url = url
        self.executes = prepared_statements
        self.engine: AsyncEngine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=pool_patience_s,
            pool_pre_ping=False,
            connect_args={} if prepared_statements else {"prepare_threshold": None},
        )
        event.listen(self.engine.sync_engine, "connect", _use_utc)
        # Called with (tenant_id, seq) after a commit that wrote events, where the broadcast is not the database's own.
        self.after_events: list[Callable[[UUID, int], Awaitable[None]]] = []
        # The same for other signals: called with (channel, payload).
        self.after_signals: list[Callable[[str, str], Awaitable[None]]] = []

    @classmethod
    def of(cls, settings: Settings, *, pool_size: int) -> "Database":
        """The database of the settings.

        Raises:
            ValueError: DATABASE_URL is not set.
        """
        if settings.database_url is None:
            raise ValueError("DATABASE_URL is not set; `sps up` starts a database of its own")
        return cls(settings.database_url, pool_size=pool_size, prepared_statements=settings.prepared_statements)

    @asynccontextmanager
    async def tenant(self, tenant_id: UUID) -> AsyncIterator[AsyncSession]:
        """A transaction of one tenant: committed at the end, rolled back when an exception leaves the block."""
        async with self._session(tenant_id) as session, session.begin():
            yield session
            if session.new or session.dirty or session.deleted:
                await session.flush()
            seq = await _write_events(session, tenant_id)
        if seq:
            for hook in self.after_events:
                await hook(tenant_id, seq)
        for signal in session.info.pop("signals", ()):
            for tell in self.after_signals:
                await tell(*signal)

    @asynccontextmanager
    async def snapshot(self, tenant_id: UUID) -> AsyncIterator[AsyncSession]:
        """A transaction for reads that must fit together: all its statements see the database of one moment."""
        async with self._session(tenant_id) as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
            # Never a rollback where none is needed: psycopg then forgets all that it has prepared on the connection.
            await session.commit()

    @asynccontextmanager
    async def anonymous(self) -> AsyncIterator[AsyncSession]:
        """A transaction of no tenant: tenant rows are invisible, only the look-up functions answer."""
        async with self._session(None) as session, session.begin():
            yield session

    async def ask(self, sql: str, *arguments: object) -> dict[str, Any] | None:
        """The first row that one statement of no tenant answers, such as a look-up function's.

        It commits itself, so that it takes one way there and back, where a transaction takes four.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: there is no connection, or the statement failed.
        """
        async with self._driver() as driver:
            try:
                async with asyncio.timeout(STATEMENT_TIMEOUT_MS / 1000):
                    cursor = driver.cursor(binary=True, row_factory=dict_row)
                    await cursor.execute(cast("Any", sql), arguments)
                    return await cursor.fetchone()
            except psycopg.Error as error:
                raise as_sqlalchemy(sql, error) from error

    @asynccontextmanager
    async def reading(self, tenant_id: UUID, *, one_moment: bool = False) -> AsyncIterator[Reading]:
        """A transaction of one tenant for reads that are prepared; see `models.reading`.

        Args:
            one_moment: all its statements see the database of one moment.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: there is no connection, or the transaction cannot begin.
        """
        async with self._driver() as driver:
            try:
                reading = Reading(tenant_id, driver, self, STATEMENT_TIMEOUT_MS, one_moment=one_moment)
                yield reading
                await reading.end()
            except psycopg.Error as error:
                raise as_sqlalchemy("COMMIT", error) from error

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """The driver's connection from the pool, with no transaction begun; one that is left open is rolled back."""
        pooled = await self.engine.raw_connection()
        driver = cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)
        try:
            await driver.set_autocommit(True)
            yield driver
        finally:
            try:
                if not driver.closed:
                    if driver.info.transaction_status is not TransactionStatus.IDLE:
                        await driver.rollback()
                    await driver.set_autocommit(False)
            except BaseException as error:
                # At once: whoever was cancelled here waits for nothing more.
                driver.pgconn.finish()
                if not isinstance(error, psycopg.Error):
                    raise
            finally:
                lost = driver.closed
                await greenlet_spawn(pooled.close)
            if lost:
                # So that SQLAlchemy meets the loss itself, and drops what its pool holds of the same server.
                with suppress(SQLAlchemyError):
                    await self.ping()

    async def transact(self, tenant_id: UUID, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the tenant, again when PostgreSQL aborted it for concurrency.

        Raises:
            Refusal: SLOT_TAKEN when the technician already has something at that time; BUSY when the rows
                stayed locked, or the transaction was aborted time after time.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.tenant(tenant_id) as session:
                    return await work(session)
            except (DBAPIError, PoolTimeout) as error:
                refusal = refusal_of(error)
                if isinstance(error, DBAPIError) and isinstance(error.orig, RETRIED) and attempt < ATTEMPTS:
                    continue
                if refusal is None:
                    raise
                raise refusal from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    @property
    def in_use(self) -> int:
        """Connections that are in use at this moment."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, AsyncAdaptedQueuePool) else 0

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it does not give one.
        """
        async with self.anonymous() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()

    def _session(self, tenant_id: UUID | None) -> AsyncSession:
        return AsyncSession(
            self.engine, sync_session_class=TenantSession, expire_on_commit=False, info={"tenant_id": tenant_id}
        )


def record_event(session: AsyncSession, **values: Any) -> None:
    """Have an event written at the end of the transaction; see `models.event.Event` for the values."""
    session.info.setdefault("events", []).append(values)


async def send_signal(session: AsyncSession, channel: str, payload: str) -> None:
    """Have every process told at the commit; ids only."""
    await session.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload})
    session.info.setdefault("signals", []).append((channel, payload))


async def _write_events(session: AsyncSession, tenant_id: UUID) -> int:
    """Write the recorded events: last before the commit, so that their order is the order of commits."""
    events: list[dict[str, Any]] = session.info.pop("events", [])
    return await write_events(session, tenant_id, events, SIGNAL_CHANNEL) if events else 0


def sqlalchemy_url(url: str) -> str:
    """The same URL with SQLAlchemy's driver named."""
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in {"postgres", "postgresql"} else url


async def savepoint_flush(
    session: AsyncSession, change: Callable[[], None], expected: Callable[[IntegrityError], bool]
) -> bool:
    """Flush a change, and tell whether a constraint that the caller expected was violated; the transaction can then go on.

    Args:
        change: adds rows or sets attributes. Made inside the savepoint: beginning one flushes what is pending already.

    Raises:
        sqlalchemy.exc.IntegrityError: another constraint was violated.
    """
    try:
        async with session.begin_nested():
            change()
            await session.flush()
    except IntegrityError as error:
        if not expected(error):
            raise
        return True
    return False
