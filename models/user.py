"""Users of a business, who log in with an email and a password."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Index, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import ErrorCode, Refusal
from domain.tenant import Role
from models.base import TenantRow, Timestamps, of_tenant, one_of, within_tenant
from models.errors import constraint_of
from models.query import rows, select_rows


class User(Timestamps, TenantRow):
    """Somebody of the business. The password is kept as an argon2id hash only; none while an invitation is open."""

    __tablename__ = "users"
    __table_args__ = (
        of_tenant(),
        within_tenant("technician_id", "technicians"),
        # Global on purpose: somebody logs in with an address alone, before a tenant is known.
        Index("uq_users_email", "email", unique=True),
    )

    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(one_of(Role, "role"))
    password_hash: Mapped[str | None]
    technician_id: Mapped[UUID | None]


@contextmanager
def email_taken() -> Iterator[None]:
    """Around a flush that may write an address which somebody else has.

    Raises:
        Refusal: EMAIL_TAKEN.
    """
    try:
        yield
    except IntegrityError as error:
        if constraint_of(error) != "uq_users_email":
            raise
        raise Refusal(ErrorCode.EMAIL_TAKEN, "That address already has an account.", ("input", "email")) from error


async def lock_user(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> User | None:
    """The user, locked until the transaction ends, as it is now.

    Opening a session takes this lock, and so does whatever ends all sessions: without it a log-in that had read the old
    password would open one right after a reset had ended the others.
    """
    return await session.get(User, (tenant_id, user_id), with_for_update={"key_share": True}, populate_existing=True)


async def user_of_email(session: AsyncSession, tenant_id: UUID, email: str) -> User | None:
    """The tenant's user of an address."""
    found = await session.execute(select(User).where(User.tenant_id == tenant_id, User.email == email))
    return found.scalar_one_or_none()


async def other_owners(session: AsyncSession, tenant_id: UUID, user_id: UUID) -> int:
    """How many others own the business and can log in."""
    statement = (
        select(func.count())
        .select_from(User)
        .where(
            User.tenant_id == tenant_id,
            User.role == Role.OWNER,
            User.id != user_id,
            User.password_hash.is_not(None),
        )
    )
    return int((await session.execute(statement)).scalar_one())


async def users_by_name(session: AsyncSession) -> Sequence[User]:
    """The tenant's users."""
    return await rows(session, User, select_rows(User).order_by(User.name, User.id))
