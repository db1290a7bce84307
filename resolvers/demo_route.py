"""One stretch of a technician's working time in the demo, filled with visits that can be driven to one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

from domain.local_time import Interval
from resolvers.demo_data.services import SERVICES
from resolvers.demo_data.team import DemoTechnician
from resolvers.demo_pool import Lines, Pool, Stop, Visit, drive_home

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
QUARTER, FIVE = timedelta(minutes=15), timedelta(minutes=5)
PAUSES = (30, 45, 60, 90)
MISSES = 3
LONGEST_ADD_ON = 60
# Who is at work at a given moment came this long ago at most; who is on the way left so long ago, for a drive of so long.
AT_WORK, DRIVEN, DRIVE = timedelta(minutes=35), timedelta(minutes=6), timedelta(minutes=15)
NO_TIME = timedelta()


@dataclass(slots=True)
class Lunch:
    """A break that lies between two moments; `taken` also when there is no room for it any more."""

    length: timedelta
    earliest: datetime
    latest: datetime
    taken: bool = False


@dataclass(eq=False)
class Route:
    """Working time as it fills up, from its start on.

    Args:
        index: the technician's position in the team.
        on_call: only emergencies, and only such as have happened already.
    """

    rng: Random
    pool: Pool
    index: int
    technician: DemoTechnician
    span: Interval
    on_call: bool
    lunch: Lunch | None = None
    strict: bool = True
    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        # When the last visit ends, and where.
        self.free, self.place = self.span[0], self.technician.home
        self._offered = offered(self.technician, emergency=self.on_call)
        self._answered = False

    def attempt(self, *, strict: bool) -> "Route":
        """An empty one to try something with; if not strict, it may go without lunch, and end before the drive home."""
        return replace(self, strict=strict, lunch=replace(self.lunch) if self.lunch and strict else None, visits=[])

    def fill(self, until: datetime, *, idle: float, home: bool) -> None:
        """Add visits that end by `until`, as many as fit.

        Args:
            idle: the share of visits after which there is a pause.
            home: whether the drive home must have ended by then, too.
        """
        misses = 0
        while misses < MISSES:
            lines, stop = some_lines(self.rng, self._offered), self._near()
            start = ceil(self.free + stop.drive, QUARTER)
            end = start + timedelta(minutes=minutes_of(lines))
            if self._eats_before(end):
                continue
            if end + (drive_home(stop.point, self.technician.home) if home else NO_TIME) > until:
                misses += 1
                continue
            self._add(stop, lines, start)
            if self.rng.random() < idle:
                self.free = min(self.free + timedelta(minutes=self.rng.choice(PAUSES)), until)

    def answer_calls(self, until: datetime) -> None:
        """Add the emergencies of a night on call that were over by `until`; once only."""
        if self._answered:
            return
        self._answered = True
        for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3, 3))):
            lines, stop = self._quick(), self._near()
            start = ceil(self.free + timedelta(minutes=self.rng.randint(20, 200)) + stop.drive, FIVE)
            end = start + timedelta(minutes=minutes_of(lines))
            if (
                max(end, start + stop.drive) > until
                or end + drive_home(stop.point, self.technician.home) > self.span[1]
            ):
                return
            self._add(stop, lines, start)

    def work_at(self, now: datetime) -> bool:
        """Add a visit that is under way, and tell whether there was room for one."""
        lines, stop = self._quick(), self._near()
        self._eats_before(now + timedelta(minutes=minutes_of(lines)))
        start = ceil(max(self.free + stop.drive, now - AT_WORK), FIVE)
        return start + FIVE <= now and self._add_if_it_ends(stop, lines, start)

    def drive_at(self, now: datetime) -> bool:
        """Add a visit to which the technician is driving, and tell whether there was room for one."""
        lines, stop = self._quick(), self._near(wanted=DRIVE, among=30)
        self._eats_before(now + DRIVE + timedelta(minutes=minutes_of(lines)))
        start = ceil(max(self.free, now - DRIVEN) + stop.drive, FIVE)
        return start - stop.drive < now < start and self._add_if_it_ends(stop, lines, start)

    def _near(self, wanted: timedelta = NO_TIME, among: int = 8) -> Stop:
        return self.pool.near(self.place, north=self.technician.north, wanted=wanted, among=among)

    def _add_if_it_ends(self, stop: Stop, lines: Lines, start: datetime) -> bool:
        home = drive_home(stop.point, self.technician.home) if self.strict else NO_TIME
        fits = start + timedelta(minutes=minutes_of(lines)) + home <= self.span[1]
        if fits:
            self._add(stop, lines, start)
        return fits

    def _add(self, stop: Stop, lines: Lines, start: datetime) -> None:
        self.pool.take(stop, north=self.technician.north)
        visit = Visit(stop.customer, stop.address, self.technician.north, lines, minutes_of(lines), self.on_call)
        visit.technician = self.index
        visit.starts_at, visit.leaves_at = start, start - stop.drive
        visit.ends_at = start + timedelta(minutes=visit.minutes)
        self.visits.append(visit)
        self.free, self.place = visit.ends_at, stop.point

    def _eats_before(self, end: datetime) -> bool:
        """Have lunch now when a visit that ends then would leave no room for it; tell whether that took time."""
        lunch = self.lunch
        if lunch is None or lunch.taken or end + lunch.length <= lunch.latest:
            return False
        lunch.taken = True
        start = max(self.free, lunch.earliest)
        if start + lunch.length > lunch.latest:
            return False
        self.free = start + lunch.length
        return True

    def _quick(self) -> Lines:
        return ((min(self._offered, key=lambda index: SERVICES[index].minutes), None),)


def offered(technician: DemoTechnician, *, emergency: bool = False) -> list[int]:
    """The services that a technician has the skills for."""
    return [
        index
        for index, service in enumerate(SERVICES)
        if service.skills <= technician.skills and service.emergency is emergency
    ]


def some_lines(rng: Random, services: Sequence[int]) -> Lines:
    """One of these services, now and then with an option or a second, short one."""
    first = rng.choice(services)
    short = [index for index in services if index != first and SERVICES[index].minutes <= LONGEST_ADD_ON]
    second = [rng.choice(short)] if short and rng.random() < 0.1 else []
    lines = []
    for index in (first, *second):
        options = SERVICES[index].options
        lines.append((index, rng.randrange(len(options)) if options and rng.random() < 0.3 else None))
    return tuple(lines)


def minutes_of(lines: Lines) -> int:
    """How long a visit takes, in minutes."""
    return sum(
        SERVICES[service].minutes + (0 if option is None else SERVICES[service].options[option].minutes)
        for service, option in lines
    )


def ceil(moment: datetime, step: timedelta) -> datetime:
    """The moment, or the next one that lies on the grid of that step."""
    return moment + (EPOCH - moment) % step
