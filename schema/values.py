"""Values that many types hold: money, points, addresses, windows, weekly hours."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from domain.address import Address as DomainAddress
from domain.address import PointInput, Precision
from domain.hours import HoursInput
from domain.pricing import CURRENCY
from domain.pricing import Money as DomainMoney
from domain.window import Window
from schema.scalars import LocalTime

strawberry.enum(Precision, name="LocationPrecision")


@strawberry.type
class Money:
    """An amount in a currency."""

    amount: Decimal
    currency: str


def money(amount: Decimal) -> Money:
    """An amount as it is answered."""
    return Money(amount=amount, currency=CURRENCY)


@strawberry.input
class MoneyInput:
    """An amount."""

    amount: Decimal
    currency: str | None = CURRENCY

    def value(self) -> DomainMoney:
        """The domain's amount."""
        return DomainMoney(self.amount, self.currency)


@strawberry.type
class GeoPoint:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float


def point(latitude: float | None, longitude: float | None) -> GeoPoint | None:
    """A point, if both of its coordinates are known."""
    if latitude is None or longitude is None:
        return None
    return GeoPoint(latitude=latitude, longitude=longitude)


@strawberry.input
class GeoPointInput:
    """Degrees, WGS 84."""

    latitude: float
    longitude: float

    def value(self) -> PointInput:
        """The domain's point."""
        return PointInput(self.latitude, self.longitude)


@strawberry.type
class Address:
    """A postal address."""

    line1: str
    line2: str | None
    city: str
    region: str
    postal_code: str
    country: str
    location: GeoPoint | None = strawberry.field(description="Null until it has been geocoded.")
    location_precision: Precision | None = strawberry.field(description="How exactly the location is known.")


def address_of(row: Any) -> Address:
    """The address in the columns of a row."""
    return Address(
        line1=row.line1,
        line2=row.line2,
        city=row.city,
        region=row.region,
        postal_code=row.postal_code,
        country=row.country,
        location=point(row.latitude, row.longitude),
        location_precision=row.precision,
    )


@strawberry.input
class AddressInput:
    """A postal address; with a location it is not geocoded."""

    line1: str
    line2: str | None = None
    city: str
    region: str
    postal_code: str
    country: str | None = "US"
    location: GeoPointInput | None = None

    def value(self) -> DomainAddress:
        """The domain's address."""
        return DomainAddress(
            line1=self.line1,
            line2=self.line2,
            city=self.city,
            region=self.region,
            postal_code=self.postal_code,
            country=self.country or "US",
            point=self.location.value() if self.location else None,
        )


@strawberry.type
class TimeWindow:
    """From start up to end."""

    start: datetime
    end: datetime


def window(start: datetime | None, end: datetime | None) -> TimeWindow | None:
    """A window, if it has both ends."""
    if start is None or end is None:
        return None
    return TimeWindow(start=start, end=end)


@strawberry.input
class TimeWindowInput:
    """From start up to end."""

    start: datetime
    end: datetime

    def value(self) -> Window:
        """The domain's window."""
        return Window(self.start, self.end)


@strawberry.enum
class Weekday(Enum):
    """A day of the week."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@strawberry.type
class OpeningHours:
    """One span of a week; closing at or before the opening means the next day."""

    weekday: Weekday
    opens: LocalTime
    closes: LocalTime


def opening_hours(stored: Sequence[dict[str, Any]]) -> list[OpeningHours]:
    """Weekly hours of their stored form."""
    return [
        OpeningHours(weekday=Weekday(span["weekday"]), opens=LocalTime(span["opens"]), closes=LocalTime(span["closes"]))
        for span in stored
    ]


@strawberry.input
class OpeningHoursInput:
    """One span of a week; closing at or before the opening means the next day."""

    weekday: Weekday
    opens: LocalTime
    closes: LocalTime

    def value(self) -> HoursInput:
        """The domain's span."""
        return HoursInput(self.weekday.value, self.opens, self.closes)


def given(source: object, **names: Any) -> dict[str, Any]:
    """Those of an input's fields that the caller sent: field name = None, or a function that converts its value."""
    found: dict[str, Any] = {}
    for name, convert in names.items():
        value = getattr(source, name)
        if value is not strawberry.UNSET:
            found[name] = convert(value) if convert and value is not None else value
    return found


def values(inputs: Sequence[Any] | None) -> list[Any]:
    """The domain's values of a list of inputs."""
    return [item.value() for item in inputs or ()]
