"""How far the demo's visits have come at a moment: what is over was done, what has begun is being done."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest
from random import Random

from domain.appointment import AppointmentStatus
from resolvers.demo_pool import Visit

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
# Nobody is at home: how long a technician rings and waits.
WAIT = (12, 22)


def progress(rng: Random, visits: Sequence[Visit], now: datetime) -> None:
    """Set status and moments of one technician's visits, in their order; cancelled ones stay, no-shows get theirs."""
    going = [visit for visit in visits if visit.status is not AppointmentStatus.CANCELLED]
    for visit, after in zip_longest(going, going[1:]):
        starts_at, ends_at, leaves_at = times(visit)
        if leaves_at >= now:
            continue
        visit.on_the_way_at = leaves_at
        if starts_at > now:
            visit.status = AppointmentStatus.ON_THE_WAY
            visit.eta = starts_at + rng.randint(0, 4) * MINUTE
            continue
        arrived = min(starts_at + rng.randint(-60, 420) * SECOND, now - SECOND)
        if visit.status is AppointmentStatus.NO_SHOW:
            visit.cancelled_at = arrived + rng.randint(*WAIT) * MINUTE
            continue
        visit.started_at = max(arrived, leaves_at + SECOND)
        if ends_at > now:
            visit.status = AppointmentStatus.IN_PROGRESS
            continue
        visit.status = AppointmentStatus.COMPLETED
        # Done before the drive to the next one begins, which may be at once.
        latest = min(now - SECOND, times(after)[2] if after else now)
        visit.completed_at = min(ends_at + rng.randint(-720, 480) * SECOND, latest)


def times(visit: Visit) -> tuple[datetime, datetime, datetime]:
    """Start, end and setting off of a visit that is planned.

    Raises:
        ValueError: it is not.
    """
    if visit.starts_at is None or visit.ends_at is None or visit.leaves_at is None:
        raise ValueError("a visit without a time")
    return visit.starts_at, visit.ends_at, visit.leaves_at
