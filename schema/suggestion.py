"""Suggestions for dispatchers: who should take an appointment, and when somebody could be there."""

from datetime import date, datetime
from uuid import UUID

import strawberry

from domain.ids import Prefix, decode
from domain.slots import Candidate
from domain.suggestion import InfeasibleReason, Suggestion
from permissions.scopes import Scope
from resolvers.appointment_windows import appointment_windows, what_is_asked
from resolvers.suggestion import technician_suggestions
from schema.checks import Payload
from schema.context import Info
from schema.fields import answer, query, relation
from schema.node import known_id
from schema.technician import Technician
from schema.values import AddressInput, TimeWindow

strawberry.enum(InfeasibleReason)


@strawberry.type
class TechnicianSuggestion:
    """What one technician would mean for an appointment."""

    suggestion: strawberry.Private[Suggestion]
    feasible: bool
    reasons: list[InfeasibleReason] = strawberry.field(description="Machine-readable, empty when feasible.")
    added_travel_minutes: float | None
    earliest: TimeWindow | None = strawberry.field(description="The earliest time at which the technician could do it.")
    best_start: datetime | None = strawberry.field(description="The earliest start that adds no more than that travel.")

    @classmethod
    def of(cls, suggestion: Suggestion) -> "TechnicianSuggestion":
        """The object of a suggestion."""
        earliest, added = suggestion.earliest, suggestion.added_travel
        return cls(
            suggestion=suggestion,
            feasible=suggestion.feasible,
            reasons=list(suggestion.reasons),
            added_travel_minutes=None if added is None else round(added / 60, 1),
            earliest=None if earliest is None else TimeWindow(start=earliest[0], end=earliest[1]),
            best_start=suggestion.best_start,
        )

    @relation(Scope.TECHNICIANS_READ)
    async def technician(self, info: Info) -> Technician:
        """Who."""
        return await _technician(info, self.suggestion)


@strawberry.type
class WindowCandidate:
    """A technician who can make a window."""

    candidate: strawberry.Private[Candidate]
    earliest_start: datetime
    added_travel_minutes: float

    @classmethod
    def of(cls, candidate: Candidate) -> "WindowCandidate":
        """The object of a candidate."""
        return cls(
            candidate=candidate,
            earliest_start=candidate.earliest_start,
            added_travel_minutes=round(candidate.added_travel / 60, 1),
        )

    @relation(Scope.TECHNICIANS_READ)
    async def technician(self, info: Info) -> Technician:
        """Who."""
        return await _technician(info, self.candidate)


async def _technician(info: Info, of: Suggestion | Candidate) -> Technician:
    row = await info.context.load.technician.load(of.technician_id)
    if row is None:
        raise LookupError("a suggested technician is gone")
    return Technician.of(row)


@strawberry.type
class AppointmentWindow:
    """An arrival window that somebody can make; candidates by added travel."""

    window: TimeWindow
    candidates: list[WindowCandidate]


@strawberry.type
class AppointmentWindows(Payload):
    """Windows in order; when there is none, why."""

    windows: list[AppointmentWindow] = strawberry.field(default_factory=list)


@strawberry.input(description="An appointment that is to be moved; or a location, services and an address.")
class AppointmentWindowsInput:
    """What is to be done, and where."""

    appointment_id: strawberry.ID | None = None
    location_id: strawberry.ID | None = None
    service_ids: list[strawberry.ID] | None = None
    option_ids: list[strawberry.ID] | None = None
    address: AddressInput | None = None
    from_: date | None = strawberry.field(
        name="from", default=None, description="A date on the location's calendar; today when left out."
    )
    days: int | None = strawberry.field(default=14, description="1 to 31.")


@strawberry.type
class SuggestionQuery:
    """Root fields."""

    @query(Scope.APPOINTMENTS_WRITE)
    async def technician_suggestions(
        self, info: Info, appointment_id: strawberry.ID, day: date | None = None
    ) -> list[TechnicianSuggestion] | None:
        """All technicians, ranked: who can do it with the least added travel first, and why the others cannot."""
        wanted = decode(Prefix.APPOINTMENT, appointment_id) or UUID(int=0)
        found = await technician_suggestions(info.context.caller, info.context.planning.travel, wanted, day)
        return [TechnicianSuggestion.of(each) for each in found]

    @answer(Scope.APPOINTMENTS_WRITE)
    async def appointment_windows(self, info: Info, input: AppointmentWindowsInput) -> AppointmentWindows | None:
        """The windows that somebody can make, whatever notice customers must give."""
        what = what_is_asked(
            known_id(Prefix.APPOINTMENT, input.appointment_id),
            known_id(Prefix.LOCATION, input.location_id),
            _ids(Prefix.SERVICE, input.service_ids),
            _ids(Prefix.SERVICE_OPTION, input.option_ids),
            input.address.value() if input.address else None,
        )
        days = 14 if input.days is None else input.days
        found = await appointment_windows(info.context.caller, info.context.planning, what, input.from_, days)
        return AppointmentWindows(
            windows=[
                AppointmentWindow(
                    window=TimeWindow(start=offered.window[0], end=offered.window[1]),
                    candidates=[WindowCandidate.of(each) for each in offered.candidates],
                )
                for offered in found
            ]
        )


def _ids(prefix: Prefix, texts: list[strawberry.ID] | None) -> list[UUID | None] | None:
    return None if texts is None else [decode(prefix, each) for each in texts]
