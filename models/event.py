"""The event stream: rows numbered without gaps within a tenant, in the order of their commits."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from domain.appointment import AppointmentEventType
from models.base import Base, of_tenant, one_of, within_tenant

EVENT_COUNTER = "event"


class Event(Base):
    """Something that happened to an appointment. One row feeds its history, the board and partners.

    `changes` holds [{"field": "technicianId", "before": …, "after": …}] in the words of the GraphQL schema.
    """

    __tablename__ = "events"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        Index(None, "tenant_id", "appointment_id", "seq"),
    )

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[AppointmentEventType] = mapped_column(one_of(AppointmentEventType, "type"))
    appointment_id: Mapped[UUID]
    actor: Mapped[str]
    changes: Mapped[list[dict[str, Any]]]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
