"""The ledger of messages: all that was, will be or was not sent to customers, with the reason."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.base import TenantRow, Timestamps, of_tenant, one_of, within_tenant
from models.query import among, rows, select_rows

# Says "tenant:message,message" after a message has come to a state that subscribers are told of.
MESSAGE_CHANNEL = "sps_messages"


class Message(Timestamps, TenantRow):
    """A message about one appointment to its customer.

    `occasion_at` is the moment that it tells of (where the promised window begins, when the technician left, …): once the
    appointment has another, the message is stale. `attempts` and `fence` count up when a worker claims the row; only the
    holder of the current fence may finish it. `next_attempt_at` is the earliest time of the next claim. `relay_at` is when
    the relay looks at the row again whatever happened meanwhile: so nothing that is not final can be forgotten.
    `unknown_since` is set on a row in SENDING whose request may or may not have reached the provider.
    """

    __tablename__ = "messages"
    __table_args__ = (
        of_tenant(),
        within_tenant("appointment_id", "appointments", ondelete="CASCADE"),
        within_tenant("customer_id", "customers"),
        Index(None, "tenant_id", "appointment_id"),
        Index(None, "tenant_id", "customer_id"),
        Index(None, "tenant_id", "created_at", "id"),
        # What was sent in a period is counted, for the bill.
        Index("ix_messages_tenant_id_sent_at", "tenant_id", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
        # Without a tenant on purpose: anonymous usage counts the days of all.
        Index("ix_messages_created_at", "created_at", postgresql_using="brin"),
        Index("ix_messages_relay", "relay_at", postgresql_where=text("state IN ('QUEUED', 'SENDING')")),
        # Global on purpose: a provider's callback may name its own id alone.
        Index("ix_messages_provider_id", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        # Ids are UUIDv7, which begin with their time: whoever knows the id, knows the partition.
        {"postgresql_partition_by": "RANGE (id)"},
    )

    appointment_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    event: Mapped[NotificationEvent] = mapped_column(one_of(NotificationEvent, "event"))
    channel: Mapped[MessageChannel] = mapped_column(one_of(MessageChannel, "channel"))
    state: Mapped[MessageState] = mapped_column(one_of(MessageState, "state"))
    reason: Mapped[SuppressionReason | None] = mapped_column(one_of(SuppressionReason, "reason"))
    occasion_at: Mapped[datetime | None]
    recipient: Mapped[str]
    subject: Mapped[str | None]
    body: Mapped[str]
    segments: Mapped[int | None]
    send_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    relay_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    unknown_since: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    fence: Mapped[int] = mapped_column(server_default=text("0"))
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    failure: Mapped[str | None]


def note_signal(session: AsyncSession, message_ids: Sequence[UUID]) -> str:
    """The signal that these messages of the session's tenant have changed, noted for broadcasts that are not the database's.

    The statement that changes them sends it: a statement of its own would be one more round trip under locks.
    """
    payload = f"{session.info['tenant_id']}:{','.join(map(str, message_ids))}"
    session.info.setdefault("signals", []).append((MESSAGE_CHANNEL, payload))
    return payload


async def messages_of(session: AsyncSession, appointment_ids: Sequence[UUID]) -> Sequence[Message]:
    """The messages about these appointments, in the order in which they were or will be sent."""
    statement = select_rows(Message).where(among(Message.appointment_id, appointment_ids))
    return await rows(session, Message, statement.order_by(Message.appointment_id, Message.send_at, Message.id))
