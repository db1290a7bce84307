"""The ledger of messages: all that was, will be or was not sent to customers, with the reason."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.base import TenantRow, Timestamps, of_tenant, one_of, within_tenant


class Message(Timestamps, TenantRow):
    """A message about one appointment to its customer.

    `attempts` and `fence` count up when a worker claims the row; only the holder of the current fence may finish it.
    `next_attempt_at` is when the relay hands it out (again): the due time, then the retries'.
    """

    __tablename__ = "messages"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        within_tenant("customer_id", "customers"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "created_at", "id"),
        Index("ix_messages_due", "next_attempt_at", postgresql_where=text("state = 'QUEUED'")),
        Index("ix_messages_claimed", "claimed_at", postgresql_where=text("state = 'SENDING'")),
        # Global on purpose: a provider's callback names its own id before a tenant is known.
        Index("ix_messages_provider_id", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
    )

    appointment_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    event: Mapped[NotificationEvent] = mapped_column(one_of(NotificationEvent, "event"))
    channel: Mapped[MessageChannel] = mapped_column(one_of(MessageChannel, "channel"))
    state: Mapped[MessageState] = mapped_column(one_of(MessageState, "state"))
    reason: Mapped[SuppressionReason | None] = mapped_column(one_of(SuppressionReason, "reason"))
    recipient: Mapped[str]
    subject: Mapped[str | None]
    body: Mapped[str]
    send_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    failure: Mapped[str | None]
