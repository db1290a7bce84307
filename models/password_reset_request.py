"""Requests for a new password, as they came in: worked off by the workers, so that answering takes the same for all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import Base


class PasswordResetRequest(Base):
    """Somebody typed an address. No tenant's: the address may have no account. Reached through functions alone."""

    __tablename__ = "password_reset_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    ip: Mapped[str | None]
    user_agent: Mapped[str | None]
    requested_at: Mapped[datetime] = mapped_column(server_default=func.now())
