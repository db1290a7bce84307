"""Who should take a job on a day: all technicians, ranked, and why the others cannot."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.local_time import Interval
from domain.slots import Job, Obstacle, TechnicianDay
from domain.slots_explain import obstacles
from domain.slots_insert import served_windows
from domain.slots_prepare import Schedule, prepare
from domain.travel import TravelTimes
from domain.work_clock import instant_of


class InfeasibleReason(StrEnum):
    """Why a technician cannot take a job, in the words of the contract."""

    MISSING_SKILL = "MISSING_SKILL"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_WORKING = "NOT_WORKING"
    TIME_OFF = "TIME_OFF"
    OVERLAP = "OVERLAP"
    TRAVEL = "TRAVEL"


CONTRACT_REASON: dict[Obstacle, InfeasibleReason] = {
    Obstacle.NO_TECHNICIANS: InfeasibleReason.NOT_WORKING,
    Obstacle.OUTSIDE_HOURS: InfeasibleReason.NOT_WORKING,
    Obstacle.NOTICE: InfeasibleReason.NOT_WORKING,
    Obstacle.NO_COORDINATES: InfeasibleReason.OUT_OF_RANGE,
    Obstacle.OUT_OF_SERVICE_AREA: InfeasibleReason.OUT_OF_RANGE,
    Obstacle.MISSING_SKILL: InfeasibleReason.MISSING_SKILL,
    Obstacle.NOT_WORKING: InfeasibleReason.NOT_WORKING,
    Obstacle.TIME_OFF: InfeasibleReason.TIME_OFF,
    Obstacle.LUNCH_OUTSIDE_SHIFT: InfeasibleReason.NOT_WORKING,
    Obstacle.LUNCH: InfeasibleReason.OVERLAP,
    Obstacle.OVERLAP: InfeasibleReason.OVERLAP,
    Obstacle.TRAVEL: InfeasibleReason.TRAVEL,
}
"""Obstacles in the contract's words: lunch takes time like a stop; who lacks coordinates cannot be reached."""


class Suggestion(NamedTuple):
    """What one technician would mean for a job.

    Args:
        added_travel: the least driving, in seconds, that the job adds to the technician's day; None when infeasible.
        earliest: the earliest time at which the technician could do it, from start to end; None when infeasible.
        best_start: the earliest start at which only `added_travel` is added; None when infeasible.
        obstacles: why it is infeasible; empty when it is feasible.
    """

    technician_id: UUID
    added_travel: int | None
    earliest: Interval | None
    best_start: datetime | None
    obstacles: tuple[Obstacle, ...]

    @property
    def feasible(self) -> bool:
        """Whether the technician could do it."""
        return self.earliest is not None

    @property
    def reasons(self) -> tuple[InfeasibleReason, ...]:
        """The obstacles in the contract's words, each once."""
        return tuple(dict.fromkeys(CONTRACT_REASON[obstacle] for obstacle in self.obstacles))


def suggest(
    days: Sequence[TechnicianDay],
    job: Job,
    windows: Sequence[Interval],
    travel: TravelTimes,
    now: datetime | None = None,
) -> list[Suggestion]:
    """All technicians who have a working day among `days`: feasible ones first, by added travel, then by earliest start.

    Args:
        windows: when the job may start, ends included; ascending in start and in end. The promised window of an appointment, or the
            whole day (`domain.slots_windows.whole_day`).
    """
    schedule = prepare(days, travel, now)
    best = _best(schedule, job, windows, travel)
    met: dict[UUID, tuple[Obstacle, ...]] = {}
    for day, refused in zip(days, obstacles(days, job, windows, travel, now), strict=True):
        met[day.technician.id] = met.get(day.technician.id, ()) + refused
    suggestions = []
    for technician in schedule.technicians:
        if technician.id in best:
            added, best_start, first = best[technician.id]
            start = instant_of(first)
            suggestions.append(
                Suggestion(technician.id, added, (start, start + job.duration), instant_of(best_start), ())
            )
        else:
            suggestions.append(Suggestion(technician.id, None, None, None, tuple(dict.fromkeys(met[technician.id]))))
    return sorted(suggestions, key=_rank)


def _rank(suggestion: Suggestion) -> tuple[bool, int, float, UUID]:
    added, earliest = suggestion.added_travel, suggestion.earliest
    start = 0.0 if earliest is None else earliest[0].timestamp()
    return not suggestion.feasible, added or 0, start, suggestion.technician_id


def _best(
    schedule: Schedule, job: Job, windows: Sequence[Interval], travel: TravelTimes
) -> dict[UUID, tuple[int, int, int]]:
    """Of each technician who can: the least added travel, the earliest start with it, and the earliest start at all."""
    served = served_windows(schedule, job, windows, travel)
    if served is None:
        return {}
    found, pairs = served
    best: dict[UUID, tuple[int, int, int]] = {}
    owners = schedule.owner[found.day[pairs.insertion]].tolist()
    for owner, added, start in zip(owners, found.added[pairs.insertion].tolist(), pairs.start.tolist(), strict=True):
        technician_id = schedule.technicians[owner].id
        least, least_start, first = best.get(technician_id, (added, start, start))
        best[technician_id] = (*min((least, least_start), (added, start)), min(first, start))
    return best
