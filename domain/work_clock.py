"""Working time as a clock that stands still outside shifts: how much of it has passed at an instant, and where work fits on it.

Instants are whole seconds since the epoch. On the clock, a pause takes no time: a place on it where one stretch of working time ends
and the next begins counts as the end for work that ends there and as the beginning for work that starts there.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TypeAlias

from domain.local_time import Interval, merge_intervals

Span: TypeAlias = tuple[int, int]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def floor_second(instant: datetime) -> int:
    """Seconds since the epoch, rounded down."""
    return (instant - EPOCH) // SECOND


def ceil_second(instant: datetime) -> int:
    """Seconds since the epoch, rounded up."""
    return -((EPOCH - instant) // SECOND)


def ceil_seconds(duration: timedelta) -> int:
    """Whole seconds of a duration, rounded up."""
    return -(-duration // SECOND)


def instant_of(second: int) -> datetime:
    """The instant of a whole second since the epoch."""
    return datetime.fromtimestamp(second, UTC)


def working_spans(shifts: Sequence[Interval], time_off: Sequence[Interval]) -> list[Span]:
    """Shifts less time off: in order, disjoint, touching ones joined."""
    spans = [(ceil_second(start), floor_second(end)) for start, end in merge_intervals(shifts)]
    for start, end in merge_intervals(time_off):
        spans = _without(spans, floor_second(start), ceil_second(end))
    return [span for span in spans if span[0] < span[1]]


def _without(spans: list[Span], off_start: int, off_end: int) -> list[Span]:
    parts: list[Span] = []
    for start, end in spans:
        if off_end <= start or end <= off_start:
            parts.append((start, end))
        else:
            parts += [(start, off_start)] if start < off_start else []
            parts += [(off_end, end)] if off_end < end else []
    return parts


def pauses(shifts: Sequence[Interval], spans: Sequence[Span]) -> list[Span]:
    """The times between the first shift's start and the last one's end that are not working time."""
    if not shifts:
        return []
    edges = [
        floor_second(min(start for start, _ in shifts)),
        *(edge for span in spans for edge in span),
        ceil_second(max(end for _, end in shifts)),
    ]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


@dataclass(frozen=True, slots=True)
class WorkClock:
    """The clock of one working day. Readings are seconds of working time since the first span's start.

    Args:
        spans: working time as `working_spans` gives it.
    """

    spans: tuple[Span, ...]
    readings: tuple[int, ...]
    """The reading at which each span starts, and at last the reading at the end of the day."""

    @classmethod
    def of(cls, spans: Sequence[Span]) -> "WorkClock":
        """The clock that runs in these spans."""
        return cls(tuple(spans), tuple(accumulate((end - start for start, end in spans), initial=0)))

    @property
    def total(self) -> int:
        """The reading at the end of the day."""
        return self.readings[-1]

    @property
    def bounds(self) -> Span:
        """When the first span starts and the last one ends.

        Raises:
            IndexError: there is no span.
        """
        return self.spans[0][0], self.spans[-1][1]

    def at(self, second: int) -> int:
        """The reading at an instant: 0 before the day, the total after it."""
        return sum(min(max(second - start, 0), end - start) for start, end in self.spans)

    def last_start(self, second: int) -> int:
        """The latest reading at which work can start no later than an instant; it starts before the pause that holds the instant."""
        return self.at(second + 1) - 1

    def start_of(self, reading: int) -> int:
        """The instant at which work that starts at that reading starts.

        Raises:
            ValueError: the reading is not before the day's end.
        """
        if not 0 <= reading < self.total:
            raise ValueError(f"no work starts at {reading} of {self.total} s")
        index = bisect_right(self.readings, reading) - 1
        return self.spans[index][0] + reading - self.readings[index]

    def first_fit(self, reading: int, length: int) -> int | None:
        """The first reading, no earlier than the given one, from which `length` seconds lie in one span."""
        for index in range(len(self.spans)):
            start = max(reading, self.readings[index])
            if start + length <= self.readings[index + 1]:
                return start
        return None

    def last_fit(self, reading: int, length: int) -> int | None:
        """The last reading, no later than the given one, from which `length` seconds lie in one span."""
        for index in reversed(range(len(self.spans))):
            start = min(reading, self.readings[index + 1] - length)
            if start >= self.readings[index]:
                return start
        return None
