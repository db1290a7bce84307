"""The outbox of account mails: written in the transaction that they follow from, handed out by lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.account_mail import AccountMailKind, AccountMailState
from domain.ids import new_id
from models.account_token import AccountToken
from models.base import TenantRow, of_tenant, one_of, within_tenant
from models.tenant import Tenant
from models.user import User


class AccountMail(TenantRow):
    """A mail to a user. It goes with the token that it brings: a link that was used needs no mail any more.

    `attempts` counts at each handing out; only the latest may finish the row.
    """

    __tablename__ = "account_mails"
    __table_args__ = (
        of_tenant(),
        within_tenant("user_id", "users", ondelete="CASCADE"),
        within_tenant("token_id", "account_tokens", ondelete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
        Index(None, "tenant_id", "token_id"),
        Index("ix_account_mails_relay", "relay_at", postgresql_where=text("state = 'QUEUED'")),
    )

    user_id: Mapped[UUID]
    token_id: Mapped[UUID | None]
    kind: Mapped[AccountMailKind] = mapped_column(one_of(AccountMailKind, "kind"))
    recipient: Mapped[str]
    invited_by: Mapped[str | None]
    state: Mapped[AccountMailState] = mapped_column(one_of(AccountMailState, "state"))
    relay_at: Mapped[datetime] = mapped_column(server_default=func.now())
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    failure: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class DueMail:
    """A mail that was handed out to us."""

    tenant_id: UUID
    id: UUID
    attempts: int


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What a mail is put into words from."""

    kind: AccountMailKind
    recipient: str
    name: str
    business: str
    invited_by: str | None
    token_id: UUID | None
    expires_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """Somebody asked for a new password; `user_id` is None when the address has no account that could log in."""

    id: UUID
    email: str
    ip: str | None
    user_agent: str | None
    requested_at: datetime
    tenant_id: UUID | None
    user_id: UUID | None


def queue_mail(
    session: AsyncSession,
    tenant_id: UUID,
    user_id: UUID,
    kind: AccountMailKind,
    recipient: str,
    *,
    token_id: UUID | None = None,
    invited_by: str | None = None,
) -> None:
    """Have a mail sent after the commit."""
    session.add(
        AccountMail(
            tenant_id=tenant_id,
            id=new_id(),
            user_id=user_id,
            token_id=token_id,
            kind=kind,
            recipient=recipient,
            invited_by=invited_by,
            state=AccountMailState.QUEUED,
        )
    )


async def dispatch_account_mails(session: AsyncSession, lease: float, room: int) -> Sequence[DueMail]:
    """What is due now, of all tenants; each is left to us for so many seconds."""
    found = await session.execute(
        text("SELECT * FROM dispatch_account_mails(:lease, :room)"), {"lease": lease, "room": room}
    )
    return [DueMail(**row) for row in found.mappings()]


async def mail_facts(session: AsyncSession, mail: DueMail) -> MailFacts | None:
    """What a mail says; None when user or link went meanwhile."""
    found = await session.execute(
        select(
            AccountMail.kind,
            AccountMail.recipient,
            User.name,
            Tenant.name.label("business"),
            AccountMail.invited_by,
            AccountMail.token_id,
            AccountToken.expires_at,
            AccountMail.created_at,
        )
        .join(User, and_(User.tenant_id == AccountMail.tenant_id, User.id == AccountMail.user_id))
        .join(Tenant, Tenant.id == AccountMail.tenant_id)
        .join(
            AccountToken,
            and_(AccountToken.tenant_id == AccountMail.tenant_id, AccountToken.id == AccountMail.token_id),
            isouter=True,
        )
        .where(AccountMail.tenant_id == mail.tenant_id, AccountMail.id == mail.id)
    )
    row = found.mappings().first()
    return MailFacts(**row) if row else None


async def finish_mail(
    session: AsyncSession,
    mail: DueMail,
    state: AccountMailState,
    *,
    failure: str | None = None,
    again_in: float | None = None,
) -> None:
    """Write down how a mail ended, unless it was handed out again meanwhile; `again_in`: seconds to the next attempt."""
    values: dict[str, object] = {"state": state, "failure": failure}
    if state is AccountMailState.SENT:
        values["sent_at"] = func.now()
    if again_in is not None:
        values["relay_at"] = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, again_in)
    await session.execute(
        update(AccountMail)
        .where(
            AccountMail.tenant_id == mail.tenant_id, AccountMail.id == mail.id, AccountMail.attempts == mail.attempts
        )
        .values(**values)
    )


async def ask_password_reset(session: AsyncSession, email: str, ip: str | None, user_agent: str | None) -> None:
    """Note that somebody wants a new password: the same write for an address with an account and one without."""
    await session.execute(
        text("SELECT ask_password_reset(:id, :email, :ip, :agent)"),
        {"id": new_id(), "email": email, "ip": ip, "agent": user_agent},
    )


async def next_password_reset(session: AsyncSession) -> ResetRequest | None:
    """The oldest request that nobody works on, locked until the transaction ends."""
    row = (await session.execute(text("SELECT * FROM next_password_reset()"))).mappings().first()
    return ResetRequest(**row) if row else None


async def end_password_reset(session: AsyncSession, request_id: UUID) -> None:
    """Forget a request, its address with it."""
    await session.execute(text("SELECT end_password_reset(:id)"), {"id": request_id})
