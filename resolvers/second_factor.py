"""The second factor of log-ins: setting it up, using it, turning it off, and asking it of everybody."""

from dataclasses import dataclass
from datetime import UTC, datetime

from auth.second_factor import (
    enrolment_uri,
    is_recovery_code,
    matching_step,
    new_nonce,
    new_recovery_codes,
    recovery_hash,
    shared_secret,
)
from domain.errors import ErrorCode, Refusal, invalid, not_found
from domain.security_event import SecurityEventType
from models.database import Transaction
from models.rights import RightsChange, announce
from models.second_factor import (
    SecondFactor,
    recovery_codes_left,
    remove_second_factor,
    replace_recovery_codes,
    second_factor_of,
    take_recovery_code,
    take_step,
)
from models.tenant import Tenant, lock_tenant
from models.user import User
from resolvers.caller import Caller
from resolvers.password_confirmation import confirm_password, own_user
from resolvers.security_event import record_of


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the authenticator app is given: the secret in base 32, or as the otpauth:// URI of a QR code."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """Whether a user has one, and how many recovery codes are left."""

    enabled: bool
    recovery_codes_left: int


async def pass_second_factor(session: Transaction, secret: str, user: User, code: str | None) -> str:
    """Use up a code where the user has a second factor; the answer is how: "none", "code" or "recovery code".

    Raises:
        Refusal: SECOND_FACTOR_REQUIRED without a code; INVALID_CREDENTIALS for one that is wrong or was used.
    """
    factor = await second_factor_of(session, user.tenant_id, user.id)
    if factor is None or factor.confirmed_at is None:
        return "none"
    if code is None or not code.strip():
        raise Refusal(
            ErrorCode.SECOND_FACTOR_REQUIRED, "A code of your authenticator app is needed.", ("input", "totpCode")
        )
    if is_recovery_code(code):
        taken = await take_recovery_code(session, user.tenant_id, user.id, recovery_hash(secret, code))
        how = "recovery code"
    else:
        taken = await _take_code(session, secret, factor, code)
        how = "code"
    if not taken:
        raise Refusal(ErrorCode.INVALID_CREDENTIALS, "That code is wrong or was used.", ("input", "totpCode"))
    return how


async def second_factor_state(caller: Caller) -> SecondFactorState:
    """The caller's own."""
    user_id = caller.principal.user_id
    if user_id is None:
        return SecondFactorState(enabled=False, recovery_codes_left=0)
    async with caller.reading() as session:
        factor = await second_factor_of(session, caller.tenant_id, user_id)
        left = await recovery_codes_left(session, caller.tenant_id, user_id)
    return SecondFactorState(enabled=factor is not None and factor.confirmed_at is not None, recovery_codes_left=left)


async def enrol(caller: Caller, password: str) -> Enrolment:
    """Begin to set one up; it counts once a code of it is confirmed. An earlier beginning is forgotten.

    Raises:
        Refusal: INVALID_CREDENTIALS for a wrong password; IN_USE when there is one already.
    """
    user = await confirm_password(caller, password)
    secret = caller.settings.secret_key.get_secret_value()
    nonce = new_nonce()

    async def work(session: Transaction) -> None:
        await own_user(session, caller)
        factor = await second_factor_of(session, user.tenant_id, user.id)
        if factor is not None and factor.confirmed_at is not None:
            raise Refusal(ErrorCode.IN_USE, "You have a second factor: turn it off before you set up another.")
        await session.merge(
            SecondFactor(tenant_id=user.tenant_id, user_id=user.id, nonce=nonce, confirmed_at=None, last_step=0)
        )
        await session.flush()

    await caller.transact(work, even_cancelled=True)
    shared = shared_secret(secret, user.id, nonce)
    return Enrolment(shared, enrolment_uri(shared, user.email))


async def confirm(caller: Caller, code: str) -> list[str]:
    """Turn it on with a first code; the answer is the recovery codes, which are shown this once.

    Raises:
        Refusal: INVALID_INPUT when none was begun or the code is not its; IN_USE when it is on already.
    """
    secret = caller.settings.secret_key.get_secret_value()

    async def work(session: Transaction) -> list[str]:
        user = await own_user(session, caller)
        factor = await second_factor_of(session, user.tenant_id, user.id)
        if factor is None:
            raise invalid("Begin with totpEnrol.", "code")
        if factor.confirmed_at is not None:
            raise Refusal(ErrorCode.IN_USE, "Your second factor is on already.")
        if not await _take_code(session, secret, factor, code):
            raise invalid("That is not a code of this secret: check the time of the phone.", "code")
        factor.confirmed_at = datetime.now(UTC)
        codes = new_recovery_codes()
        await replace_recovery_codes(session, user.tenant_id, user.id, [recovery_hash(secret, each) for each in codes])
        record_of(session, caller, SecurityEventType.SECOND_FACTOR_ENABLED)
        # Sockets that began without a right to anything come back with their scopes.
        await announce(session, user.tenant_id, RightsChange.ROLE_CHANGED, user.id)
        return codes

    return await caller.transact(work, even_cancelled=True)


async def disable(caller: Caller, password: str, code: str) -> None:
    """Turn it off. Where the business requires one, the user can then do nothing but set up another.

    Args:
        code: of the app, or a recovery code.

    Raises:
        Refusal: INVALID_CREDENTIALS for a wrong password or code; NOT_FOUND when there is none.
    """
    await confirm_password(caller, password)
    secret = caller.settings.secret_key.get_secret_value()

    async def work(session: Transaction) -> None:
        user = await own_user(session, caller)
        if await pass_second_factor(session, secret, user, code or " ") == "none":
            raise not_found("second factor")
        await remove_second_factor(session, user.tenant_id, user.id)
        record_of(session, caller, SecurityEventType.SECOND_FACTOR_DISABLED)
        await announce(session, user.tenant_id, RightsChange.ROLE_CHANGED, user.id)

    await caller.transact(work, even_cancelled=True)


async def require_of_everybody(caller: Caller, *, required: bool) -> Tenant:
    """Ask a second factor of every user of the business, or of none. Who has none can do nothing but set one up.

    Raises:
        Refusal: INVALID_INPUT while the caller has none.
    """

    async def work(session: Transaction) -> Tenant:
        tenant = await lock_tenant(session, caller.tenant_id)
        user = await own_user(session, caller)
        factor = await second_factor_of(session, user.tenant_id, user.id)
        if required and (factor is None or factor.confirmed_at is None):
            raise invalid("Set up your own second factor first.", "required")
        if tenant is None:
            raise not_found("business")
        if tenant.require_second_factor is not required:
            tenant.require_second_factor = required
            record_of(session, caller, SecurityEventType.SECOND_FACTOR_RULE_CHANGED, required=required)
            await announce(session, caller.tenant_id, RightsChange.RULES_CHANGED, caller.tenant_id)
        await session.flush()
        return tenant

    return await caller.transact(work)


async def _take_code(session: Transaction, secret: str, factor: SecondFactor, code: str) -> bool:
    shared = shared_secret(secret, factor.user_id, factor.nonce)
    step = matching_step(shared, code.replace(" ", ""), datetime.now(UTC), factor.last_step)
    return step is not None and await take_step(session, factor.tenant_id, factor.user_id, step)
