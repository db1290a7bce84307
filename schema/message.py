"""Messages in the schema: the ledger of what customers were, will be or were not told."""

from collections.abc import AsyncGenerator, Hashable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.ids import Prefix
from domain.notification import MessageChannel, MessageState, NotificationEvent, SuppressionReason
from models.message import Message as MessageRow
from models.message_list import MessageCriteria
from permissions.scopes import Scope
from resolvers.message import list_messages
from schema.connection import Connection, connection_of
from schema.context import Info
from schema.fields import query, relation, subscription
from schema.node import Node, known_id, node_id

if TYPE_CHECKING:
    from schema.appointment import Appointment

strawberry.enum(NotificationEvent)
strawberry.enum(MessageChannel)
strawberry.enum(
    MessageState,
    description="QUEUED waits for its time or its turn. SENDING: a worker has claimed it, or nobody knows yet whether it went"
    " out. SENT: its provider has taken it. FAILED: it will not arrive. SUPPRESSED: it was held back, for the `reason`."
    " CANCELLED: it was taken back with the visit that it was about.",
)
strawberry.enum(
    SuppressionReason,
    description="SUPERSEDED: the appointment has moved on, and the message would have said what is no longer so."
    " OUTCOME_UNKNOWN: its provider never told whether it went out, and sending it again would have been worse than not.",
)


@strawberry.type
class Message(Node):
    """A message about one appointment to its customer."""

    row: strawberry.Private[MessageRow]
    event: NotificationEvent
    channel: MessageChannel
    state: MessageState
    reason: SuppressionReason | None = strawberry.field(description="Why it was not sent.")
    failure: str | None = strawberry.field(description="What went wrong at the last attempt, in words.")
    to: str = strawberry.field(description="Empty when the customer has no such number or address.")
    subject: str | None
    body: str = strawberry.field(description="As it was sent; until then, as it would be sent now.")
    segments: int | None = strawberry.field(description="What a text is billed as.")
    send_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    provider_id: str | None
    attempts: int
    shared_as: strawberry.Private[Hashable | None] = None

    @classmethod
    def of(cls, row: MessageRow) -> "Message":
        """The object of a row."""
        return cls(
            row=row,
            id=node_id(Prefix.MESSAGE, row.id),
            event=row.event,
            channel=row.channel,
            state=row.state,
            reason=row.reason,
            failure=row.failure,
            to=row.recipient,
            subject=row.subject,
            body=row.body,
            segments=row.segments,
            send_at=row.send_at,
            sent_at=row.sent_at,
            delivered_at=row.delivered_at,
            provider_id=row.provider_id,
            attempts=row.attempts,
            shared_as=("message", row.id, row.updated_at),
        )

    @relation(Scope.APPOINTMENTS_READ)
    async def appointment(self, info: Info) -> Annotated["Appointment", strawberry.lazy("schema.appointment")]:
        """What it is about."""
        from schema.appointment import Appointment

        row = await info.context.load.appointment.load(self.row.appointment_id)
        if row is None:
            raise LookupError("a message's appointment is gone")
        return Appointment.of(row)


@strawberry.input
class MessageFilter:
    """What is left out does not narrow."""

    states: list[MessageState] | None = None
    appointment_id: strawberry.ID | None = None
    customer_id: strawberry.ID | None = None

    def value(self) -> MessageCriteria:
        """The criteria of the query."""
        return MessageCriteria(
            states=self.states,
            appointment_id=known_id(Prefix.APPOINTMENT, self.appointment_id),
            customer_id=known_id(Prefix.CUSTOMER, self.customer_id),
        )


@strawberry.type
class MessageQuery:
    """Root fields."""

    @query(Scope.MESSAGES_READ)
    async def messages(
        self, info: Info, first: int | None = None, after: str | None = None, filter: MessageFilter | None = None
    ) -> Connection[Message] | None:
        """Messages, newest first."""
        criteria = filter.value() if filter else MessageCriteria()
        page = await list_messages(info.context.caller, first, after, criteria)
        made: Connection[Message] = connection_of(page, Message.of)
        return made


@strawberry.type
class MessageSubscription:
    """Root fields."""

    @subscription(Scope.MESSAGES_READ, "Delivery states, as the providers report them.")
    async def message_events(self, info: Info) -> AsyncGenerator[Message, None]:
        """Each message whose state has changed, as it is then."""
        caller = info.context.caller
        async for row in info.context.hub.messages.changes(caller.tenant_id):
            info.context.forget_loaded()
            # A technician hears about the technician's own appointments alone.
            if await info.context.load.appointment.load(row.appointment_id) is not None:
                yield Message.of(row)
