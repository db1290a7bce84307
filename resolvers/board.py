"""The dispatch board: one local day, every lane, exact as of a cursor of the event stream."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from uuid import UUID

from domain.errors import ErrorCode, Refusal
from domain.event_cursor import encode_cursor
from domain.local_time import Interval, hours_from_json, local_day, merge_intervals, open_intervals
from models.appointment import Appointment
from models.appointment_list import not_placed, on_board
from models.event import places_as_of
from models.location import Location
from models.position import SeenPosition, visible_positions
from models.prepared import Readable
from models.ready import Ready
from models.technician import Technician, TimeOff, technicians_of_board, time_off_of
from resolvers.caller import Caller
from resolvers.grouping import grouped


@dataclass(frozen=True, slots=True)
class Lane:
    """One technician's day; `working` is what remains of the working hours after time off, in UTC."""

    technician: Technician
    working: Sequence[Interval]
    appointments: Sequence[Appointment]
    position: SeenPosition | None


@dataclass(frozen=True, slots=True)
class Board:
    """A day: subscribe behind `cursor` and nothing is missed. `locations` are all that the business has.

    Appointments and technicians are rows, or what places them and their answers; see `ReadyParts`. So are locations, of which
    only `id` and `time_zone` are sure to be there.
    """

    day: date
    cursor: str
    lanes: Sequence[Lane]
    unassigned: Sequence[Appointment]
    locations: Sequence[Location]


class Part(Enum):
    """What of a board is read only where it is asked for."""

    WORKING = "working"
    POSITIONS = "positions"
    UNASSIGNED = "unassigned"
    LOCATIONS = "locations"


@dataclass(frozen=True, slots=True)
class ReadyParts:
    """What is read with its answer, and by what: technicians, their appointments, those that wait; as rows where it is None."""

    technicians: Ready | None = None
    lanes: Ready | None = None
    unassigned: Ready | None = None


async def dispatch_board(
    caller: Caller,
    day: date,
    location_id: UUID | None,
    parts: Collection[Part] = tuple(Part),
    along: Callable[[Readable, Board], Awaitable[None]] | None = None,
    ready: ReadyParts = ReadyParts(),
) -> Board:
    """The board of a date on the calendar of each location, or of one.

    Args:
        parts: what is left out stays empty.
        along: reads what belongs to it as of the same moment, in the same transaction.

    Raises:
        Refusal: NOT_FOUND for a location that there is not.
    """
    async with caller.looking(one_moment=True) as session:
        everywhere, seq = await places_as_of(session, whole=Part.LOCATIONS in parts)
        places = {place.id: place for place in everywhere if location_id in (None, place.id)}
        if location_id is not None and not places:
            raise Refusal(ErrorCode.NOT_FOUND, "There is no such location.", ("locationId",))
        bounds = {place.id: local_day(day, place.time_zone) for place in places.values()}
        if not bounds:
            return Board(day, encode_cursor(caller.tenant_id, seq), [], [], everywhere)
        start, end = min(low for low, _ in bounds.values()), max(high for _, high in bounds.values())
        planned = [
            row
            for row in await on_board(session, start, end, location_id, caller.visited_by, ready.lanes)
            if _touches(row, bounds[row.location_id])
        ]
        waiting: Sequence[Appointment] = []
        if Part.UNASSIGNED in parts and not caller.visited_by:
            waiting = await not_placed(session, start, end, location_id, ready.unassigned)
        board = Board(
            day=day,
            cursor=encode_cursor(caller.tenant_id, seq),
            lanes=await _lanes(
                session, caller, day, list(places), everywhere, planned, (start, end), parts, ready.technicians
            ),
            unassigned=[row for row in waiting if row.starts_at is None or _touches(row, bounds[row.location_id])],
            locations=everywhere,
        )
        if along is not None:
            await along(session, board)
        return board


async def _lanes(
    session: Readable,
    caller: Caller,
    day: date,
    shown: Sequence[UUID],
    everywhere: Sequence[Location],
    planned: Sequence[Appointment],
    span: tuple[datetime, datetime],
    parts: Collection[Part],
    ready: Ready | None,
) -> list[Lane]:
    by_technician = grouped(planned, lambda row: row.technician_id)
    assigned = [technician_id for technician_id in by_technician if technician_id is not None]
    columns = ("location_id", "working_hours") if Part.WORKING in parts else ()
    people = [
        person
        for person in await technicians_of_board(session, shown, assigned, ready, *columns)
        if caller.visited_by in (None, person.id)
    ]
    ids = [person.id for person in people]
    working: dict[UUID, list[Interval]] = {}
    if Part.WORKING in parts:
        off = grouped(await time_off_of(session, ids, *span), lambda row: row.technician_id)
        # Whoever has a visit here may belong elsewhere.
        zones = {place.id: place.time_zone for place in everywhere}
        for person in people:
            working[person.id] = working_intervals(person, day, zones[person.location_id], off.get(person.id, []))
    positions = await visible_positions(session, ids) if Part.POSITIONS in parts else {}
    return [
        Lane(
            technician=person,
            working=working.get(person.id, []),
            appointments=by_technician.get(person.id, []),
            position=positions.get(person.id),
        )
        for person in people
    ]


def working_intervals(technician: Technician, day: date, zone: str, off: Sequence[TimeOff]) -> list[Interval]:
    """When the technician works on a local date, time off taken out, in UTC."""
    spans = open_intervals(day, zone, hours_from_json(technician.working_hours))
    for away_start, away_end in merge_intervals([(row.starts_at, row.ends_at) for row in off]):
        spans = [
            part
            for start, end in spans
            for part in ((start, min(end, away_start)), (max(start, away_end), end))
            if part[0] < part[1]
        ]
    return spans


def _touches(row: Appointment, bounds: Interval) -> bool:
    return (
        row.starts_at is not None and row.ends_at is not None and row.starts_at < bounds[1] and row.ends_at > bounds[0]
    )
