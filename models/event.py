"""The event stream: rows numbered without gaps within a tenant, in the order of their commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, Index, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from domain.appointment import AppointmentEventType
from models.base import Base, of_tenant, one_of, within_tenant
from models.location import Location, locations
from models.prepared import Readable, ask, prepared
from models.query import among, select_rows
from models.tenant import TenantCounter, counter_value

EVENT_COUNTER = "event"
# Times are the database's and taken under the counter's lock, so that a later number has a later time, unless the clock was
# set, or another server with a clock of its own has taken over.
CLOCK_MAY_STEP_BACK = timedelta(days=1)


class Event(Base):
    """Something that happened to an appointment. One row feeds its history, the board and partners.

    `changes` holds [{"field": "technicianId", "before": …, "after": …}] in the words of the GraphQL schema.
    """

    __tablename__ = "events"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        Index(None, "tenant_id", "appointment_id", "seq"),
        # Without a tenant on purpose: anonymous usage counts the days of all.
        Index("ix_events_occurred_at", "occurred_at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )
    # What partitions are cut by must be in the table's key. Within a tenant `seq` alone is unique, since it is only ever
    # taken from the counter, whose row stays locked until the commit.
    __mapper_args__ = {**Base.__mapper_args__, "primary_key": ["tenant_id", "seq"]}

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[AppointmentEventType] = mapped_column(one_of(AppointmentEventType, "type"))
    appointment_id: Mapped[UUID]
    actor: Mapped[str]
    changes: Mapped[list[dict[str, Any]]]
    occurred_at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.clock_timestamp())


# Numbered, written and signalled in one statement: until the commit everybody else who writes an event of this tenant waits.
# The clock is asked behind the counter, whose row the events are joined to.
_WRITE = f"""
    WITH counted AS (
      INSERT INTO tenant_counters AS c (tenant_id, name, value)
      VALUES (%(tenant)s, '{EVENT_COUNTER}', CAST(%(many)s AS bigint))
      ON CONFLICT (tenant_id, name) DO UPDATE SET value = c.value + excluded.value
      RETURNING value),
    written AS (
      INSERT INTO events (tenant_id, seq, type, appointment_id, actor, changes, occurred_at)
      SELECT %(tenant)s, counted.value - CAST(%(many)s AS bigint) + e.place, e.type, e.appointment_id, e.actor, e.changes,
        coalesce(e.occurred_at, clock_timestamp())
      FROM counted, jsonb_to_recordset(CAST(%(events)s AS jsonb)) AS e (place bigint, type text, appointment_id uuid,
        actor text, changes jsonb, occurred_at timestamptz))
    SELECT value, pg_notify(%(channel)s, CAST(%(tenant)s AS text) || ':' || value) FROM counted
    """  # noqa: S608


async def write_events(
    session: AsyncSession, tenant_id: UUID, events: Sequence[Mapping[str, Any]], channel: str
) -> int:
    """Number events, write them and signal the last number, which is answered.

    The counter's row stays locked until the commit: a number is never visible before a lower one, and a rollback
    takes its numbers back.

    Args:
        events: the values of each; without `occurred_at` they occur now.
        channel: is told "tenant:number" at the commit. Ids only: the signal is a hint, whoever hears it reads the rows.
    """
    numbered = [{"place": place, **values} for place, values in enumerate(events, 1)]
    values = {"tenant": tenant_id, "many": len(events), "events": orjson.dumps(numbered).decode(), "channel": channel}
    ((last, _),) = await ask(session, _WRITE, values)
    return int(last)


async def last_seq(session: Readable) -> int:
    """The number of the tenant's latest committed event; 0 when there is none."""
    return await counter_value(session, EVENT_COUNTER)


@prepared(Location, light=True)
def _places_as_of(tenant_id: Any) -> Select[Any]:
    seq = (
        select(TenantCounter.value)
        .where(TenantCounter.tenant_id == tenant_id, TenantCounter.name == EVENT_COUNTER)
        .scalar_subquery()
    )
    return select(Location.id, Location.time_zone, seq.label("seq")).order_by(Location.name, Location.id)


async def places_as_of(session: Readable, *, whole: bool) -> tuple[Sequence[Location], int]:
    """The tenant's locations, by name, and the number of its latest committed event.

    Args:
        whole: whether all of a location is read, or its `id` and `time_zone` alone, in one statement with the number.
    """
    if whole:
        return await locations(session), await last_seq(session)
    found = await _places_as_of(session, session.info["tenant_id"])
    return found, (cast("Any", found[0]).seq or 0) if found else await last_seq(session)


async def newest_of(session: AsyncSession, tenant_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """The numbers of the latest committed events of many tenants; those without one are missing."""
    found = await session.execute(text("SELECT * FROM event_heads(:tenants)"), {"tenants": list(tenant_ids)})
    return {row.tenant_id: row.newest for row in found}


@prepared(Event)
def _events_after(seq: Any, limit: Any, earliest: Any) -> Select[Any]:
    statement = select_rows(Event).where(Event.seq > seq).order_by(Event.seq).limit(limit)
    return statement if earliest is None else statement.where(Event.occurred_at >= earliest)


async def events_after(session: AsyncSession, seq: int, limit: int, last_at: datetime | None = None) -> Sequence[Event]:
    """The tenant's events behind a number, in order.

    Args:
        last_at: when the event of that number occurred, where that is known: partitions of before are then left alone.
    """
    return await _events_after(session, seq, limit, None if last_at is None else last_at - CLOCK_MAY_STEP_BACK)


async def is_kept(session: AsyncSession, seq: int) -> bool:
    """Whether all events behind a number are there still: numbers have no gaps, so the next one is, or is yet to come."""
    following = select(Event.seq).where(Event.seq == seq + 1).exists()
    newest = select(TenantCounter.value).where(TenantCounter.name == EVENT_COUNTER).scalar_subquery()
    found = await session.execute(select(following | (func.coalesce(newest, 0) <= seq)))
    return bool(found.scalar_one())


@prepared(Event)
def _history_of(appointment_ids: Any) -> Select[Any]:
    statement = select_rows(Event).where(among(Event.appointment_id, appointment_ids))
    return statement.order_by(Event.appointment_id, Event.seq)


async def history_of(session: Readable, appointment_ids: Sequence[UUID]) -> Sequence[Event]:
    """All that happened to these appointments, oldest first."""
    return await _history_of(session, list(appointment_ids))
