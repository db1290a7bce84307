"""Presence in the schema: which colleagues have an appointment open for a change."""

from collections.abc import AsyncGenerator, Hashable
from datetime import datetime
from uuid import UUID

import strawberry

from domain.ids import Prefix
from models.presence import Present
from permissions.scopes import Scope
from resolvers.presence import set_presence
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, subscription
from schema.node import id_of, node_id


@strawberry.type
class PresentColleague:
    """Somebody who has an appointment open."""

    user_id: strawberry.ID
    name: str
    expires_at: datetime = strawberry.field(description="Unless it is said again by then.")

    @classmethod
    def of(cls, present: Present) -> "PresentColleague":
        """The object of somebody present."""
        return cls(user_id=node_id(Prefix.USER, present.user_id), name=present.name, expires_at=present.expires_at)


@strawberry.type
class AppointmentPresence:
    """Who has an appointment open now; nobody when the list is empty."""

    appointment_id: strawberry.ID
    colleagues: list[PresentColleague]
    shared_as: strawberry.Private[Hashable | None] = None

    @classmethod
    def of(cls, appointment_id: UUID, present: tuple[Present, ...]) -> "AppointmentPresence":
        """The object of an appointment."""
        return cls(
            appointment_id=node_id(Prefix.APPOINTMENT, appointment_id),
            colleagues=[PresentColleague.of(each) for each in present],
            shared_as=("presence", appointment_id, present),
        )


@strawberry.input
class AppointmentPresenceInput:
    """Which appointment, and whether the caller has it open for a change."""

    appointment_id: strawberry.ID
    editing: bool


@strawberry.type
class AppointmentPresencePayload(Payload):
    """Who has it open now, the caller among them; or why nothing changed."""

    presence: AppointmentPresence | None = None


@strawberry.type
class PresenceMutation:
    """Root fields."""

    @mutation(
        Scope.APPOINTMENTS_WRITE,
        "Tell colleagues that you have an appointment open for a change. It holds for 30 s: say it again every 15 s while it"
        " is open. It locks nothing.",
    )
    async def appointment_presence(self, info: Info, input: AppointmentPresenceInput) -> AppointmentPresencePayload:
        """Come or leave."""
        appointment_id = id_of(Prefix.APPOINTMENT, input.appointment_id, "appointment", "appointmentId")
        present = await set_presence(info.context.caller, appointment_id, editing=input.editing)
        return AppointmentPresencePayload(presence=AppointmentPresence.of(appointment_id, present))


@strawberry.type
class PresenceSubscription:
    """Root fields."""

    @subscription(
        Scope.APPOINTMENTS_WRITE,
        "Which colleagues have appointments open: all as it is now, then each appointment of which that changes. Whoever"
        " comes back begins anew with what it is told then.",
    )
    async def appointment_presences(self, info: Info) -> AsyncGenerator[AppointmentPresence, None]:
        """Presence as it changes."""
        async for appointment_id, present in info.context.hub.presence.values(info.context.caller.tenant_id):
            yield AppointmentPresence.of(appointment_id, present or ())
