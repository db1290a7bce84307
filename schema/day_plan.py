"""The day plan in the schema: a proposal, and applying it."""

from datetime import date
from uuid import UUID

import strawberry

from domain.day_plan_propose import Change, Unplanned
from domain.ids import Prefix, decode
from domain.slots import Obstacle
from permissions.scopes import Scope
from resolvers.day_plan import DayPlan as Plan
from resolvers.day_plan import propose_day
from resolvers.day_plan_apply import apply_day_plan
from schema.appointment import Appointment
from schema.checks import Payload
from schema.context import Info
from schema.fields import mutation, query, relation
from schema.technician import Technician
from schema.values import TimeWindow

strawberry.enum(Obstacle, name="PlanObstacle", description="Why an appointment cannot be placed.")


@strawberry.type
class DayPlanChange:
    """An appointment that gets another technician or another planned time."""

    change: strawberry.Private[Change]
    scheduled: TimeWindow

    @classmethod
    def of(cls, change: Change) -> "DayPlanChange":
        """The object of a change."""
        return cls(change=change, scheduled=TimeWindow(start=change.start, end=change.end))

    @relation(Scope.APPOINTMENTS_READ)
    async def appointment(self, info: Info) -> Appointment:
        """The appointment as it is now."""
        row = await info.context.load.appointment.load(self.change.job_id)
        if row is None:
            raise LookupError("a planned appointment is gone")
        return Appointment.of(row)

    @relation(Scope.TECHNICIANS_READ)
    async def technician(self, info: Info) -> Technician:
        """Who would do it."""
        row = await info.context.load.technician.load(self.change.technician_id)
        if row is None:
            raise LookupError("a planned technician is gone")
        return Technician.of(row)


@strawberry.type
class UnplannedAppointment:
    """An appointment that has no place in the plan."""

    unplanned: strawberry.Private[Unplanned]
    obstacles: list[Obstacle] = strawberry.field(description="Every obstacle that was met with any technician.")

    @relation(Scope.APPOINTMENTS_READ)
    async def appointment(self, info: Info) -> Appointment:
        """The appointment."""
        row = await info.context.load.appointment.load(self.unplanned.job_id)
        if row is None:
            raise LookupError("an unplanned appointment is gone")
        return Appointment.of(row)


@strawberry.type
class DayPlan:
    """A proposal. It is never worse than today's plan, in appointments without a place and then in travel."""

    plan: strawberry.Private[Plan]
    day: date
    travel_minutes_before: float
    travel_minutes_after: float
    changes: list[DayPlanChange]
    not_placed: list[UnplannedAppointment] = strawberry.field(description="The unplanned ones, with the reasons.")
    token: str = strawberry.field(description="Give it to dayPlanApply. Good for 15 minutes, and for the day as it is.")
    solved: bool = strawberry.field(
        description="False when the solver failed or was stopped: then appointments without a place were put where they fit, and"
        " others keep their technician."
    )

    @classmethod
    def of(cls, plan: Plan) -> "DayPlan":
        """The object of a proposal."""
        proposal = plan.proposal
        return cls(
            plan=plan,
            day=proposal.day,
            travel_minutes_before=round(proposal.before.travel / 60, 1),
            travel_minutes_after=round(proposal.after.travel / 60, 1),
            changes=[DayPlanChange.of(change) for change in proposal.changes],
            not_placed=[
                UnplannedAppointment(unplanned=each, obstacles=list(each.obstacles)) for each in proposal.unplanned
            ],
            token=plan.token,
            solved=plan.solved,
        )

    @relation(Scope.APPOINTMENTS_READ)
    async def unplanned(self, info: Info) -> list[Appointment]:
        """Appointments of the day that have no place."""
        ids = [each.job_id for each in self.plan.proposal.unplanned]
        rows = await info.context.load.appointment.load_many(ids)
        return [Appointment.of(row) for row in rows if row is not None]


@strawberry.input
class DayPlanApplyInput:
    """Which proposal."""

    token: str


@strawberry.type
class DayPlanApplyPayload(Payload):
    """The appointments that changed: all of the plan, or none."""

    appointments: list[Appointment] = strawberry.field(default_factory=list)


@strawberry.type
class DayPlanQuery:
    """Root fields."""

    @query(Scope.APPOINTMENTS_WRITE)
    async def day_plan_proposal(self, info: Info, day: date, location_id: strawberry.ID) -> DayPlan | None:
        """A better plan for a date on the location's calendar. It changes nothing until it is applied."""
        wanted = decode(Prefix.LOCATION, location_id)
        found = await propose_day(info.context.caller, info.context.planning, wanted or UUID(int=0), day)
        return DayPlan.of(found)


@strawberry.type
class DayPlanMutation:
    """Root fields."""

    @mutation(Scope.APPOINTMENTS_WRITE)
    async def day_plan_apply(self, info: Info, input: DayPlanApplyInput) -> DayPlanApplyPayload:
        """Apply a proposal: all of it, if the day is still the one that it was made for, or nothing."""
        rows = await apply_day_plan(info.context.caller, input.token)
        return DayPlanApplyPayload(appointments=[Appointment.of(row) for row in rows])
