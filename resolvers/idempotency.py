"""Doing a thing once: the same idempotency key and input answer the first result again."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, is_dataclass
from typing import Any
from uuid import UUID

import orjson

from domain.errors import ErrorCode, Refusal, invalid
from models.database import Transaction
from models.idempotency import claim_key, finish_key
from resolvers.caller import Caller

LONGEST_KEY = 200


async def once(
    session: Transaction,
    caller: Caller,
    operation: str,
    key: str | None,
    given: object,
    make: Callable[[Transaction], Awaitable[UUID]],
) -> UUID:
    """The id of what `make` makes, or of what the first call with this key made, for 24 hours.

    The key's row is written in the transaction of the change itself: a call that runs at the same moment waits for
    that row, and finds the result or, after a rollback, its own turn.

    Raises:
        Refusal: IDEMPOTENCY_CONFLICT when the key came with another input; INVALID_INPUT for a key that is none.
    """
    if key is None:
        return await make(session)
    if not 1 <= len(key) <= LONGEST_KEY:
        raise invalid(f"An idempotency key has 1 to {LONGEST_KEY} characters.", "idempotencyKey")
    digest = hashlib.sha256(orjson.dumps(given, default=_plain, option=orjson.OPT_SORT_KEYS)).digest()
    earlier = await claim_key(session, caller.tenant_id, operation, key, digest)
    if earlier is not None:
        if earlier.input_hash != digest:
            raise Refusal(
                ErrorCode.IDEMPOTENCY_CONFLICT,
                "That idempotency key was used with another input.",
                ("input", "idempotencyKey"),
            )
        return earlier.result_id
    made = await make(session)
    await finish_key(session, caller.tenant_id, operation, key, made)
    return made


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
