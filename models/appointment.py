"""Appointments and their lines; the table itself makes double booking impossible."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Computed, Index, Select, UniqueConstraint, delete, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.appointment import OCCUPYING, AppointmentSource, AppointmentStatus
from models.base import TenantRow, Timestamps, of_tenant, one_of, within_tenant
from models.errors import NO_DOUBLE_BOOKING
from models.prepared import Readable, prepared
from models.query import among, select_rows

_OCCUPYING = ", ".join(f"'{status.value}'" for status in OCCUPYING)


class Appointment(Timestamps, TenantRow):
    """A visit. `during` and `active` follow from the other columns and exist for the exclusion constraint alone.

    The board filters the plain `starts_at` and `ends_at`: the range operator `&&` is not leakproof, so that under
    row-level security it cannot be an index condition.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        of_tenant(),
        within_tenant("location_id", "locations"),
        within_tenant("customer_id", "customers"),
        within_tenant("address_id", "customer_addresses"),
        within_tenant("technician_id", "technicians"),
        UniqueConstraint("tenant_id", "number"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("technician_id", "="),
            ("during", "&&"),
            where=text("active"),
            using="gist",
            name=NO_DOUBLE_BOOKING,
            deferrable=True,
            initially="IMMEDIATE",
        ),
        # An empty range overlaps nothing, so that it would slip through the exclusion.
        CheckConstraint("NOT isempty(during)", name="during_not_empty"),
        CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="scheduled_whole"),
        CheckConstraint("(arrival_starts_at IS NULL) = (arrival_ends_at IS NULL)", name="arrival_whole"),
        CheckConstraint("arrival_starts_at < arrival_ends_at", name="arrival_order"),
        Index(None, "tenant_id", "starts_at", "id"),
        # The order of lists, in which what has no time yet comes last.
        Index(
            "ix_appointments_schedule_order", "tenant_id", text("coalesce(starts_at, 'infinity'::timestamptz)"), "id"
        ),
        Index(None, "tenant_id", "technician_id", "starts_at"),
        Index(None, "tenant_id", "customer_id"),
        # For the foreign key: without it each address that is deleted costs a walk through all visits of its business.
        Index(None, "tenant_id", "address_id"),
        Index(None, "tenant_id", "created_at", "id"),
        Index(None, "tenant_id", "updated_at", "id"),
        Index(
            "ix_appointments_unassigned",
            "tenant_id",
            "location_id",
            postgresql_where=text("technician_id IS NULL AND status IN ('REQUESTED', 'SCHEDULED')"),
        ),
    )

    number: Mapped[int]
    version: Mapped[int]
    status: Mapped[AppointmentStatus] = mapped_column(one_of(AppointmentStatus, "status"))
    location_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    address_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    during: Mapped[Range[datetime] | None] = mapped_column(
        TSTZRANGE, Computed("tstzrange(starts_at, ends_at, '[)')", persisted=True)
    )
    active: Mapped[bool | None] = mapped_column(
        Boolean,
        Computed(f"technician_id IS NOT NULL AND starts_at IS NOT NULL AND status IN ({_OCCUPYING})", persisted=True),
    )
    arrival_starts_at: Mapped[datetime | None]
    arrival_ends_at: Mapped[datetime | None]
    duration_minutes: Mapped[int]
    total: Mapped[Decimal]
    notes: Mapped[str | None]
    internal_notes: Mapped[str | None]
    source: Mapped[AppointmentSource] = mapped_column(one_of(AppointmentSource, "source"))
    eta: Mapped[datetime | None]
    on_the_way_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


_COLUMNS = [column.key for column in select_rows(Appointment).selected_columns if column.key is not None]


class AppointmentLine(TenantRow):
    """A service of an appointment. The unit price, option included, is fixed when the line is added."""

    __tablename__ = "appointment_lines"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        within_tenant("service_id", "services"),
        within_tenant("option_id", "service_options"),
        CheckConstraint("quantity BETWEEN 1 AND 1000", name="quantity"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        UniqueConstraint("tenant_id", "appointment_id", "position"),
    )

    appointment_id: Mapped[UUID]
    position: Mapped[int]
    service_id: Mapped[UUID]
    option_id: Mapped[UUID | None]
    quantity: Mapped[int]
    unit_price: Mapped[Decimal]


def appointment_of(row: Any) -> Appointment:
    """An appointment of a row that has its columns, to be changed and then written by `models.appointment_change`.

    No session knows it: what is set is written when somebody says so, once, and not before the next statement.
    """
    return Appointment(**{name: getattr(row, name) for name in _COLUMNS})


@prepared(Appointment)
def _locked(appointment_ids: Any) -> Select[Any]:
    statement = select_rows(Appointment).where(among(Appointment.id, appointment_ids))
    return statement.order_by(Appointment.id).with_for_update(key_share=True)


async def lock_appointments(session: AsyncSession, appointment_ids: Collection[UUID]) -> dict[UUID, Appointment]:
    """Those of these appointments that there are, as they are now: locked in the order of ids until the transaction ends."""
    if not appointment_ids:
        return {}
    return {row.id: appointment_of(row) for row in await _locked(session, list(appointment_ids))}


async def check_calendars_last(session: AsyncSession) -> None:
    """Let times overlap until `check_calendars`: several appointments change places in one transaction."""
    await session.execute(text(f"SET CONSTRAINTS {NO_DOUBLE_BOOKING} DEFERRED"))


async def check_calendars(session: AsyncSession) -> None:
    """Make sure that nobody is in two places.

    Raises:
        sqlalchemy.exc.IntegrityError: somebody is, by `models.errors.NO_DOUBLE_BOOKING`.
    """
    await session.flush()
    await session.execute(text(f"SET CONSTRAINTS {NO_DOUBLE_BOOKING} IMMEDIATE"))


@prepared(AppointmentLine)
def _lines_of(appointment_ids: Any) -> Select[Any]:
    line = AppointmentLine
    statement = select_rows(line).where(among(line.appointment_id, appointment_ids))
    return statement.order_by(line.appointment_id, line.position)


async def lines_of(session: Readable, appointment_ids: Sequence[UUID]) -> Sequence[AppointmentLine]:
    """The lines of these appointments, in their order."""
    return await _lines_of(session, list(appointment_ids))


async def replace_lines(session: AsyncSession, appointment: Appointment, lines: Sequence[AppointmentLine]) -> None:
    """Put these lines in the place of those that the appointment has."""
    await session.execute(
        delete(AppointmentLine).where(
            AppointmentLine.tenant_id == appointment.tenant_id, AppointmentLine.appointment_id == appointment.id
        )
    )
    session.add_all(lines)
    await session.flush()


def snapshot(appointment: Appointment) -> dict[str, Any]:
    """The columns that history tells changes of, by name."""
    return {name: getattr(appointment, name) for name in TRACKED}


TRACKED = (
    "status",
    "technician_id",
    "starts_at",
    "ends_at",
    "arrival_starts_at",
    "arrival_ends_at",
    "duration_minutes",
    "total",
    "notes",
    "internal_notes",
    "eta",
)
