"""The working clocks and lunch breaks of many days at once: `domain.work_clock` as arrays with a row for each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.slots import TechnicianDay
from domain.work_clock import Span, ceil_second, ceil_seconds, floor_second, pauses

Seconds = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER = 1 << 40
"""Later than any reading: what cannot happen. Its negative is earlier than any."""


_Row = TypeVar("_Row", Seconds, Flags)


def _beside(column: _Row, array: Seconds) -> _Row:
    """A value for each day, shaped so that it broadcasts over an array with a row for each day."""
    return column.reshape(-1, *(1,) * (array.ndim - 1))


@dataclass(frozen=True, slots=True)
class Clocks:
    """The working clocks of all days; spans are padded with empty ones at the end.

    Args:
        second: real start of each span, in seconds since the epoch.
        starts: reading at each span's start.
        ends: reading at each span's end.
    """

    second: Seconds
    starts: Seconds
    ends: Seconds

    @classmethod
    def of(cls, days: Sequence[Sequence[Span]]) -> "Clocks":
        """The clocks that run in the spans of each day."""
        widest = max([1, *map(len, days)])
        padded = [[*spans, *[(0, 0)] * (widest - len(spans))] for spans in days]
        second, end = np.moveaxis(np.array(padded, dtype=np.int64).reshape(-1, widest, 2), -1, 0)
        ends = np.cumsum(end - second, axis=1)
        return cls(second, ends - (end - second), ends)

    @property
    def total(self) -> Seconds:
        """The reading at the end of each day."""
        return self.ends[:, -1]

    def at(self, seconds: Seconds) -> Seconds:
        """The readings at instants: 0 before the day, the total after it."""
        reading = np.zeros_like(seconds)
        for second, length in zip(self.second.T, (self.ends - self.starts).T, strict=True):
            reading += np.clip(seconds - _beside(second, seconds), 0, _beside(length, seconds))
        return reading

    def last_start(self, seconds: Seconds) -> Seconds:
        """The latest readings at which work can start no later than instants."""
        return self.at(seconds + 1) - 1

    def first_fit(self, reading: Seconds, length: Seconds) -> Seconds:
        """The first readings, no earlier than the given ones, from which `length` lies in one span; else NEVER."""
        best = np.full_like(reading, NEVER)
        for start, end in zip(self.starts.T, self.ends.T, strict=True):
            candidate = np.maximum(reading, _beside(start, reading))
            fits = candidate + length <= _beside(end, reading)
            best = np.where(fits & (candidate < best), candidate, best)
        return best

    def last_fit(self, reading: Seconds, length: Seconds) -> Seconds:
        """The last readings, no later than the given ones, from which `length` lies in one span; else -NEVER."""
        best = np.full_like(reading, -NEVER)
        for start, end in zip(self.starts.T, self.ends.T, strict=True):
            candidate = np.minimum(reading, _beside(end, reading) - length)
            fits = candidate >= _beside(start, reading)
            best = np.where(fits & (candidate > best), candidate, best)
        return best


@dataclass(frozen=True, slots=True)
class Lunches:
    """Lunch of each day: its length and the readings between which it may start.

    `needed`: it has to be placed in working time. `possible`: it has not, or there is room for it on a day without jobs.
    """

    needed: Flags
    possible: Flags
    length: Seconds
    first: Seconds
    last: Seconds

    @classmethod
    def of(cls, days: Sequence[TechnicianDay], spans: Sequence[Sequence[Span]], clocks: Clocks) -> "Lunches":
        """The lunches of days whose working time is known already."""
        rows = [_lunch_row(day, day_spans) for day, day_spans in zip(days, spans, strict=True)]
        needed, length, earliest, latest = np.array(rows, dtype=np.int64).reshape(-1, 4).T
        first, last = clocks.at(earliest), clocks.last_start(latest)
        fits = clocks.first_fit(first, length) <= last
        return cls(needed == 1, (needed == 0) | fits, length, first, last)

    def start(self, clocks: Clocks, ready: Seconds) -> Seconds:
        """The earliest start of lunch from when the technician is ready; NEVER where there is none."""
        start = clocks.first_fit(np.maximum(ready, _beside(self.first, ready)), _beside(self.length, ready))
        placed = _beside(self.needed, ready) & (start <= _beside(self.last, ready))
        return np.where(placed, start, NEVER)

    def latest(self, clocks: Clocks, due: Seconds) -> Seconds:
        """The latest start of a lunch that ends by when the technician is due; -NEVER where there is none."""
        length = _beside(self.length, due)
        start = clocks.last_fit(np.minimum(due - length, _beside(self.last, due)), length)
        placed = _beside(self.needed, due) & (start >= _beside(self.first, due))
        return np.where(placed, start, -NEVER)


def _lunch_row(day: TechnicianDay, spans: Sequence[Span]) -> tuple[int, int, int, int]:
    """Whether lunch needs working time, its length, and the instants between which it may start."""
    if day.lunch is None:
        return 0, 0, 0, 0
    length = ceil_seconds(day.lunch.duration)
    earliest, latest = ceil_second(day.lunch.earliest), floor_second(day.lunch.latest)
    if any(min(end, latest) - max(start, earliest) >= length for start, end in pauses(day.shifts, spans)):
        return 0, 0, 0, 0
    return 1, length, earliest, latest - length
