"""Second factors of users: the authenticator app, and recovery codes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.ids import new_id
from models.base import Base, TenantRow, of_tenant, within_tenant


class SecondFactor(Base):
    """A user's app. `nonce` is no secret: the shared secret follows from it and the server's key. It counts once it is
    confirmed; `last_step` is the time step of the last code that was taken, so that none is taken twice.
    """

    __tablename__ = "second_factors"
    __table_args__ = (of_tenant(), within_tenant("user_id", "users", ondelete="CASCADE"))

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RecoveryCode(TenantRow):
    """A code for one log-in without the app, kept as an HMAC."""

    __tablename__ = "recovery_codes"
    __table_args__ = (
        of_tenant(),
        within_tenant("user_id", "users", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "user_id", "code_hash"),
    )

    user_id: Mapped[UUID]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    used_at: Mapped[datetime | None]


async def second_factor_of(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> SecondFactor | None:
    """The user's app, confirmed or not."""
    return await session.get(SecondFactor, (tenant_id, user_id), populate_existing=True)


async def take_step(session: AsyncSession, tenant_id: UUID, user_id: UUID, step: int) -> bool:
    """Use up a time step. Two log-ins with one code at the same moment: the row decides, and one gets True."""
    found = await session.execute(
        update(SecondFactor)
        .where(SecondFactor.tenant_id == tenant_id, SecondFactor.user_id == user_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.user_id)
    )
    return found.first() is not None


async def take_recovery_code(session: AsyncSession, tenant_id: UUID, user_id: UUID, code_hash: bytes) -> bool:
    """Use up a recovery code, and tell whether it was there to be used."""
    found = await session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.tenant_id == tenant_id,
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=func.now())
        .returning(RecoveryCode.id)
    )
    return found.first() is not None


async def replace_recovery_codes(
    session: AsyncSession, tenant_id: UUID, user_id: UUID, hashes: Sequence[bytes]
) -> None:
    """Put these codes in the place of those that the user had."""
    await session.execute(
        delete(RecoveryCode).where(RecoveryCode.tenant_id == tenant_id, RecoveryCode.user_id == user_id)
    )
    session.add_all(RecoveryCode(tenant_id=tenant_id, id=new_id(), user_id=user_id, code_hash=each) for each in hashes)
    await session.flush()


async def remove_second_factor(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> None:
    """Forget the user's app and its codes."""
    await replace_recovery_codes(session, tenant_id, user_id, [])
    await session.execute(
        delete(SecondFactor).where(SecondFactor.tenant_id == tenant_id, SecondFactor.user_id == user_id)
    )


async def recovery_codes_left(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> int:
    """How many codes the user has not used yet."""
    statement = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(
            RecoveryCode.tenant_id == tenant_id,
            RecoveryCode.user_id == user_id,
            RecoveryCode.used_at.is_(None),
        )
    )
    return int((await session.execute(statement)).scalar_one())
