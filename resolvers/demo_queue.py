"""What waits in the demo for somebody to be sent: visits without a technician, and requests without a time."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from domain.appointment import AppointmentStatus
from domain.hours import stored_hours
from domain.local_time import at_local, hours_from_json, open_intervals, parse_local_time
from resolvers.demo_data.team import LOCATIONS, OPEN, TECHNICIANS, TIME_ZONE
from resolvers.demo_pool import Pool, Visit
from resolvers.demo_route import QUARTER, ceil, minutes_of, offered, some_lines

OPENING = hours_from_json(stored_hours(OPEN))
SOON = timedelta(minutes=90)
# In how many days the visits are; and on which days, at what time, the requests are wanted, if the customer said so.
UNASSIGNED = (0, 0, 0, 1, 1, 2, 3, 4)
WISHES = ((1, "08:00"), None, (2, "13:00"), (1, "09:00"), None, None, (4, "15:00"))
WISHED = timedelta(hours=3)
# Who works in the daytime: the last two are on call only.
DAYTIME = TECHNICIANS[:-2]


def unassigned(rng: Random, pool: Pool, now: datetime, today: date) -> Iterator[Visit]:
    """Visits with a time in which a location is open, and without a technician."""
    for days in UNASSIGNED:
        visit = _visit(rng, pool)
        length = timedelta(minutes=visit.minutes)
        (opens, closes), *_ = open_intervals(today + timedelta(days=days), TIME_ZONE, OPENING)
        earliest = ceil(max(opens, now + SOON), QUARTER)
        choices = max((closes - length - earliest) // QUARTER + 1, 0)
        if not choices:
            # Too late for today: the first of tomorrow.
            (earliest, _), *_ = open_intervals(today + timedelta(days=1), TIME_ZONE, OPENING)
            choices = 8
        visit.starts_at = earliest + rng.randrange(choices) * QUARTER
        visit.ends_at = visit.starts_at + length
        visit.arrival = (
            visit.starts_at,
            visit.starts_at + timedelta(minutes=LOCATIONS[visit.north].arrival_window_minutes),
        )
        yield visit


def requests(rng: Random, pool: Pool, today: date) -> Iterator[Visit]:
    """What customers ask for, some with the time that would suit them."""
    for wish in WISHES:
        visit = _visit(rng, pool)
        visit.status = AppointmentStatus.REQUESTED
        if wish is not None:
            days, clock = wish
            start = at_local(today + timedelta(days=days), parse_local_time(clock), TIME_ZONE)
            visit.arrival = (start, start + WISHED)
        yield visit


def _visit(rng: Random, pool: Pool) -> Visit:
    technician = rng.choice(DAYTIME)
    stop = pool.near(technician.home, north=technician.north)
    pool.take(stop, north=technician.north)
    lines = some_lines(rng, offered(technician))
    return Visit(stop.customer, stop.address, technician.north, lines, minutes_of(lines))
