"""Signing up, logging in and out."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from auth.passwords import check, hashed, matches
from auth.tokens import new_token, token_hash
from domain import contact
from domain.errors import ErrorCode, Refusal
from domain.ids import new_id
from domain.local_time import check_zone
from domain.slug import slug_of
from domain.tenant import Role, TenantStatus
from models.database import Database, Transaction
from models.log_in_session import LogInSession, end_session
from models.look_up import look_up_log_in, look_up_session
from models.tenant import Tenant
from models.user import User, email_taken
from permissions.principal import Principal
from permissions.scopes import ROLES
from resolvers.location import NewLocation, add_location

SESSION_LIFE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A fresh session: the token goes into the cookie and is known nowhere else."""

    principal: Principal
    token: str


async def sign_up(
    database: Database, *, business_name: str, name: str, email: str, password: str, time_zone: str
) -> LoggedIn:
    """Make a tenant with its owner and a first location, and log the owner in.

    Raises:
        Refusal: INVALID_INPUT, WEAK_PASSWORD, EMAIL_TAKEN.
    """
    business_name = contact.required(business_name, "businessName")
    name = contact.required(name, "name")
    address = contact.email(email, "email")
    if address is None:
        raise Refusal(ErrorCode.INVALID_INPUT, "An email address is needed to log in.", ("input", "email"))
    _zone(time_zone)
    check(password, "password", hints=(business_name, name, address))
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
        return await _open_session(session, user)

    return await database.transact(tenant_id, work)


async def log_in(database: Database, *, email: str, password: str) -> LoggedIn:
    """Open a session.

    Raises:
        Refusal: INVALID_CREDENTIALS, in the same words and time for an unknown address and a wrong password.
    """
    async with database.anonymous() as session:
        found = await look_up_log_in(session, email.strip().lower())
    if not await matches(found.password_hash if found else None, password) or found is None:
        raise Refusal(ErrorCode.INVALID_CREDENTIALS, "The address or the password is wrong.")

    async def work(session: Transaction) -> LoggedIn:
        user = await session.get(User, (found.tenant_id, found.user_id))
        if user is None:
            raise Refusal(ErrorCode.INVALID_CREDENTIALS, "The address or the password is wrong.")
        return await _open_session(session, user)

    return await database.transact(found.tenant_id, work)


async def log_out(database: Database, principal: Principal) -> None:
    """End the session that the principal came with; an API key has none."""
    session_id = principal.session_id
    if session_id is None:
        return

    async def work(session: Transaction) -> None:
        await end_session(session, session_id)

    await database.transact(principal.tenant_id, work)


async def principal_of_token(database: Database, token: str) -> Principal | None:
    """Whom a session cookie stands for, or None when it has expired or never was."""
    async with database.anonymous() as session:
        found = await look_up_session(session, token_hash(token))
    if found is None:
        return None
    return _principal(found.tenant_id, found.user_id, found.session_id, found.role, found.technician_id, found.name)


async def _open_session(session: Transaction, user: User) -> LoggedIn:
    token = new_token()
    opened = LogInSession(
        tenant_id=user.tenant_id,
        id=new_id(),
        user_id=user.id,
        token_hash=token_hash(token),
        expires_at=datetime.now(UTC) + SESSION_LIFE,
    )
    session.add(opened)
    await session.flush()
    return LoggedIn(_principal(user.tenant_id, user.id, opened.id, user.role, user.technician_id, user.name), token)


def _principal(
    tenant_id: UUID, user_id: UUID, session_id: UUID, role: Role, technician_id: UUID | None, name: str
) -> Principal:
    return Principal(
        tenant_id=tenant_id,
        actor=name,
        scopes=frozenset(scope.value for scope in ROLES[role]),
        user_id=user_id,
        session_id=session_id,
        role=role,
        technician_id=technician_id,
    )


def _zone(name: str) -> None:
    try:
        check_zone(name)
    except ValueError:
        raise Refusal(ErrorCode.INVALID_INPUT, "That is not an IANA time zone.", ("input", "timeZone")) from None
