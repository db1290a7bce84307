"""Locations: the places a business works from."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Index, Select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.address import Precision
from models.base import TenantRow, Timestamps, of_tenant, one_of
from models.errors import constraint_of
from models.prepared import Readable, prepared
from models.query import select_rows


class PostalAddress:
    """Columns of an address; the coordinates, and how exact they are, are null until it has been geocoded."""

    line1: Mapped[str]
    line2: Mapped[str | None]
    city: Mapped[str]
    region: Mapped[str]
    postal_code: Mapped[str]
    country: Mapped[str]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    precision: Mapped[Precision | None] = mapped_column(one_of(Precision, "precision"))


class Location(Timestamps, PostalAddress, TenantRow):
    """A place of work, with its hours, service area, booking page and notification settings.

    `opening_hours` holds [{"weekday": 0 (Monday), "opens": "08:00", "closes": "17:00"}], local wall time;
    `closures` [{"date": "2026-12-25", "reason": null}]; `service_polygon` [[latitude, longitude], …]; `allowed_origins` the
    sites that may frame the booking page, as `domain.origin.normal_origin` writes them.
    """

    __tablename__ = "locations"
    __table_args__ = (
        of_tenant(),
        # Global on purpose: the slug is the public address of the booking page.
        Index("uq_locations_slug", "slug", unique=True),
        # Browsers' preflights ask for one origin across all businesses.
        Index("ix_locations_allowed_origins", "allowed_origins", postgresql_using="gin"),
        CheckConstraint("cardinality(allowed_origins) <= 20", name="allowed_origins"),
        CheckConstraint("arrival_window_minutes BETWEEN 15 AND 720", name="arrival_window"),
        CheckConstraint("minimum_notice_minutes BETWEEN 0 AND 43200", name="minimum_notice"),
    )

    name: Mapped[str]
    slug: Mapped[str]
    time_zone: Mapped[str]
    opening_hours: Mapped[list[dict[str, Any]]]
    closures: Mapped[list[dict[str, Any]]] = mapped_column(server_default=text("'[]'"))
    service_radius_km: Mapped[float | None]
    service_polygon: Mapped[list[list[float]] | None] = mapped_column(JSONB(none_as_null=True))
    service_postal_codes: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    arrival_window_minutes: Mapped[int]
    minimum_notice_minutes: Mapped[int]
    allowed_origins: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


def slug_taken(error: IntegrityError) -> bool:
    """Whether an insert or update failed because somebody else has that slug."""
    return constraint_of(error) == "uq_locations_slug"


@prepared(Location)
def _locations() -> Select[Any]:
    return select_rows(Location).order_by(Location.name, Location.id)


async def locations(session: Readable) -> Sequence[Location]:
    """The tenant's locations, by name."""
    return await _locations(session)
