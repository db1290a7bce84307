"""Booking in the schema: public, with the token of an offer."""

import strawberry

from resolvers.booking import BookingInput, create_booking
from schema.booking_portal import BookableWindow, bookable
from schema.checks import Payload, UserError
from schema.context import Info
from schema.fields import PUBLIC, mutation
from schema.scalars import EmailAddress, PhoneNumber
from schema.values import TimeWindow


@strawberry.input
class BookingCreateInput:
    """Who books what was offered; a phone number or an email address at least."""

    idempotency_key: str | None = None
    token: str
    name: str
    phone: PhoneNumber | None = None
    email: EmailAddress | None = None
    notes: str | None = None


@strawberry.type
class BookingCreatePayload(Payload):
    """What was booked, or why nothing was."""

    appointment_number: int | None = None
    arrival_window: TimeWindow | None = None
    tracking_token: str | None = strawberry.field(default=None, description="For the tracking page.")
    windows: list[BookableWindow] = strawberry.field(
        default_factory=list,
        description="After SLOT_TAKEN and HOLD_EXPIRED: what can be offered instead, for the same services and address.",
    )

    @classmethod
    def refused(cls, errors: list[UserError], current: object | None) -> "BookingCreatePayload":
        """The answer to a refusal, with the windows that are left."""
        windows = bookable(current) if isinstance(current, list) else []
        return cls(user_errors=errors, windows=windows)


@strawberry.type
class BookingMutation:
    """Root fields."""

    @mutation(PUBLIC)
    async def booking_create(self, info: Info, input: BookingCreateInput) -> BookingCreatePayload:
        """Book a window that was offered. Everything is checked again; of two who want the last place one gets it."""
        given = BookingInput(input.token, input.name, input.phone, input.email, input.notes)
        booked = await create_booking(info.context.booking_site, info.context.visitor, given, input.idempotency_key)
        return BookingCreatePayload(
            appointment_number=booked.number,
            arrival_window=TimeWindow(start=booked.window[0], end=booked.window[1]),
            tracking_token=booked.tracking_token,
        )
