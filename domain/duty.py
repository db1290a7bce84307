"""Whether a technician is on duty: only then does anybody see where the technician is."""

from collections.abc import Sequence
from datetime import datetime

from domain.local_time import OpeningHours, is_open, local_date, open_intervals


def on_duty(
    moment: datetime,
    *,
    active: bool,
    hours: Sequence[OpeningHours],
    zone: str,
    time_off: bool,
    visiting: bool,
) -> bool:
    """Whether a technician's position may be shown.

    A visit under way is work, whenever it takes place. Else the local date must be a working day: before the first shift
    of the day and after the last one there are jobs that run late and ways home, on a day off there is nothing to see.

    Args:
        moment: aware.
        active: nobody who has left is on duty.
        hours: the weekly hours; without any, every day is a working day.
        zone: of the technician's location.
        time_off: whether the moment lies in the technician's time off.
        visiting: whether the technician is on the way to a customer, or there.

    Raises:
        ValueError: unknown zone, or a naive moment.
    """
    if not active:
        return False
    if visiting:
        return True
    if time_off:
        return False
    return not hours or bool(open_intervals(local_date(moment, zone), zone, hours)) or is_open(moment, zone, hours)
