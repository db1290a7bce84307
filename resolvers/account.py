"""Signing up, logging in and out."""

from auth.passwords import Verdict, check, compare, hashed
from domain import contact
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.local_time import check_zone
from domain.security_event import SecurityEventType
from domain.slug import slug_of
from domain.tenant import Role, TenantStatus
from models.database import Transaction
from models.log_in_session import end_session
from models.look_up import LogInFound, look_up_log_in
from models.rights import RightsChange, announce
from models.tenant import Tenant
from models.user import User, email_taken, lock_user
from permissions.principal import Principal
from resolvers.caller import Caller
from resolvers.guest import Guest
from resolvers.location import NewLocation, add_location
from resolvers.log_in_session import LoggedIn, leave, open_session
from resolvers.second_factor import pass_second_factor
from resolvers.security_event import record_by, record_of
from resolvers.security_log import Entry
from resolvers.throttle import ADDRESS, bucket, give_back, log_in_buckets, take


async def sign_up(
    guest: Guest,
    *,
    business_name: str,
    name: str,
    email: str,
    password: str,
    time_zone: str,
    leaving: Principal | None = None,
) -> LoggedIn:
    """Make a tenant with its owner and a first location, and log the owner in.

    Args:
        leaving: whose session the browser had until now; it ends.

    Raises:
        Refusal: INVALID_INPUT, WEAK_PASSWORD, EMAIL_TAKEN.
        Throttled: too many that were refused, from one place: they would tell which addresses have accounts.
    """
    business_name = contact.required(business_name, "businessName")
    name = contact.required(name, "name")
    address = contact.email(email, "email")
    if address is None:
        raise Refusal(ErrorCode.INVALID_INPUT, "An email address is needed to log in.", ("input", "email"))
    _zone(time_zone)
    buckets = [bucket(guest.secret, "sign-up from", guest.visitor.network, ADDRESS)]
    await take(guest.database, buckets)
    await check(password, "password", hints=(business_name, name, address))
    stored = await hashed(password)
    tenant_id, user_id = new_id(), new_id()

    async def work(session: Transaction) -> LoggedIn:
        session.add(Tenant(id=tenant_id, name=business_name, email=address, status=TenantStatus.TRIALING))
        await session.flush()
        user = User(tenant_id=tenant_id, id=user_id, name=name, email=address, role=Role.OWNER, password_hash=stored)
        session.add(user)
        with email_taken():
            await session.flush()
        await add_location(session, tenant_id, NewLocation.first(business_name, time_zone, slug_of(business_name)))
        opened = await open_session(session, user)
        record_by(session, guest.settings, guest.visitor, opened.principal, SecurityEventType.SIGNED_UP)
        return opened

    opened = await guest.database.transact(tenant_id, work)
    await give_back(guest.database, buckets)
    await leave(guest.database, leaving)
    return opened


async def log_in(
    guest: Guest, *, email: str, password: str, code: str | None = None, leaving: Principal | None = None
) -> LoggedIn:
    """Open a session.

    Args:
        code: of the second factor: the app's, or a recovery code.
        leaving: whose session the browser had until now; it ends.

    Raises:
        Refusal: INVALID_CREDENTIALS, in the same words and time for an unknown address and a wrong password;
            SECOND_FACTOR_REQUIRED, told only to who knows the password.
        Throttled: too many attempts at the account, or from one place.
    """
    address = email.strip().lower()
    buckets = log_in_buckets(guest.secret, address, guest.visitor)
    await take(guest.database, buckets)
    async with guest.database.anonymous() as session:
        found = await look_up_log_in(session, address)
    verdict = await compare(found.password_hash if found else None, password)
    if verdict is Verdict.WRONG or found is None:
        _note_failure(guest, found, "password")
        raise wrong_credentials()
    renewed = await hashed(password) if verdict is Verdict.OUTDATED else None

    async def work(session: Transaction) -> LoggedIn:
        user = await lock_user(session, found.tenant_id, found.user_id)
        # Reset or removed while it was compared.
        if user is None or user.password_hash != found.password_hash:
            raise wrong_credentials()
        factor = await pass_second_factor(session, guest.secret, user, code)
        if renewed is not None:
            user.password_hash = renewed
        opened = await open_session(session, user)
        record_by(
            session, guest.settings, guest.visitor, opened.principal, SecurityEventType.LOGGED_IN, secondFactor=factor
        )
        return opened

    try:
        opened = await guest.database.transact(found.tenant_id, work)
    except Refusal as refusal:
        if refusal.code is ErrorCode.SECOND_FACTOR_REQUIRED:
            await give_back(guest.database, buckets)
        elif refusal.code is ErrorCode.INVALID_CREDENTIALS:
            _note_failure(guest, found, "second factor")
        raise
    await give_back(guest.database, buckets)
    await leave(guest.database, leaving)
    return opened


async def log_out(caller: Caller) -> None:
    """End the session that the caller came with; an API key has none."""
    principal = caller.principal
    session_id = principal.session_id
    if session_id is None:
        return

    async def work(session: Transaction) -> None:
        if await end_session(session, principal.tenant_id, session_id):
            record_of(session, caller, SecurityEventType.LOGGED_OUT)
            await announce(session, principal.tenant_id, RightsChange.SESSION_ENDED, session_id)

    await caller.transact(work, even_cancelled=True)


def wrong_credentials() -> Refusal:
    """The one answer to everything that is wrong about a log-in."""
    return Refusal(ErrorCode.INVALID_CREDENTIALS, "The address or the password is wrong.")


def _note_failure(guest: Guest, found: LogInFound | None, reason: str) -> None:
    if found is not None:
        guest.log.note(
            Entry(
                found.tenant_id,
                SecurityEventType.LOG_IN_FAILED,
                guest.visitor,
                actor=None,
                user_id=found.user_id,
                details={"reason": reason},
            )
        )


def _zone(name: str) -> None:
    try:
        check_zone(name)
    except ValueError:
        raise Refusal(ErrorCode.INVALID_INPUT, "That is not an IANA time zone.", ("input", "timeZone")) from None
