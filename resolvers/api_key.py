"""API keys of partners: making them, listing them, revoking them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from auth.api_key import key_hash, new_key, prefix_of
from domain import contact
from domain.errors import Denied, invalid, not_found
from domain.ids import Prefix, encode, new_id
from domain.security_event import SecurityEventType
from models.api_key import ApiKey, api_keys_newest_first, lock_api_key
from models.database import Transaction
from models.rights import RightsChange, announce
from permissions.scopes import KEY_SCOPES, Scope
from resolvers.caller import Caller
from resolvers.security_event import record_of


async def list_api_keys(caller: Caller) -> Sequence[ApiKey]:
    """All keys, newest first, revoked ones too."""
    async with caller.reading() as session:
        return await api_keys_newest_first(session)


async def create_api_key(
    caller: Caller, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """Make a key; its text is in this answer alone.

    Args:
        scopes: those of the caller at most, and none that keys cannot have.
        expires_at: aware; None: it does not expire.

    Raises:
        Refusal: INVALID_INPUT for a scope that there is not, or a moment that has passed.
        Denied: a scope that the caller lacks.
    """
    name = contact.required(name, "name")
    granted = _checked(caller, scopes)
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise invalid("That moment has passed.", "expiresAt")
    key = new_key()
    prefix = prefix_of(key)
    if prefix is None:
        raise AssertionError("a fresh key has the shape of one")
    secret = caller.settings.secret_key.get_secret_value()

    async def work(session: Transaction) -> ApiKey:
        row = ApiKey(
            tenant_id=caller.tenant_id,
            id=new_id(),
            name=name,
            prefix=prefix,
            key_hash=key_hash(secret, key),
            scopes=granted,
            expires_at=expires_at,
        )
        session.add(row)
        await session.flush()
        record_of(
            session,
            caller,
            SecurityEventType.API_KEY_CREATED,
            apiKeyId=encode(Prefix.API_KEY, row.id),
            scopes=granted,
            expiresAt=expires_at.isoformat() if expires_at else None,
        )
        return row

    return await caller.transact(work), key


async def revoke_api_key(caller: Caller, api_key_id: UUID) -> ApiKey:
    """Make a key worthless, at once; its sockets close. One that is revoked stays as it is.

    Raises:
        Refusal: NOT_FOUND.
    """

    async def work(session: Transaction) -> ApiKey:
        row = await lock_api_key(session, caller.tenant_id, api_key_id)
        if row is None:
            raise not_found("API key", "apiKeyId")
        if row.revoked_at is None:
            row.revoked_at = datetime.now(UTC)
            await session.flush()
            record_of(session, caller, SecurityEventType.API_KEY_REVOKED, apiKeyId=encode(Prefix.API_KEY, api_key_id))
            await announce(session, caller.tenant_id, RightsChange.KEY_REVOKED, api_key_id)
        return row

    return await caller.transact(work, even_cancelled=True)


def _checked(caller: Caller, scopes: Sequence[str]) -> list[str]:
    known = {scope.value for scope in Scope}
    if not scopes:
        raise invalid("A key needs a scope.", "scopes")
    for index, scope in enumerate(scopes):
        if scope not in known:
            raise invalid("There is no such scope.", "scopes", str(index))
        if scope not in KEY_SCOPES:
            raise invalid("Keys cannot have that scope: it is for people.", "scopes", str(index))
        if scope not in caller.principal.scopes:
            raise Denied(f"You lack the scope {scope} yourself.")
    return sorted(set(scopes))
