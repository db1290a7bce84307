"""Forward and backward passes over all days at once: when each technician is ready to leave a node, and due at the next one.

Two states are kept for each node, lunch not yet taken and lunch taken ("fed"), and likewise backwards. That is exact, not a
heuristic: to be ready earlier is never worse, since one can always wait.
"""

from typing import NamedTuple

import numpy as np

from domain.slots_clock import NEVER, Clocks, Flags, Lunches, Seconds


class Stops(NamedTuple):
    """The stops of all days in order, padded to the longest: all times are readings of the working clock.

    Args:
        counts: stops of each day.
        start: planned start.
        end: planned end.
        length: seconds from planned start to end.
        first: earliest start, when the stops can be kept.
        last: latest start, when the stops can be kept.
        legs: seconds of driving from each node (home, stops, home) to the next.
    """

    counts: Seconds
    start: Seconds
    end: Seconds
    length: Seconds
    first: Seconds
    last: Seconds
    legs: Seconds


def keepable(clocks: Clocks, stops: Stops) -> Flags:
    """Days on which some choice of starts keeps every stop, lunch aside."""
    ready = np.zeros_like(stops.counts)
    kept = np.ones(len(ready), dtype=np.bool_)
    for k in range(stops.start.shape[1]):
        real = k < stops.counts
        start = clocks.first_fit(np.maximum(ready + stops.legs[:, k], stops.first[:, k]), stops.length[:, k])
        kept &= ~real | (start <= stops.last[:, k])
        ready = np.where(real, start + stops.length[:, k], ready)
    home = np.take_along_axis(stops.legs, stops.counts[:, None], axis=1)[:, 0]
    kept &= (stops.counts == 0) | (ready + home <= clocks.total)
    return kept


def forward(clocks: Clocks, lunches: Lunches, stops: Stops, kept: Flags) -> tuple[Seconds, Seconds]:
    """For each gap, when the technician can leave the node before it: lunch not yet taken, and lunch taken or not needed.

    NEVER stands for what cannot be. On days that are not kept, stops stay as planned and drives between them are not asked.
    """
    gaps = stops.start.shape[1] + 1
    ready, fed = (np.zeros((len(stops.counts), gaps), dtype=np.int64) for _ in range(2))
    fed[:, 0] = np.where(lunches.needed, NEVER, 0)
    for k in range(gaps - 1):
        leg, length, first = stops.legs[:, k], stops.length[:, k], stops.first[:, k]
        after_lunch = arrival(ready[:, k], leg, lunches.start(clocks, ready[:, k]), lunches.length)
        start = clocks.first_fit(np.maximum(ready[:, k] + leg, first), length)
        start_fed = clocks.first_fit(np.maximum(np.minimum(fed[:, k] + leg, after_lunch), first), length)
        start_fed = np.where(start_fed <= stops.last[:, k], start_fed, NEVER)
        planned = np.maximum(ready[:, k], stops.end[:, k])
        planned_fed = np.where((fed[:, k] < NEVER) | (after_lunch <= stops.start[:, k]), planned, NEVER)
        real = k < stops.counts
        ready[:, k + 1] = np.where(real, np.where(kept, start + length, planned), ready[:, k])
        fed[:, k + 1] = np.where(real, np.where(kept, np.minimum(start_fed + length, NEVER), planned_fed), fed[:, k])
    return ready, fed


def backward(clocks: Clocks, lunches: Lunches, stops: Stops, kept: Flags) -> tuple[Seconds, Seconds]:
    """For each gap, when the technician must be at the node behind it: no lunch after that, and lunch still to come.

    -NEVER stands for what cannot be. Gaps beyond a day's last one lead home.
    """
    gaps = stops.start.shape[1] + 1
    due = np.repeat(clocks.total[:, None], gaps, axis=1)
    fed = np.full_like(due, -NEVER)
    for k in reversed(range(gaps - 1)):
        leg, length, last = stops.legs[:, k + 1], stops.length[:, k], stops.last[:, k]
        leave = due[:, k + 1] - leg
        before_lunch = departure(due[:, k + 1], leg, lunches.latest(clocks, due[:, k + 1]), lunches.length)
        leave_fed = np.maximum(fed[:, k + 1] - leg, before_lunch)
        start = clocks.last_fit(np.minimum(last, leave - length), length)
        start_fed = clocks.last_fit(np.minimum(last, leave_fed - length), length)
        start_fed = np.where(start_fed >= stops.first[:, k], start_fed, -NEVER)
        planned = stops.start[:, k]
        planned_fed = np.where((fed[:, k + 1] > -NEVER) | (before_lunch >= stops.end[:, k]), planned, -NEVER)
        real = k < stops.counts
        due[:, k] = np.where(real, np.where(kept, start, planned), due[:, k])
        fed[:, k] = np.where(real, np.where(kept, start_fed, planned_fed), fed[:, k])
    return due, fed


def arrival(ready: Seconds, leg: Seconds, lunch_start: Seconds, lunch_length: Seconds) -> Seconds:
    """When a technician arrives who has lunch on the way: the drive goes on after lunch where lunch interrupts it."""
    return np.asarray(np.maximum(lunch_start, ready + leg) + lunch_length)


def departure(due: Seconds, leg: Seconds, lunch_start: Seconds, lunch_length: Seconds) -> Seconds:
    """When a technician must leave who has lunch on the way, that lunch being the latest possible."""
    return np.asarray(np.minimum(lunch_start, due - leg - lunch_length))
