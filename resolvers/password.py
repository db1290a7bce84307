"""Changing a password, and setting a new one by a link that was sent to the user's address."""

from datetime import UTC, datetime

from auth.account_token import TokenPurpose, read_account_token
from auth.passwords import check, hashed
from auth.tokens import new_token, token_hash
from domain.account_mail import RESET_LASTS, AccountMailKind
from domain.errors import Denied, ErrorCode, Refusal
from domain.ids import new_id
from domain.security_event import SecurityEventType
from models.account_mail import ResetRequest, ask_password_reset, end_password_reset, next_password_reset, queue_mail
from models.account_token import AccountToken, token_holder, use_up, withdraw_tokens
from models.database import Database, Transaction
from models.log_in_session import rotate_session
from models.tenant import Tenant
from models.user import User, lock_user
from permissions.visitor import Visitor
from resolvers.caller import Caller
from resolvers.guest import Guest
from resolvers.log_in_session import LoggedIn, end_sessions
from resolvers.password_confirmation import confirm_password, own_user
from resolvers.security_event import record, record_of
from resolvers.throttle import reset_buckets, take
from settings import Settings


async def change_password(caller: Caller, current: str, new: str) -> LoggedIn:
    """Set another password: the caller's session gets a new token, the user's other sessions end.

    Raises:
        Refusal: INVALID_CREDENTIALS, WEAK_PASSWORD.
        Denied: the caller is no user.
    """
    session_id = caller.principal.session_id
    if session_id is None:
        raise Denied("That is for users who are logged in.")
    user = await confirm_password(caller, current, "currentPassword")
    await check(new, "newPassword", hints=(user.name, user.email))
    stored = await hashed(new)
    token = new_token()

    async def work(session: Transaction) -> LoggedIn:
        user = await own_user(session, caller)
        if not await rotate_session(session, caller.tenant_id, session_id, token_hash(token)):
            raise Denied("That is for users who are logged in.")
        await _set(session, user, stored)
        await end_sessions(session, user, but=session_id)
        record_of(session, caller, SecurityEventType.PASSWORD_CHANGED)
        return LoggedIn(caller.principal, token)

    return await caller.transact(work, even_cancelled=True)


async def ask_reset(guest: Guest, email: str) -> None:
    """Note that somebody wants a new password. Whether the address has an account is looked up later, by a worker.

    Raises:
        Throttled: asked too often, for the address or from one place.
    """
    address = email.strip().lower()
    await take(guest.database, reset_buckets(guest.secret, address, guest.visitor))
    async with guest.database.anonymous() as session:
        await ask_password_reset(session, address, guest.visitor.ip, guest.visitor.user_agent)


async def reset_password(guest: Guest, token: str, new: str) -> None:
    """Set a new password by the link of a mail, once. All sessions of the user end.

    Raises:
        Refusal: TOKEN_EXPIRED for a token that was used, is too old, or is none; WEAK_PASSWORD, and the link still works.
    """
    named = read_account_token(guest.secret, TokenPurpose.PASSWORD_RESET, token)
    if named is None:
        raise link_expired()
    tenant_id, token_id = named
    async with guest.database.tenant(tenant_id) as session:
        holder = await token_holder(session, tenant_id, token_id, TokenPurpose.PASSWORD_RESET)
    if holder is None:
        raise link_expired()
    await check(new, "newPassword", hints=(holder.name, holder.email))
    stored = await hashed(new)

    async def work(session: Transaction) -> None:
        # The user before the token, as everywhere: a request for another link takes them in this order.
        user = await lock_user(session, tenant_id, holder.id)
        if user is None or await use_up(session, tenant_id, token_id, TokenPurpose.PASSWORD_RESET) is None:
            raise link_expired()
        await _set(session, user, stored)
        await end_sessions(session, user)
        record(
            session,
            guest.settings,
            guest.visitor,
            tenant_id,
            SecurityEventType.PASSWORD_RESET,
            actor=user.name,
            user_id=user.id,
        )

    await guest.database.transact(tenant_id, work)


async def work_off_reset_request(database: Database, settings: Settings) -> bool:
    """Write the mail of the oldest request, if its address has an account; tells whether there was a request.

    A worker that dies in between leaves the request to the next one: at worst the mail goes out twice.
    """
    async with database.anonymous() as session:
        request = await next_password_reset(session)
        if request is None:
            return False
        if request.tenant_id is not None and request.user_id is not None:
            await _send_link(database, settings, request)
        await end_password_reset(session, request.id)
    return True


def link_expired() -> Refusal:
    """The one answer to everything that is wrong about a link."""
    return Refusal(ErrorCode.TOKEN_EXPIRED, "This link was used, or is too old. Ask for a new one.", ("input", "token"))


async def _send_link(database: Database, settings: Settings, request: ResetRequest) -> None:
    tenant_id, user_id = request.tenant_id, request.user_id
    if tenant_id is None or user_id is None:
        raise ValueError("the request is nobody's")

    async def work(session: Transaction) -> None:
        user = await lock_user(session, tenant_id, user_id)
        if user is None or await session.get(Tenant, tenant_id) is None:
            return
        token = AccountToken(
            tenant_id=tenant_id,
            id=new_id(),
            user_id=user.id,
            purpose=TokenPurpose.PASSWORD_RESET.value,
            expires_at=datetime.now(UTC).replace(microsecond=0) + RESET_LASTS,
        )
        session.add(token)
        await session.flush()
        queue_mail(session, tenant_id, user.id, AccountMailKind.PASSWORD_RESET, user.email, token_id=token.id)
        visitor = Visitor(ip=request.ip, user_agent=request.user_agent)
        record(
            session,
            settings,
            visitor,
            tenant_id,
            SecurityEventType.PASSWORD_RESET_REQUESTED,
            actor=None,
            user_id=user.id,
        )

    await database.transact(tenant_id, work)


async def _set(session: Transaction, user: User, stored: str) -> None:
    user.password_hash = stored
    await session.flush()
    # Links that were sent before must not set another one after.
    await withdraw_tokens(session, user.tenant_id, user.id)
    queue_mail(session, user.tenant_id, user.id, AccountMailKind.PASSWORD_CHANGED, user.email)
