"""Passwords: argon2id hashes, made in threads of which only a few run at once."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from domain.errors import ErrorCode, Refusal

# OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
SHORTEST, LONGEST = 8, 128
# Each hash takes a core and 19 MiB: a crowd of log-ins must queue here instead of starving the board.
_PLACES = asyncio.Semaphore(2)
WEAKEST_SCORE = 2


def check(password: str, *path: str, hints: tuple[str, ...] = ()) -> None:
    """Refuse what is too short, too long or among the first that anybody would guess.

    Args:
        hints: words that an attacker knows: the name, the address, the business.

    Raises:
        Refusal: WEAK_PASSWORD.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refusal(ErrorCode.WEAK_PASSWORD, f"A password has {SHORTEST} to {LONGEST} characters.", ("input", *path))
    if zxcvbn(password[:72], user_inputs=list(hints))["score"] < WEAKEST_SCORE:
        raise Refusal(ErrorCode.WEAK_PASSWORD, "That password is too easy to guess.", ("input", *path))


async def hashed(password: str) -> str:
    """The hash to store."""
    async with _PLACES:
        return await asyncio.to_thread(_HASHER.hash, password)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is that of the hash. With no hash it takes as long and answers no."""
    async with _PLACES:
        return await asyncio.to_thread(_verify, stored, password)


def _verify(stored: str | None, password: str) -> bool:
    try:
        _HASHER.verify(stored or _NOBODY, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


# Compared with when an address is unknown, so that the time of a log-in does not tell.
_NOBODY = _HASHER.hash("nobody has this password")
