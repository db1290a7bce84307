"""Token buckets of query cost, in the memory of one process: what a caller, its tenant or its address may spend.

Each server process keeps its own, so N processes behind a balancer allow up to N times as much.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from types import MappingProxyType

from permissions.principal import Principal


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket holds `capacity` points and gets `per_second` back each second."""

    capacity: int
    per_second: int


DEFAULT_RATES: Mapping[str, Rate] = MappingProxyType(
    {
        # One person or one API key.
        "caller": Rate(50_000, 2_500),
        # All of a business together.
        "tenant": Rate(200_000, 10_000),
        # Callers that are nobody yet: the booking page, the log-in.
        "address": Rate(20_000, 500),
    }
)


def rates(factor: float) -> Mapping[str, Rate]:
    """The default rates times a factor, in whole points."""
    return {
        kind: Rate(round(rate.capacity * factor), max(1, round(rate.per_second * factor)))
        for kind, rate in DEFAULT_RATES.items()
    }


Account = tuple[str, str]
"""The kind of bucket, one of the rates' names, and whose it is."""


@dataclass(frozen=True, slots=True)
class Status:
    """How the tightest of a caller's buckets stands, as `extensions.cost.throttleStatus` tells it."""

    maximum: int
    available: int
    per_second: int


def accounts_of(principal: Principal | None, network: str) -> tuple[Account, ...]:
    """The buckets that a request is charged to: the key's or user's and the tenant's, or the address's."""
    if principal is None:
        return (("address", network),)
    caller = principal.api_key_id or principal.user_id or principal.session_id
    return (("caller", str(caller)), ("tenant", str(principal.tenant_id)))


class TokenBuckets:
    """The buckets by account. A full one is not kept, and beyond `most` the ones used longest ago are forgotten.

    Args:
        rates: for each kind of account. Every capacity must cover the dearest operation that the limits allow.
        now: a clock in seconds.
        most: buckets kept.
    """

    def __init__(
        self, rates: Mapping[str, Rate] = DEFAULT_RATES, now: Callable[[], float] = monotonic, most: int = 50_000
    ) -> None:
        self.rates = rates
        self.now = now
        self.most = most
        self._buckets: OrderedDict[Account, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, accounts: Sequence[Account], cost: float) -> float:
        """Seconds until every account has the points; 0 when all have them now."""
        return max(max(0.0, (cost - self._level(account)) / self.rates[account[0]].per_second) for account in accounts)

    def spend(self, accounts: Sequence[Account], cost: float) -> None:
        """Take points, below zero if need be; a negative cost gives some back."""
        now = self.now()
        for account in accounts:
            rate = self.rates[account[0]]
            level = min(float(rate.capacity), self._level(account) - cost)
            self._buckets[account] = (level, now)
            self._buckets.move_to_end(account)
        while len(self._buckets) > self.most:
            self._buckets.popitem(last=False)

    def status(self, accounts: Sequence[Account]) -> Status:
        """The account that has the least left."""
        account = min(accounts, key=self._level)
        rate = self.rates[account[0]]
        return Status(rate.capacity, max(0, math.floor(self._level(account))), rate.per_second)

    def _level(self, account: Account) -> float:
        rate = self.rates[account[0]]
        found = self._buckets.get(account)
        if found is None:
            return float(rate.capacity)
        level, since = found
        return min(float(rate.capacity), level + (self.now() - since) * rate.per_second)
