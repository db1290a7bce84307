"""What a slot search takes and gives, and what exactly makes an insertion feasible.

A *working day* is one technician's route from home base to home base. These rules decide where a job fits into it:

Working time. Shifts less time off. A job lies wholly in one stretch of it. Driving happens in working time only; lunch, time off and
    pauses between shifts may interrupt a drive, which then goes on. The drive from home base begins no earlier than the first
    shift, the drive back ends no later than the last.
Other stops. They keep their technician and their order. A stop with a promised arrival window may slide: it may start at any time
    in its window, both ends included, but not before now plus the drive from the stop before it, unless it is planned earlier
    already. All others keep their planned start: a fixed one (under way or in progress), one without a promise, and one that
    is planned outside its promise.
The job. It starts in the arrival window that is offered, both ends included, and not before now. The technician drives to it from
    the stop before it, or from home base, after that stop and not before now; then on to the stop after it, or home.
Lunch. Once a working day, in one piece, wholly between its earliest and latest times, and not during a job: before, between or
    after them. It takes place in working time; a pause or time off inside the day that has room for it counts as lunch.
Days that cannot be kept as they stand. A dispatcher may have planned more than the estimate of travel allows, overtime, or work
    in time off. When no choice of starts keeps all the other stops (lunch aside), they all keep their planned starts and only what
    involves the job is asked: its own working time, no overlap, the drives to it and from it; and lunch must fit somewhere.
Unknown places. Nothing can be placed next to a stop whose place is not known; the drives between such stops count as none.

Times are aware datetimes. Arithmetic is in whole seconds: starts are rounded down and ends up where a stop occupies time, so that
nothing is offered that rounding made room for. Inserting a job that fits by these rules breaks no promise; `domain.slots_place`
tells which stops slide for it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.geo_point import GeoPoint
from domain.local_time import Interval
from domain.service_area import ServiceArea


class Obstacle(StrEnum):
    """Why a job cannot be offered or placed."""

    NO_TECHNICIANS = "NO_TECHNICIANS"
    """There is nobody to ask."""
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    """The location is closed on all of the days."""
    NOTICE = "NOTICE"
    """All arrival windows start sooner than the notice that a booking needs."""
    NO_COORDINATES = "NO_COORDINATES"
    """The place of the job, or of the technician's home base, is not known."""
    OUT_OF_SERVICE_AREA = "OUT_OF_SERVICE_AREA"
    MISSING_SKILL = "MISSING_SKILL"
    NOT_WORKING = "NOT_WORKING"
    """No shift, or none that is long enough during the arrival windows."""
    TIME_OFF = "TIME_OFF"
    """It would fit, were it not for time off."""
    LUNCH_OUTSIDE_SHIFT = "LUNCH_OUTSIDE_SHIFT"
    """Lunch fits nowhere into the shift, even on a day without jobs: nothing can be placed."""
    LUNCH = "LUNCH"
    """It would fit, were it not for lunch."""
    OVERLAP = "OVERLAP"
    """There is not enough time between the other stops."""
    TRAVEL = "TRAVEL"
    """It would fit, were it not for the drives."""


@dataclass(frozen=True, slots=True)
class Technician:
    """Who may do a job: home base (None when its place is not known), skills, and the area of the location worked for."""

    id: UUID
    skills: frozenset[str]
    home: GeoPoint | None
    area: ServiceArea = field(default_factory=ServiceArea)


@dataclass(frozen=True, slots=True)
class Lunch:
    """A break that lies wholly between two instants."""

    duration: timedelta
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """An appointment that a technician has already.

    Args:
        start: when it is planned to begin, or began.
        end: when it is planned, or expected, to end: later than `start`.
        promised: the arrival window that the customer was told; its end belongs to it.
        fixed: on the way, in progress or done: it does not slide.
    """

    id: UUID
    point: GeoPoint | None
    start: datetime
    end: datetime
    promised: Interval | None = None
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class TechnicianDay:
    """A technician's working day: `day` is the local date on which its shifts start."""

    technician: Technician
    day: date
    shifts: tuple[Interval, ...]
    time_off: tuple[Interval, ...] = ()
    lunch: Lunch | None = None
    stops: tuple[Stop, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be placed.

    Raises:
        ValueError: the duration is not at least a second.
    """

    point: GeoPoint | None
    duration: timedelta
    skills: frozenset[str] = frozenset()
    postal_code: str | None = None

    def __post_init__(self) -> None:
        if self.duration < timedelta(seconds=1):
            raise ValueError("a job takes time")


class Candidate(NamedTuple):
    """A technician who can make an arrival window.

    `earliest_start` is the first feasible one in the window; `added_travel` the seconds of driving that the job adds there.
    """

    technician_id: UUID
    earliest_start: datetime
    added_travel: int


class OfferedWindow(NamedTuple):
    """An arrival window that somebody can make; candidates by added travel, then earliest start."""

    window: Interval
    candidates: tuple[Candidate, ...]


class SlotSearch(NamedTuple):
    """The windows that can be offered, in order; when there is none, why: all obstacles that were met."""

    windows: tuple[OfferedWindow, ...]
    obstacles: frozenset[Obstacle] = frozenset()
