"""Numbers that want no texts: they answered STOP to the number that all our tenants send from."""

from datetime import datetime

from sqlalchemy import LargeBinary, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import func

from models.base import Base


class TextOptOut(Base):
    """A number's opt-out, by its hash. No tenant's, and out of the app's reach but for the functions below."""

    __tablename__ = "text_opt_outs"

    phone_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    opted_out_at: Mapped[datetime] = mapped_column(server_default=func.now())


async def opt_out_of_texts(session: AsyncSession, phone: str) -> None:
    """Note that a number (E.164) wants no texts, with every tenant's customers that have it."""
    await session.execute(text("SELECT opt_out_of_texts(:phone)"), {"phone": phone})


async def opt_in_to_texts(session: AsyncSession, phone: str) -> None:
    """Note that a number (E.164) wants texts again."""
    await session.execute(text("SELECT opt_in_to_texts(:phone)"), {"phone": phone})
