"""What a day plan's token says, so that the plan which was shown is applied, and only to the day that it was made for."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from domain.day_plan import DayProblem
from domain.day_plan_propose import Proposal
from domain.work_clock import floor_second, instant_of


class PlannedVisit(NamedTuple):
    """One change: an appointment, who does it and when it starts. Its length stays."""

    job_id: UUID
    technician_id: UUID
    start: datetime


class PlanToken(NamedTuple):
    """A proposal in short."""

    location_id: UUID
    day: date
    version: str
    visits: tuple[PlannedVisit, ...]


def token_content(proposal: Proposal, location_id: UUID) -> dict[str, object]:
    """The proposal in a form for JSON, to be signed with a short life."""
    return {
        "location": str(location_id),
        "day": proposal.day.isoformat(),
        "version": proposal.version,
        "visits": [[str(who), str(by), floor_second(start)] for who, by, start, _ in proposal.changes],
    }


def token_from_content(content: object) -> PlanToken:
    """The token of its signed content.

    Raises:
        ValueError: it has another shape.
    """
    match content:
        case {"location": str(location), "day": str(day), "version": str(version), "visits": list(visits)}:
            return PlanToken(UUID(location), date.fromisoformat(day), version, tuple(_visit(visit) for visit in visits))
    raise ValueError("not a day plan")


def _visit(content: object) -> PlannedVisit:
    match content:
        case [str(job), str(technician), int(start)]:
            return PlannedVisit(UUID(job), UUID(technician), instant_of(start))
    raise ValueError("not a visit of a day plan")


def still_applies(token: PlanToken, problem: DayProblem, now: datetime) -> bool:
    """Whether the day is still the one that the plan was made for, and none of its changes lies in the past by now.

    Args:
        problem: the day as it is now, read in the transaction that applies the plan.
    """
    was: Mapping[UUID, datetime | None] = {job.id: job.start for job in problem.jobs}
    begins = [start for visit in token.visits for start in (visit.start, was.get(visit.job_id))]
    return token.version == problem.version and all(start is None or start >= now for start in begins)
