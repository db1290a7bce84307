"""How often somebody may try: counted in the database before the attempt, so that no crowd of guesses slips through."""

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import Throttled
from models.database import Database
from models.throttle import Bucket, give_attempt_back, take_attempt
from permissions.visitor import Visitor


@dataclass(frozen=True, slots=True)
class Rate:
    """So many attempts at once, and one more each so many seconds."""

    attempts: int
    seconds_each: float


# Ten typing errors in a row happen to people; after them a guess a minute finds no password that is allowed here.
ACCOUNT = Rate(10, 60)
# An office of many behind one address; whatever ends well is put back.
ADDRESS = Rate(50, 5)
RESET_OF_ACCOUNT = Rate(5, 600)
RESET_OF_ADDRESS = Rate(20, 60)
# Bookings at one business from one network: an office may book for many, and nobody fills a calendar for fun.
BOOKING = Rate(100, 10)


def bucket(secret: str, kind: str, whose: str, rate: Rate) -> Bucket:
    """The bucket of somebody. The key names nobody to whoever lacks the server's secret."""
    derived = hmac.digest(secret.encode(), b"throttle", hashlib.sha256)
    key = hmac.digest(derived, f"{kind}\0{whose}".encode(), hashlib.sha256)
    return Bucket(key, float(rate.attempts), 1 / rate.seconds_each)


def log_in_buckets(secret: str, email: str, visitor: Visitor) -> list[Bucket]:
    """Those of a log-in: the same for an address with an account and one without."""
    return [
        bucket(secret, "log-in of account", email, ACCOUNT),
        bucket(secret, "log-in from", visitor.network, ADDRESS),
    ]


def reset_buckets(secret: str, email: str, visitor: Visitor) -> list[Bucket]:
    """Those of asking for a new password."""
    return [
        bucket(secret, "reset of account", email, RESET_OF_ACCOUNT),
        bucket(secret, "reset from", visitor.network, RESET_OF_ADDRESS),
    ]


async def take(database: Database, buckets: Sequence[Bucket]) -> None:
    """Take an attempt, committed at once. A database that does not answer lets nobody try.

    Raises:
        Throttled: one of the buckets is empty.
    """
    async with database.anonymous() as session:
        seconds = await take_attempt(session, buckets)
    if seconds > 0:
        raise Throttled(math.ceil(seconds))


async def give_back(database: Database, buckets: Sequence[Bucket]) -> None:
    """Put the attempt back: it ended well."""
    async with database.anonymous() as session:
        await give_attempt_back(session, buckets)
