"""Technicians, their time off and their latest positions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Select, and_, any_, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, TenantRow, Timestamps, of_tenant, within_tenant
from models.page import Order, Page, fetch_page
from models.prepared import Readable, prepared
from models.query import among, rows, select_rows
from models.ready import Ready

# Under which name a session knows whose rows it has locked. A savepoint that is rolled back lets go of them.
HELD_TECHNICIANS = "held_technicians"


class Technician(Timestamps, TenantRow):
    """Somebody who visits customers.

    `working_hours` is like a location's opening hours; `lunch` is
    {"durationMinutes": 30, "earliest": "11:30", "latest": "13:30"} or null.
    """

    __tablename__ = "technicians"
    __table_args__ = (of_tenant(), within_tenant("location_id", "locations"), Index(None, "tenant_id", "location_id"))

    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    color: Mapped[str]
    skills: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    location_id: Mapped[UUID]
    home_latitude: Mapped[float | None]
    home_longitude: Mapped[float | None]
    working_hours: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    lunch: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class TimeOff(TenantRow):
    """A time in which a technician does not work, from `starts_at` up to `ends_at`."""

    __tablename__ = "time_off"
    __table_args__ = (
        of_tenant(),
        within_tenant("technician_id", "technicians", ondelete="CASCADE"),
        CheckConstraint("starts_at < ends_at", name="order"),
        Index(None, "tenant_id", "technician_id", "starts_at"),
    )

    technician_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str | None]


class TechnicianPosition(Base):
    """The latest position of a technician, and no earlier one: raw positions are not kept."""

    __tablename__ = "technician_positions"
    __table_args__ = (of_tenant(), within_tenant("technician_id", "technicians", ondelete="CASCADE"))

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    technician_id: Mapped[UUID] = mapped_column(primary_key=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    heading: Mapped[float | None]
    speed_kph: Mapped[float | None]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


@dataclass(frozen=True, slots=True)
class HeldTechnician:
    """A technician whose calendar nobody else changes until the transaction ends."""

    id: UUID
    name: str
    active: bool


@prepared(HeldTechnician)
def _held(technician_ids: Any) -> Select[Any]:
    table = Technician.__table__.c
    statement = select(table.id, table.name, table.active).where(among(Technician.id, technician_ids))
    # Whoever locks several does so in the order of ids, or two swaps of the same pair deadlock.
    return statement.order_by(Technician.id).with_for_update(key_share=True)


async def hold_technicians(session: AsyncSession, technician_ids: Collection[UUID]) -> Mapping[UUID, HeldTechnician]:
    """Those of these technicians that there are, locked until the transaction ends.

    Every change of somebody's calendar takes this lock first: without it, transactions that insert conflicting
    times wait for each other inside the exclusion constraint and deadlock.
    """
    held = _held_by(session)
    missing = [each for each in technician_ids if each not in held]
    if missing:
        note_held(session, missing, await _held(session, missing))
    return {each: found for each in technician_ids if (found := held[each]) is not None}


def note_held(session: AsyncSession, technician_ids: Iterable[UUID | None], found: Iterable[HeldTechnician]) -> None:
    """Note who has been locked, for `hold_technicians`; the ids are those that were asked for."""
    _held_by(session).update({each: None for each in technician_ids if each} | {each.id: each for each in found})


def _held_by(session: AsyncSession) -> dict[UUID, HeldTechnician | None]:
    held: dict[UUID, HeldTechnician | None] = session.info.setdefault(HELD_TECHNICIANS, {})
    return held


async def lock_technician(session: AsyncSession, tenant_id: UUID, technician_id: UUID) -> Technician | None:
    """The technician's row, to be changed itself; under the lock of `hold_technicians`."""
    return await session.get(
        Technician, (tenant_id, technician_id), with_for_update={"key_share": True}, populate_existing=True
    )


@prepared(TimeOff)
def _time_off_within(technician_id: Any, starts_at: Any, ends_at: Any) -> Select[Any]:
    off = TimeOff
    statement = select(off.__table__.c.id).where(off.technician_id == technician_id)
    return statement.where(off.starts_at < ends_at, off.ends_at > starts_at).limit(1)


async def has_time_off(session: AsyncSession, technician_id: UUID, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the technician is off at any moment from `starts_at` up to `ends_at`."""
    return bool(await _time_off_within(session, technician_id, starts_at, ends_at))


BY_NAME = Order[Technician]("technician-name", Technician.__table__.c.name, lambda row: row.name)


async def page_of_technicians(
    session: AsyncSession,
    first: int | None,
    cursor: str | None,
    *,
    location_id: UUID | None = None,
    skill: str | None = None,
    active: bool | None = None,
) -> Page[Technician]:
    """Technicians by name, narrowed by what is given."""
    statement = select_rows(Technician)
    if location_id is not None:
        statement = statement.where(Technician.location_id == location_id)
    if skill is not None:
        statement = statement.where(literal(skill.strip().lower()) == any_(Technician.skills))
    if active is not None:
        statement = statement.where(Technician.active == active)
    return await fetch_page(session, Technician, statement, BY_NAME, first, cursor)


@prepared(TimeOff)
def _time_off_of(technician_ids: Any, starts_at: Any, ends_at: Any) -> Select[Any]:
    statement = select_rows(TimeOff).where(among(TimeOff.technician_id, technician_ids))
    if ends_at is not None:
        statement = statement.where(TimeOff.starts_at < ends_at)
    if starts_at is not None:
        statement = statement.where(TimeOff.ends_at > starts_at)
    return statement.order_by(TimeOff.technician_id, TimeOff.starts_at, TimeOff.id)


async def time_off_of(
    session: Readable, technician_ids: Sequence[UUID], starts_at: datetime | None, ends_at: datetime | None
) -> Sequence[TimeOff]:
    """Time off of these technicians that touches the span, in order; an open end is None."""
    return await _time_off_of(session, list(technician_ids), starts_at, ends_at)


async def delete_time_off(session: AsyncSession, time_off_id: UUID) -> bool:
    """Delete a time off, and tell whether there was one."""
    found = await session.execute(delete(TimeOff).where(TimeOff.id == time_off_id).returning(TimeOff.id))
    return found.first() is not None


async def positions_of(session: AsyncSession, technician_ids: Sequence[UUID]) -> Sequence[TechnicianPosition]:
    """The latest positions of these technicians."""
    statement = select_rows(TechnicianPosition).where(among(TechnicianPosition.technician_id, technician_ids))
    return await rows(session, TechnicianPosition, statement)


@prepared(Technician)
def _of_board(location_ids: Any, with_appointments: Any) -> Select[Any]:
    statement = select_rows(Technician).where(
        or_(
            and_(among(Technician.location_id, location_ids), Technician.active),
            among(Technician.id, with_appointments),
        )
    )
    return statement.order_by(Technician.name, Technician.id)


async def technicians_of_board(
    session: Readable,
    location_ids: Sequence[UUID],
    with_appointments: Sequence[UUID],
    ready: Ready | None = None,
    *columns: str,
) -> Sequence[Technician]:
    """The lanes of a board: the active technicians of these locations, and whoever has an appointment there.

    Args:
        ready: has the rows be of their ids, their answers, and the columns that are named.
    """
    table = Technician.__table__.c
    read = _of_board if ready is None else ready.of(_of_board, table.id, *(table[name] for name in columns))
    return await read(session, list(location_ids), list(with_appointments))
