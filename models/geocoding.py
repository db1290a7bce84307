"""What geocoders answered, so that an address is asked for once; no tenant's, and nobody's address can be read from it."""

from datetime import datetime, timedelta

from sqlalchemy import Index, LargeBinary, delete, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.address import Precision
from domain.geo_point import GeoPoint
from domain.geocoding import Geocoded
from models.base import Base, one_of

# Streets are named and houses are built: an answer is asked for again after a while, and sooner where there was none.
FOUND_KEPT = timedelta(days=90)
NOT_FOUND_KEPT = timedelta(days=1)


class Geocoding(Base):
    """An answer; without coordinates: there is no such place. `key` is an HMAC of the address."""

    __tablename__ = "geocodings"
    __table_args__ = (Index(None, "asked_at"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    precision: Mapped[Precision | None] = mapped_column(one_of(Precision, "precision"))
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def recall(session: AsyncSession, key: bytes) -> tuple[Geocoded | None] | None:
    """What was answered, in a tuple; None when nobody asked lately."""
    row = await session.get(Geocoding, key)
    if row is None:
        return None
    found = row.latitude is not None and row.longitude is not None and row.precision is not None
    age = (
        await session.execute(text("SELECT now() - CAST(:asked AS timestamptz)"), {"asked": row.asked_at})
    ).scalar_one()
    if age > (FOUND_KEPT if found else NOT_FOUND_KEPT):
        return None
    if row.latitude is None or row.longitude is None or row.precision is None:
        return (None,)
    return (Geocoded(GeoPoint(row.latitude, row.longitude), row.precision),)


async def remember(session: AsyncSession, key: bytes, answer: Geocoded | None) -> None:
    """Keep an answer, in the place of an older one; answers that are too old to be used are forgotten."""
    values = {
        "latitude": answer.point.latitude if answer else None,
        "longitude": answer.point.longitude if answer else None,
        "precision": answer.precision if answer else None,
        "asked_at": func.now(),
    }
    await session.execute(
        insert(Geocoding).values(key=key, **values).on_conflict_do_update(index_elements=["key"], set_=values)
    )
    await session.execute(delete(Geocoding).where(Geocoding.asked_at < func.now() - FOUND_KEPT))
