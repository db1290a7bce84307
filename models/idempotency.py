"""Idempotency keys: the same key and input answer the first result again for 24 hours."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import Base, of_tenant


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
