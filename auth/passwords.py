"""Passwords: argon2id hashes, made in threads of which only a few run at once."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from domain.errors import ErrorCode, Refusal

T = TypeVar("T")
# OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
SHORTEST, LONGEST = 8, 128
# Each hash takes a core and 19 MiB: a crowd of log-ins must queue here instead of starving the board.
AT_ONCE = 2
_THREADS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
WEAKEST_SCORE = 2
# zxcvbn takes every letter that can stand for another into account: 60 characters of "4@8($5" cost it 7 s, 24 cost 0.1 s.
# What makes a password weak shows in its beginning; the same bounds hold for the words that an attacker knows.
_JUDGED, _MOST_WORDS = 24, 20


class Verdict(Enum):
    """What comes of comparing a password with a hash."""

    WRONG = "wrong"
    RIGHT = "right"
    OUTDATED = "right, but hashed with other parameters than today's"


async def check(password: str, *path: str, hints: tuple[str, ...] = ()) -> None:
    """Refuse what is too short, too long or among the first that anybody would guess.

    Args:
        hints: words that an attacker knows: the name, the address, the business.

    Raises:
        Refusal: WEAK_PASSWORD.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refusal(ErrorCode.WEAK_PASSWORD, f"A password has {SHORTEST} to {LONGEST} characters.", ("input", *path))
    if await _in_thread(partial(_score, password, hints)) < WEAKEST_SCORE:
        raise Refusal(ErrorCode.WEAK_PASSWORD, "That password is too easy to guess.", ("input", *path))


async def hashed(password: str) -> str:
    """The hash to store."""
    return await _in_thread(partial(_HASHER.hash, _normal(password)))


async def compare(stored: str | None, password: str) -> Verdict:
    """Whether the password is that of the hash. With no hash it takes as long and answers WRONG."""
    return await _in_thread(partial(_compare, stored, password))


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


def _score(password: str, hints: tuple[str, ...]) -> int:
    # The parts of a hint too: an address is guessed by its name alone.
    words = [word for hint in hints for word in (hint, *hint.replace("@", " ").replace(".", " ").split())]
    known = [word[:_JUDGED] for word in words if len(word) > 2][:_MOST_WORDS]
    return int(zxcvbn(password[:_JUDGED], user_inputs=known)["score"])


def _compare(stored: str | None, password: str) -> Verdict:
    possible = stored is not None and len(password) <= LONGEST
    try:
        _HASHER.verify(stored if stored is not None and possible else _NOBODY, _normal(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return Verdict.WRONG
    if not possible or stored is None:
        return Verdict.WRONG
    return Verdict.OUTDATED if _HASHER.check_needs_rehash(stored) else Verdict.RIGHT


def _normal(password: str) -> str:
    """One spelling: keyboards differ in how they compose an é (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


# Compared with when an address is unknown, so that the time of a log-in does not tell.
_NOBODY = _HASHER.hash("nobody has this password")
