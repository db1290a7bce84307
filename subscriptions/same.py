"""What is made of an object that many share is made once."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Same(Generic[S, T]):
    """The last things that were made, found by the identity of what they were made of.

    Args:
        make: of the object, and of what else tells one thing from another.
        most: how many are kept; what they were made of is kept as long, so that nothing else takes its identity.
    """

    def __init__(self, make: Callable[[S, Hashable], T], most: int = 64) -> None:
        self._make, self._most = make, most
        self._made: dict[tuple[int, Hashable], tuple[S, T]] = {}

    def of(self, source: S, which: Hashable = None) -> T:
        """What was made of it, or is now."""
        key = id(source), which
        known = self._made.get(key)
        if known is not None:
            return known[1]
        made = self._make(source, which)
        self._made[key] = source, made
        if len(self._made) > self._most:
            del self._made[next(iter(self._made))]
        return made
