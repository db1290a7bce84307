"""Users of a business, who log in with an email and a password."""

from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from domain.tenant import Role
from models.base import TenantRow, Timestamps, of_tenant, one_of, within_tenant


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
