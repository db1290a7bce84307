"""The people of a business: inviting them, what they may do, and removing them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from auth.account_token import TokenPurpose, read_account_token
from auth.passwords import check, hashed
from domain import contact
from domain.account_mail import INVITATION_LASTS, AccountMailKind
from domain.errors import Denied, ErrorCode, Refusal, invalid, not_found
from domain.ids import Prefix, encode, new_id
from domain.security_event import SecurityEventType
from domain.tenant import Role
from models.account_mail import queue_mail
from models.account_token import AccountToken, token_holder, use_up, withdraw_tokens
from models.database import Transaction
from models.rights import RightsChange, announce
from models.technician import Technician
from models.tenant import lock_tenant
from models.user import User, email_taken, lock_user, other_owners, user_of_email, users_by_name
from permissions.principal import Principal
from permissions.scopes import scopes_of
from resolvers.caller import Caller
from resolvers.guest import Guest
from resolvers.log_in_session import LoggedIn, end_sessions, leave, open_session
from resolvers.password import link_expired
from resolvers.security_event import record_by, record_of


async def list_users(caller: Caller) -> Sequence[User]:
    """Everybody who can log in or was invited, by name."""
    async with caller.reading() as session:
        return await users_by_name(session)


async def invite_user(caller: Caller, *, email: str, name: str, role: Role, technician_id: UUID | None) -> User:
    """Make a user without a password, and mail a link that sets one. Who was invited before gets a new link.

    Raises:
        Refusal: INVALID_INPUT, EMAIL_TAKEN, NOT_FOUND for the technician.
        Denied: the role has scopes that the caller lacks.
    """
    name = contact.required(name, "name")
    address = contact.email(email, "email")
    if address is None:
        raise invalid("An email address is needed to log in.", "email")
    _may_grant(caller, role)

    async def work(session: Transaction) -> User:
        await _known_technician(session, caller, technician_id)
        user = await user_of_email(session, caller.tenant_id, address)
        if user is None:
            user = User(tenant_id=caller.tenant_id, id=new_id(), email=address)
            session.add(user)
        elif user.password_hash is not None:
            raise Refusal(ErrorCode.EMAIL_TAKEN, "That address already has an account.", ("input", "email"))
        else:
            _may_grant(caller, user.role)
        user.name, user.role, user.technician_id = name, role, technician_id
        with email_taken():
            await session.flush()
        await _invite(session, caller, user)
        return user

    return await caller.transact(work)


async def accept_invitation(guest: Guest, token: str, password: str, leaving: Principal | None = None) -> LoggedIn:
    """Set the first password by the link of an invitation, once, and log in.

    Args:
        leaving: whose session the browser had until now; it ends.

    Raises:
        Refusal: TOKEN_EXPIRED, WEAK_PASSWORD.
    """
    named = read_account_token(guest.secret, TokenPurpose.INVITATION, token)
    if named is None:
        raise link_expired()
    tenant_id, token_id = named
    async with guest.database.tenant(tenant_id) as session:
        holder = await token_holder(session, tenant_id, token_id, TokenPurpose.INVITATION)
    if holder is None:
        raise link_expired()
    await check(password, "password", hints=(holder.name, holder.email))
    stored = await hashed(password)

    async def work(session: Transaction) -> LoggedIn:
        user = await lock_user(session, tenant_id, holder.id)
        if user is None or await use_up(session, tenant_id, token_id, TokenPurpose.INVITATION) is None:
            raise link_expired()
        user.password_hash = stored
        await session.flush()
        await withdraw_tokens(session, tenant_id, user.id)
        opened = await open_session(session, user)
        record_by(session, guest.settings, guest.visitor, opened.principal, SecurityEventType.INVITATION_ACCEPTED)
        return opened

    opened = await guest.database.transact(tenant_id, work)
    await leave(guest.database, leaving)
    return opened


async def change_role(
    caller: Caller, user_id: UUID, role: Role, technician_id: UUID | None
) -> tuple[User, LoggedIn | None]:
    """Give a user another role: the user's log-ins end, and the next one has the new rights.

    Args:
        technician_id: the technician that the user is from now on; None leaves that as it is.

    Returns:
        the user, and a fresh session when the caller's own role has changed.

    Raises:
        Refusal: NOT_FOUND; IN_USE when the business would have no owner.
        Denied: the old or the new role has scopes that the caller lacks.
    """

    async def work(session: Transaction) -> tuple[User, LoggedIn | None]:
        user = await _required(session, caller, user_id)
        _may_grant(caller, user.role)
        _may_grant(caller, role)
        await _known_technician(session, caller, technician_id)
        before = user.role
        if before is Role.OWNER and role is not Role.OWNER:
            await _another_owner(session, caller, user)
        if technician_id is not None:
            user.technician_id = technician_id
        user.role = role
        if session.is_modified(user):
            await session.flush()
            record_of(
                session,
                caller,
                SecurityEventType.ROLE_CHANGED,
                userId=encode(Prefix.USER, user.id),
                before=before.value,
                after=role.value,
            )
            await end_sessions(session, user, RightsChange.ROLE_CHANGED)
            if user.id == caller.principal.user_id:
                return user, await open_session(session, user)
        return user, None

    return await caller.transact(work)


async def remove_user(caller: Caller, user_id: UUID) -> None:
    """Delete a user, with all log-ins. What the user did stays in the history, by name.

    Raises:
        Refusal: NOT_FOUND; IN_USE for the last owner.
        Denied: the user has scopes that the caller lacks.
    """

    async def work(session: Transaction) -> None:
        user = await _required(session, caller, user_id)
        _may_grant(caller, user.role)
        if user.role is Role.OWNER:
            await _another_owner(session, caller, user)
        record_of(
            session,
            caller,
            SecurityEventType.USER_REMOVED,
            userId=encode(Prefix.USER, user.id),
            role=user.role.value,
        )
        await session.delete(user)
        await session.flush()
        await announce(session, caller.tenant_id, RightsChange.USER_OUT, user_id)

    await caller.transact(work, even_cancelled=True)


async def _required(session: Transaction, caller: Caller, user_id: UUID) -> User:
    # The tenant first: two owners who demote each other at one moment must not both find another owner.
    await lock_tenant(session, caller.tenant_id)
    user = await lock_user(session, caller.tenant_id, user_id)
    if user is None:
        raise not_found("user", "userId")
    return user


async def _another_owner(session: Transaction, caller: Caller, user: User) -> None:
    if not await other_owners(session, caller.tenant_id, user.id):
        raise Refusal(ErrorCode.IN_USE, "A business needs an owner: make somebody else one first.", ("input", "userId"))


async def _known_technician(session: Transaction, caller: Caller, technician_id: UUID | None) -> None:
    if technician_id is not None and await session.get(Technician, (caller.tenant_id, technician_id)) is None:
        raise not_found("technician", "technicianId")


async def _invite(session: Transaction, caller: Caller, user: User) -> None:
    await withdraw_tokens(session, user.tenant_id, user.id)
    token = AccountToken(
        tenant_id=user.tenant_id,
        id=new_id(),
        user_id=user.id,
        purpose=TokenPurpose.INVITATION.value,
        expires_at=datetime.now(UTC).replace(microsecond=0) + INVITATION_LASTS,
    )
    session.add(token)
    await session.flush()
    queue_mail(
        session,
        user.tenant_id,
        user.id,
        AccountMailKind.INVITATION,
        user.email,
        token_id=token.id,
        invited_by=caller.principal.actor,
    )
    record_of(
        session,
        caller,
        SecurityEventType.USER_INVITED,
        userId=encode(Prefix.USER, user.id),
        role=user.role.value,
    )


def _may_grant(caller: Caller, role: Role) -> None:
    """Nobody makes anybody more than oneself, nor touches who is more.

    Raises:
        Denied: the role has a scope that the caller lacks.
    """
    if not scopes_of(role) <= caller.principal.scopes:
        raise Denied(f"You lack scopes that the role {role.value} has.")
