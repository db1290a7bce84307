"""Idempotency keys: the same key and input answer the first result again for 24 hours."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, of_tenant

KEPT = timedelta(hours=24)
NOTHING = UUID(int=0)


class IdempotencyKey(Base):
    """A key that a caller gave to an operation, what the input was, and which object came of it."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (of_tenant(),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    input_hash: Mapped[bytes] = mapped_column(LargeBinary)
    result_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def claim_key(
    session: AsyncSession, tenant_id: UUID, operation: str, key: str, input_hash: bytes
) -> IdempotencyKey | None:
    """Take the key for this transaction, or tell whose it is; a key of more than 24 hours ago is free again."""
    table = IdempotencyKey.__table__
    statement = (
        insert(IdempotencyKey)
        .values(tenant_id=tenant_id, operation=operation, key=key, input_hash=input_hash, result_id=NOTHING)
        .on_conflict_do_update(
            index_elements=["tenant_id", "operation", "key"],
            set_={"input_hash": input_hash, "result_id": NOTHING, "created_at": func.now()},
            where=table.c.created_at < func.now() - KEPT,
        )
        .returning(table.c.key)
    )
    if (await session.execute(statement)).first() is not None:
        return None
    return await session.get(IdempotencyKey, (tenant_id, operation, key), populate_existing=True)


async def finish_key(session: AsyncSession, tenant_id: UUID, operation: str, key: str, result_id: UUID) -> None:
    """Note what came of it."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.tenant_id == tenant_id, IdempotencyKey.operation == operation, IdempotencyKey.key == key)
        .values(result_id=result_id)
    )
