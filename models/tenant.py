"""Tenants and their counters."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, Select, false, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.billing import read_only
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.tenant import TenantStatus
from models.base import Base, Timestamps, of_tenant, one_of
from models.prepared import OF_TENANT, Prepared, Readable, ask, prepared


class Tenant(Timestamps, Base):
    """A home-service business: the unit of isolation.

    A cancelled one can be restored until `purge_after`, as `status_before`. From `purge_started_at` on its rows go; after
    `purged_at` this row alone is left, empty, as long as the law wants records that point at it. `purge_claimed_until`
    keeps two workers from purging one business side by side; set behind `purged_at`, it is when to look for late files.
    """

    __tablename__ = "tenants"
    __table_args__ = (
        Index(
            "ix_tenants_leaving",
            "purge_after",
            postgresql_where=text("status = 'CANCELLED' AND (purged_at IS NULL OR purge_claimed_until IS NOT NULL)"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    status: Mapped[TenantStatus] = mapped_column(one_of(TenantStatus, "status"))
    cancelled_at: Mapped[datetime | None]
    # An unpaid business can change nothing from here on; written by resolvers/billing_standing.py alone.
    read_only_from: Mapped[datetime | None]
    require_second_factor: Mapped[bool] = mapped_column(server_default=text("false"))
    cancel_reason: Mapped[str | None]
    status_before: Mapped[str | None]
    purge_after: Mapped[datetime | None]
    purge_started_at: Mapped[datetime | None]
    purge_claimed_until: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]


class TenantCounter(Base):
    """Numbers that count up without gaps within a tenant; a row of its own for each, so that they lock apart."""

    __tablename__ = "tenant_counters"
    __table_args__ = (of_tenant(),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


_COUNT_UP = """
    INSERT INTO tenant_counters AS c (tenant_id, name, value)
    VALUES (%(tenant)s, CAST(%(name)s AS text), CAST(%(by)s AS bigint))
    ON CONFLICT (tenant_id, name) DO UPDATE SET value = c.value + excluded.value RETURNING value
    """


async def count_up(session: AsyncSession, tenant_id: UUID, name: str, by: int = 1) -> int:
    """Raise a counter and return its new value; its row stays locked until the transaction ends."""
    # What is still to be written is locked first, as by every other statement of a session.
    await session.flush()
    ((value,),) = await ask(session, _COUNT_UP, {"tenant": tenant_id, "name": name, "by": by})
    return int(value)


@prepared(TenantCounter)
def _counters(name: Any) -> Select[Any]:
    return select(TenantCounter.__table__.c.value).where(TenantCounter.name == name)


async def counter_value(session: Readable, name: str) -> int:
    """A counter's committed value; 0 before its first use."""
    found = await _counters(session, name)
    return found[0].value if found else 0


def standing() -> Select[Any]:
    """A business's status, and whether it is unpaid for too long; its row is locked as each foreign key to it locks it anyway."""
    unpaid = func.coalesce(Tenant.read_only_from <= func.now(), false()).label("unpaid")
    return (
        select(Tenant.__table__.c.status, unpaid)
        .where(Tenant.id == OF_TENANT)
        .with_for_update(read=True, key_share=True)
    )


_standing: Prepared[Any] = Prepared(Tenant, standing)


async def require_open(session: AsyncSession) -> None:
    """Every change of a business's data passes here, whoever asks for it: a cancelled or unpaid business is read-only.

    The row is locked so that a cancellation waits for the changes that have begun, and every later one sees it.

    Raises:
        Refusal: TENANT_CANCELLED; PLAN_LIMIT when the grace of an unpaid business is over.
    """
    found = await _standing(session)
    if found:
        refuse_closed(*found[0])


def refuse_closed(status: TenantStatus, unpaid: bool) -> None:
    """What `require_open` does of a business whose row has been locked.

    Raises:
        Refusal: as `require_open`.
    """
    if status is TenantStatus.CANCELLED:
        raise Refusal(
            ErrorCode.TENANT_CANCELLED, "The account is cancelled: its data can be read and exported, but not changed."
        )
    if unpaid:
        raise read_only()


async def lock_leaving(session: AsyncSession, tenant_id: UUID) -> Tenant | None:
    """The tenant, locked so that every change of its data that has begun is waited for; see `require_open`."""
    return await session.get(Tenant, tenant_id, with_for_update=True, populate_existing=True)


async def lock_tenant(session: AsyncSession, tenant_id: UUID) -> Tenant | None:
    """The tenant, locked against change until the transaction ends."""
    return await session.get(Tenant, tenant_id, with_for_update={"key_share": True})
