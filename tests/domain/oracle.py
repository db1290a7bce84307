"""The rules of `domain.slots`, walked through minute by minute: slow, simple, and sharing no step with the search.

A day is a row of ticks. A technician is simulated tick by tick with every choice open (wait, drive, eat, start a stop, head for the
job); what can be reached is what is feasible. One choice is left out because it never helps: not to drive although one could, since
one can as well wait at the other end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from domain.geo_point import GeoPoint
from domain.slots import Job, Stop, TechnicianDay
from domain.travel import TravelTimes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Oracle:
    """One working day, one job. All instants, durations and drives must be whole ticks.

    Args:
        tick: seconds.
    """

    day: TechnicianDay
    job: Job
    travel: TravelTimes
    now: datetime | None = None
    tick: int = 60

    def starts(self) -> dict[datetime, int]:
        """Every tick at which the job can start, with the least driving that it adds there, in seconds."""
        technician, job = self.day.technician, self.job
        if technician.home is None or job.point is None or not job.skills <= technician.skills:
            return {}
        if not technician.area.covers(job.point, job.postal_code) or not self.day.shifts:
            return {}
        found: dict[int, int] = {}
        for tick, gap in self._simulate() if self.keepable(lunch=False) else self._as_planned():
            added = self._added(gap)
            found[tick] = min(found.get(tick, added), added)
        return {EPOCH + timedelta(seconds=tick * self.tick): found[tick] * self.tick for tick in sorted(found)}

    def keepable(self, *, lunch: bool) -> bool:
        """Whether the day's own stops can be kept, with lunch or without."""
        fed = not (lunch and self._lunch_needed)
        drive = self._leg(self._node(-1), self._node(0))
        return not self._stops or self._can_finish(self._bounds[0], 0, drive, fed)

    # --- the day in ticks ------------------------------------------------------------------------------------------

    def _ticks(self, value: datetime | timedelta) -> int:
        seconds = (value - EPOCH if isinstance(value, datetime) else value).total_seconds()
        assert seconds % self.tick == 0, f"{value} is not whole ticks"
        return int(seconds // self.tick)

    @cached_property
    def _stops(self) -> list[Stop]:
        return sorted(self.day.stops, key=lambda stop: stop.start)

    @cached_property
    def _bounds(self) -> tuple[int, int]:
        return min(self._ticks(a) for a, _ in self.day.shifts), max(self._ticks(b) for _, b in self.day.shifts)

    @cached_property
    def _works(self) -> set[int]:
        works: set[int] = set()
        for start, end in self.day.shifts:
            works |= set(range(self._ticks(start), self._ticks(end)))
        for start, end in self.day.time_off:
            works -= set(range(self._ticks(start), self._ticks(end)))
        return works

    @cached_property
    def _now(self) -> int:
        return self._bounds[0] if self.now is None else self._ticks(self.now)

    @cached_property
    def _length(self) -> int:
        return self._ticks(self.job.duration)

    def _working(self, start: int, length: int) -> bool:
        return all(tick in self._works for tick in range(start, start + length))

    def _leg(self, origin: GeoPoint | None, destination: GeoPoint | None) -> int:
        if origin is None or destination is None:
            return 0
        seconds = self.travel.leg(origin, destination)
        assert seconds % self.tick == 0
        return seconds // self.tick

    def _node(self, index: int) -> GeoPoint | None:
        """-1 and the number of stops are home."""
        return self._stops[index].point if 0 <= index < len(self._stops) else self.day.technician.home

    def _added(self, gap: int) -> int:
        before, after = self._node(gap - 1), self._node(gap)
        direct = self._leg(before, after) if self._stops else 0
        return self._leg(before, self.job.point) + self._leg(self.job.point, after) - direct

    def _open_gap(self, gap: int) -> bool:
        return self._node(gap - 1) is not None and self._node(gap) is not None

    def _may_start(self, index: int, tick: int) -> bool:
        stop = self._stops[index]
        planned = self._ticks(stop.start)
        if tick == planned:
            return True
        if stop.fixed or stop.promised is None or not stop.promised[0] <= stop.start <= stop.promised[1]:
            return False
        in_promise = self._ticks(stop.promised[0]) <= tick <= self._ticks(stop.promised[1])
        drive = self._leg(self._node(index - 1), stop.point)
        passed = sum(1 for t in range(max(self._now, self._bounds[0]), tick) if t in self._works)
        return in_promise and (tick >= planned or (tick >= self._now and passed >= drive))

    def _stop_length(self, index: int) -> int:
        return self._ticks(self._stops[index].end) - self._ticks(self._stops[index].start)

    def _lunch_starts(self) -> set[int]:
        """Where lunch can be in working time."""
        lunch = self.day.lunch
        assert lunch is not None
        length = self._ticks(lunch.duration)
        last = self._ticks(lunch.latest) - length
        return {tick for tick in range(self._ticks(lunch.earliest), last + 1) if self._working(tick, length)}

    @cached_property
    def _lunch_length(self) -> int:
        return 0 if self.day.lunch is None else self._ticks(self.day.lunch.duration)

    @cached_property
    def _lunch_needed(self) -> bool:
        """Whether no pause or time off inside the day has room for lunch."""
        if self.day.lunch is None:
            return False
        start, end = self._bounds
        first = max(start, self._ticks(self.day.lunch.earliest))
        last = min(end, self._ticks(self.day.lunch.latest)) - self._lunch_length
        return not any(
            all(t not in self._works for t in range(tick, tick + self._lunch_length)) for tick in range(first, last + 1)
        )

    # --- days that can be kept ---------------------------------------------------------------------------------------

    @cached_property
    def _lunch_at(self) -> set[int]:
        return self._lunch_starts() if self._lunch_needed else set()

    @cached_property
    def _stop_at(self) -> list[set[int]]:
        start, end = self._bounds
        return [
            {t for t in range(start, end) if self._may_start(i, t) and self._working(t, self._stop_length(i))}
            for i in range(len(self._stops))
        ]

    @cached_property
    def _can_finish(self) -> "_Finish":
        return _Finish(self)

    def _simulate(self) -> Iterator[tuple[int, int]]:
        """(tick, gap) of every feasible start."""
        begin, end = self._bounds
        states: dict[int, set[tuple[int, bool, int, bool]]] = {t: set() for t in range(begin, end + 1)}
        states[begin] = self._leave(0, not self._lunch_needed)
        for tick in range(begin, end):
            for gap, for_job, drive, fed in states[tick]:
                ready = drive == 0
                may_start = for_job and ready and tick >= self._now and self._working(tick, self._length)
                onward = self._leg(self.job.point, self._node(gap))
                if may_start and self._can_finish(tick + self._length, gap, onward, fed):
                    yield tick, gap
                if not for_job and ready and gap < len(self._stops) and tick in self._stop_at[gap]:
                    states[tick + self._stop_length(gap)] |= self._leave(gap + 1, fed)
                if not fed and tick in self._lunch_at:
                    states[tick + self._lunch_length].add((gap, for_job, drive, True))
                moves = tick in self._works and (not for_job or tick >= self._now)
                states[tick + 1].add((gap, for_job, max(drive - 1, 0) if moves else drive, fed))

    def _leave(self, gap: int, fed: bool) -> set[tuple[int, bool, int, bool]]:
        before, after = self._node(gap - 1), self._node(gap)
        heading = {(gap, False, self._leg(before, after), fed)}
        if self._open_gap(gap):
            heading.add((gap, True, self._leg(before, self.job.point), fed))
        return heading

    # --- days that cannot --------------------------------------------------------------------------------------------

    def _as_planned(self) -> Iterator[tuple[int, int]]:
        begin, end = self._bounds
        busy = [(self._ticks(stop.start), self._ticks(stop.end)) for stop in self._stops]
        for tick in range(max(begin, self._now), end):
            after = tick + self._length
            gap = sum(1 for start, _ in busy if start < after)
            clear = all(e <= tick for _, e in busy[:gap])
            if not self._working(tick, self._length) or not clear or not self._open_gap(gap):
                continue
            if any(self._fits_as_planned(busy, gap, tick, lunch) for lunch in self._lunches_as_planned(busy, tick)):
                yield tick, gap

    def _lunches_as_planned(self, busy: list[tuple[int, int]], tick: int) -> Iterator[int | None]:
        if not self._lunch_needed:
            yield None
            return
        taken = [*busy, (tick, tick + self._length)]
        for lunch in sorted(self._lunch_at):
            if all(lunch + self._lunch_length <= start or end <= lunch for start, end in taken):
                yield lunch

    def _fits_as_planned(self, busy: list[tuple[int, int]], gap: int, tick: int, lunch: int | None) -> bool:
        begin, end = self._bounds
        eating = set() if lunch is None else set(range(lunch, lunch + self._lunch_length))
        left = busy[gap - 1][1] if gap else begin
        there = sum(1 for t in range(max(left, self._now), tick) if t in self._works and t not in eating)
        due = busy[gap][0] if gap < len(busy) else end
        back = sum(1 for t in range(tick + self._length, due) if t in self._works and t not in eating)
        if there < self._leg(self._node(gap - 1), self.job.point) or back < self._leg(self.job.point, self._node(gap)):
            return False
        if lunch is None or left <= lunch < due:
            return True
        # Lunch lies between two other stops: there the drive between them must remain possible.
        between = sum(1 for start, _ in busy if start < lunch)
        start = max((e for _, e in busy[:between]), default=begin)
        until = busy[between][0] if between < len(busy) else end
        free = sum(1 for t in range(start, until) if t in self._works and t not in eating)
        return free >= self._leg(self._node(between - 1), self._node(between))


class _Finish:
    """Whether a technician who heads for a stop can do it and all later ones, eat if need be, and be home in time."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        self._known = lru_cache(maxsize=None)(self._search)

    def __call__(self, tick: int, index: int, drive: int, fed: bool) -> bool:
        return self._known(tick, index, drive, fed)

    def _search(self, tick: int, index: int, drive: int, fed: bool) -> bool:
        day, last = self._oracle, len(self._oracle._stops)
        while tick <= day._bounds[1]:
            if drive == 0 and index == last and fed:
                return True
            if drive == 0 and index < last and tick in day._stop_at[index]:
                after = tick + day._stop_length(index)
                if self._known(after, index + 1, day._leg(day._node(index), day._node(index + 1)), fed):
                    return True
            if not fed and tick in day._lunch_at and self._known(tick + day._lunch_length, index, drive, True):
                return True
            drive -= 1 if drive and tick in day._works else 0
            tick += 1
        return False
