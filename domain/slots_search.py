"""The arrival windows that somebody can make, with everybody who can."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from domain.local_time import Interval
from domain.slots import Candidate, Job, OfferedWindow
from domain.slots_insert import served_windows
from domain.slots_prepare import Schedule
from domain.travel import TravelTimes
from domain.work_clock import instant_of

_ADDED_BITS = 24
_ADDED_ZERO = 1 << (_ADDED_BITS - 1)


def offered_windows(
    schedule: Schedule, job: Job, windows: Sequence[Interval], travel: TravelTimes
) -> tuple[OfferedWindow, ...]:
    """The windows, in order, that at least one technician can make by the rules of `domain.slots`.

    Args:
        schedule: the working days of all technicians who may come into question; days that no window touches do no harm.
        windows: ascending in start and in end, as `domain.slots_windows` gives them.
        travel: the engine that the schedule was prepared with.
    """
    served = served_windows(schedule, job, windows, travel)
    if served is None:
        return ()
    found, pairs = served
    # One number orders starts first and added travel second, so that a single minimum chooses for each window and technician.
    origin = int(pairs.start.min(initial=0))
    key = (pairs.start - origin << _ADDED_BITS) + found.added[pairs.insertion] + _ADDED_ZERO
    best = np.full((len(windows), len(schedule.technicians)), np.iinfo(np.int64).max)
    np.minimum.at(best, (pairs.window, schedule.owner[found.day[pairs.insertion]]), key)
    window, technician = np.nonzero(best < np.iinfo(np.int64).max)
    start, added = np.divmod(best[window, technician], 1 << _ADDED_BITS)
    order = np.lexsort((technician, start, added, window))
    rows = zip(
        window[order].tolist(),
        technician[order].tolist(),
        (start[order] + origin).tolist(),
        (added[order] - _ADDED_ZERO).tolist(),
        strict=True,
    )
    return tuple(
        OfferedWindow(
            windows[index],
            tuple(Candidate(schedule.technicians[who].id, instant_of(when), extra) for _, who, when, extra in group),
        )
        for index, group in groupby(rows, key=itemgetter(0))
    )
