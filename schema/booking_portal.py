"""The public booking page in the schema: what can be booked at a location, and when somebody can be there."""

from collections.abc import Sequence
from datetime import date

import strawberry

from domain.ids import Prefix, decode
from resolvers.booking_portal import OfferedToken, Portal, WindowsInput, bookable_windows, open_portal
from schema.checks import Payload
from schema.context import Info
from schema.fields import PUBLIC, answer, query
from schema.scalars import PhoneNumber
from schema.service import Service
from schema.values import AddressInput, TimeWindow


@strawberry.type(description="`token` holds the offer: signed, good for one booking.")
class BookableWindow:
    """A window in which somebody can be there. It is not kept free: who books first has it."""

    window: TimeWindow
    token: str


def bookable(offered: Sequence[OfferedToken]) -> list[BookableWindow]:
    """Windows as they are answered."""
    return [
        BookableWindow(window=TimeWindow(start=each.window[0], end=each.window[1]), token=each.token)
        for each in offered
    ]


@strawberry.type
class BookableWindows(Payload):
    """Windows in order; when there is none, why."""

    windows: list[BookableWindow] = strawberry.field(default_factory=list)


@strawberry.input
class BookableWindowsInput:
    """What is to be done, and where."""

    service_ids: list[strawberry.ID] = strawberry.field(description="A service that is named twice is done twice.")
    option_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At most one option of each service."
    )
    address: AddressInput
    from_: date | None = strawberry.field(
        name="from", default=None, description="A date on the location's calendar; today when left out."
    )
    days: int | None = strawberry.field(default=14, description="1 to 31.")

    def value(self) -> WindowsInput:
        """The use case's input."""
        return WindowsInput(
            service_ids=[decode(Prefix.SERVICE, each) for each in self.service_ids],
            option_ids=[decode(Prefix.SERVICE_OPTION, each) for each in self.option_ids or ()],
            address=self.address.value(),
            first=self.from_,
            days=14 if self.days is None else self.days,
        )


@strawberry.type
class BookingPortal:
    """What a location's booking page shows."""

    portal: strawberry.Private[Portal]
    name: str
    phone: PhoneNumber | None
    time_zone: str
    services: list[Service]

    @classmethod
    def of(cls, portal: Portal) -> "BookingPortal":
        """The object of a page."""
        page = portal.page
        return cls(
            portal=portal,
            name=page.business_name,
            phone=PhoneNumber(page.business_phone) if page.business_phone else None,
            time_zone=page.location.time_zone,
            services=[Service.of(row, options) for row, options in portal.catalog],
        )

    @answer(PUBLIC)
    async def windows(self, info: Info, input: BookableWindowsInput) -> BookableWindows:
        """The windows that some technician can really make, travel included."""
        found = await bookable_windows(info.context.booking_site, self.portal, input.value())
        return BookableWindows(windows=bookable(found))


@strawberry.type
class BookingPortalQuery:
    """Root fields."""

    @query(PUBLIC, "Public: no session or key.")
    async def booking_portal(self, info: Info, slug: str) -> BookingPortal | None:
        """The booking page of a slug."""
        portal = await open_portal(info.context.booking_site, slug)
        return None if portal is None else BookingPortal.of(portal)
