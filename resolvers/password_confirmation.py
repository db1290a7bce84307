"""Asking for the password again before what cannot be undone: a session alone may be a phone that somebody left behind."""

from auth.passwords import Verdict, compare
from domain.errors import Denied, ErrorCode, Refusal
from domain.security_event import SecurityEventType
from models.database import Transaction
from models.user import User, lock_user
from resolvers.caller import Caller
from resolvers.security_event import record_of
from resolvers.throttle import ACCOUNT, bucket, give_back, take


async def own_user(session: Transaction, caller: Caller) -> User:
    """The caller's own row, locked until the transaction ends.

    Raises:
        Denied: the caller is no user, or none any more.
    """
    user_id = caller.principal.user_id
    user = await lock_user(session, caller.tenant_id, user_id) if user_id else None
    if user is None:
        raise Denied("That is for users who are logged in.")
    return user


async def confirm_password(caller: Caller, password: str, *path: str) -> User:
    """The caller's own row, when the password is the user's.

    Args:
        path: where the password stands in the input; ("password",) when left out.

    Raises:
        Refusal: INVALID_CREDENTIALS.
        Denied: the caller is no user.
        Throttled: too many attempts.
    """
    async with caller.reading() as session:
        user = await own_user(session, caller)
    secret = caller.settings.secret_key.get_secret_value()
    buckets = [bucket(secret, "confirmation by", str(user.id), ACCOUNT)]
    await take(caller.database, buckets)
    if await compare(user.password_hash, password) is Verdict.WRONG:
        async with caller.reading() as session:
            record_of(session, caller, SecurityEventType.PASSWORD_CONFIRMATION_FAILED)
        raise Refusal(ErrorCode.INVALID_CREDENTIALS, "That is not your password.", ("input", *(path or ("password",))))
    await give_back(caller.database, buckets)
    return user
