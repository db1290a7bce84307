"""Applying a day plan: all of it in one transaction, if the day is still the one that it was made for."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from auth.day_plan_token import read_day_plan_token
from domain.appointment import AppointmentEventType, AppointmentStatus
from domain.day_plan import DayProblem
from domain.day_plan_token import PlannedVisit, PlanToken, still_applies
from domain.errors import ErrorCode, Refusal
from models.appointment import Appointment, check_calendars, check_calendars_last, lock_appointments, snapshot
from models.database import Transaction
from models.location import Location
from models.query import by_ids
from models.technician import hold_technicians
from resolvers.appointment import Change, finish
from resolvers.calendar import utc_now
from resolvers.caller import Caller
from resolvers.day_plan import read_problem


async def apply_day_plan(caller: Caller, token: str) -> Sequence[Appointment]:
    """Make the changes of a proposal; the appointments that changed.

    Raises:
        Refusal: TOKEN_EXPIRED; VERSION_CONFLICT when the day is not the one that the plan was made for; SLOT_TAKEN, BUSY.
    """
    plan = read_day_plan_token(caller.settings.secret_key.get_secret_value(), caller.tenant_id, token)
    if plan is None:
        raise Refusal(ErrorCode.TOKEN_EXPIRED, "That plan is too old: ask for a new one.", ("input", "token"))

    async def work(session: Transaction) -> list[Appointment]:
        rows = await _locked(session, plan)
        location = (await by_ids(session, Location, [plan.location_id])).get(plan.location_id)
        if location is None or len(rows) != len(plan.visits):
            raise _changed()
        # Read after the locks: whoever changes one of these calendars from here on waits for us.
        problem = await read_problem(session, location, plan.day, utc_now())
        if not still_applies(plan, problem, utc_now()):
            raise _changed()
        # Two visits may change places: in between they overlap.
        await check_calendars_last(session)
        for visit in plan.visits:
            await _move(session, caller, location, problem, rows[visit.job_id], visit)
        await check_calendars(session)
        return list(rows.values())

    return await caller.transact(work)


async def _locked(session: Transaction, plan: PlanToken) -> dict[UUID, Appointment]:
    """The appointments, then the technicians of both plans, each in the order of ids: as every other change does."""
    rows = await lock_appointments(session, [visit.job_id for visit in plan.visits])
    involved = {visit.technician_id for visit in plan.visits}
    involved |= {row.technician_id for row in rows.values() if row.technician_id is not None}
    await hold_technicians(session, involved)
    return rows


async def _move(
    session: Transaction,
    caller: Caller,
    location: Location,
    problem: DayProblem,
    row: Appointment,
    visit: PlannedVisit,
) -> None:
    before = snapshot(row)
    event = AppointmentEventType.RESCHEDULED
    if row.starts_at is None:
        event = AppointmentEventType.SCHEDULED
    elif row.starts_at == visit.start:
        event = AppointmentEventType.ASSIGNED
    row.status = AppointmentStatus.SCHEDULED
    row.technician_id = visit.technician_id
    row.starts_at, row.ends_at = visit.start, visit.start + problem.job[visit.job_id].job.duration
    if row.arrival_starts_at is None:
        row.arrival_starts_at = visit.start
        row.arrival_ends_at = visit.start + timedelta(minutes=location.arrival_window_minutes)
    await finish(Change(session, caller, row, event), before)


def _changed() -> Refusal:
    return Refusal(
        ErrorCode.VERSION_CONFLICT,
        "The day has changed since the plan was made: ask for a new one.",
        ("input", "token"),
    )
