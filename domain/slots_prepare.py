"""Working days made ready for any number of searches: all that does not depend on the job.

Arrays have a row for each working day. Times in them are readings of the day's working clock, on which pauses take no time, so that
a drive is an addition. Node 0 is the home base, nodes 1 to n are the stops in order, node n + 1 is home again; gap g lies between
node g and node g + 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from domain.geo_point import Points, points_array
from domain.slots import Stop, Technician, TechnicianDay
from domain.slots_clock import Clocks, Flags, Lunches, Seconds
from domain.slots_pass import Stops, backward, forward, keepable
from domain.travel import TravelTimes
from domain.work_clock import EPOCH, ceil_second, working_spans


@dataclass(frozen=True, slots=True)
class Schedule:
    """What searches need; it stays valid as long as the days and `now` do.

    Args:
        technicians: each once; `owner` is the index into it for each day.
        count: stops of each day.
        nodes: days × nodes × 2, the places; NaN where one is not known, and beyond a day's last node.
        legs: seconds from each node to the next; 0 where either place is not known.
        now: reading at the present moment.
        possible: days with working time on which lunch, if any, fits.
        kept: days whose stops can be kept as they stand; on the others all of them stay as planned.
        ready, ready_fed: of each gap, as `domain.slots_pass.forward` tells.
        due, due_fed: of each gap, as `domain.slots_pass.backward` tells.
    """

    technicians: tuple[Technician, ...]
    owner: NDArray[np.intp]
    count: Seconds
    nodes: Points
    legs: Seconds
    clocks: Clocks
    lunches: Lunches
    now: Seconds
    possible: Flags
    kept: Flags
    ready: Seconds
    ready_fed: Seconds
    due: Seconds
    due_fed: Seconds

    def places(self) -> Points:
        """The known places between which and a job driving times will be asked, each once."""
        return np.unique(self.nodes[_known(self.nodes)], axis=0)


def required_legs(days: Sequence[TechnicianDay]) -> tuple[Points, Points]:
    """Origins and destinations of the drives that `prepare` will ask for, for engines that are asked beforehand."""
    nodes, count = _nodes(days, [_in_order(day.stops) for day in days])
    _, origins, destinations = _legs_between(nodes, count)
    return origins, destinations


def prepare(days: Sequence[TechnicianDay], travel: TravelTimes, now: datetime | None = None) -> Schedule:
    """Make working days ready for searches.

    Args:
        days: in any order, their stops too.
        travel: asked for the drives between neighbouring nodes.
        now: the present moment, before which nobody starts to drive to a new job; None when all days are in the future.
    """
    ordered = [_in_order(day.stops) for day in days]
    nodes, count = _nodes(days, ordered)
    legs = np.zeros((nodes.shape[0], nodes.shape[1] - 1), dtype=np.int64)
    between, origins, destinations = _legs_between(nodes, count)
    legs[between] = travel.legs(origins, destinations)
    spans = [working_spans(day.shifts, day.time_off) for day in days]
    clocks = Clocks.of(spans)
    lunches = Lunches.of(days, spans, clocks)
    present = clocks.at(np.full(len(days), 0 if now is None else ceil_second(now), dtype=np.int64))
    stops = _stops(ordered, count, clocks, legs, present)
    kept = keepable(clocks, stops)
    ready, ready_fed = forward(clocks, lunches, stops, kept)
    due, due_fed = backward(clocks, lunches, stops, kept)
    owners = {day.technician.id: day.technician for day in days}
    index = {technician_id: position for position, technician_id in enumerate(owners)}
    return Schedule(
        technicians=tuple(owners.values()),
        owner=np.array([index[day.technician.id] for day in days], dtype=np.intp),
        count=count,
        nodes=nodes,
        legs=legs,
        clocks=clocks,
        lunches=lunches,
        now=present,
        possible=lunches.possible & (clocks.total > 0),
        kept=kept,
        ready=ready,
        ready_fed=ready_fed,
        due=due,
        due_fed=due_fed,
    )


_START = attrgetter("start")


def _in_order(stops: Iterable[Stop]) -> list[Stop]:
    return sorted(stops, key=_START)


def _nodes(days: Sequence[TechnicianDay], ordered: Sequence[Sequence[Stop]]) -> tuple[Points, Seconds]:
    count = np.array([len(stops) for stops in ordered], dtype=np.int64)
    nodes = np.full((len(days), int(count.max(initial=0)) + 2, 2), np.nan)
    homes = points_array(day.technician.home for day in days)
    nodes[:, 0] = homes
    nodes[np.arange(len(days)), count + 1] = homes
    rows, columns = _positions(count)
    nodes[rows, columns + 1] = points_array(stop.point for stops in ordered for stop in stops)
    return nodes, count


def _positions(count: Seconds) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Row and column of each stop, one day after the other."""
    rows = np.repeat(np.arange(len(count)), count)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)


def _known(nodes: Points) -> Flags:
    return ~np.isnan(nodes[..., 0])


def _legs_between(nodes: Points, count: Seconds) -> tuple[Flags, Points, Points]:
    """Which legs lead from one known place to another, their origins and destinations."""
    known = _known(nodes)
    between = known[:, :-1] & known[:, 1:] & (count > 0)[:, None]
    return between, nodes[:, :-1][between], nodes[:, 1:][between]


def _stops(ordered: Sequence[Sequence[Stop]], count: Seconds, clocks: Clocks, legs: Seconds, now: Seconds) -> Stops:
    flat = [stop for stops in ordered for stop in stops]
    slides = np.array([not stop.fixed and _within_promise(stop) for stop in flat], dtype=np.bool_)
    begins = [stop.start for stop in flat]
    promises = [stop.promised or (stop.start, stop.start) for stop in flat]
    start, end = np.floor(_epoch(begins)), np.ceil(_epoch([stop.end for stop in flat]))
    earliest = np.ceil(_epoch([promise[0] for promise in promises]))
    latest = np.floor(_epoch([promise[1] for promise in promises]))
    rows, columns = _positions(count)

    def padded(values: NDArray[np.float64] | Flags) -> Seconds:
        array = np.zeros((len(count), legs.shape[1] - 1), dtype=np.int64)
        array[rows, columns] = values
        return array

    planned, fluid = clocks.at(padded(start)), padded(slides) == 1
    soonest = np.minimum(planned, now[:, None] + legs[:, :-1])
    return Stops(
        counts=count,
        start=planned,
        end=clocks.at(padded(end)),
        length=padded(end - start),
        first=np.where(fluid, np.maximum(clocks.at(padded(earliest)), soonest), planned),
        last=clocks.last_start(np.where(fluid, padded(latest), padded(start))),
        legs=legs,
    )


def _within_promise(stop: Stop) -> bool:
    return stop.promised is not None and stop.promised[0] <= stop.start <= stop.promised[1]


def _epoch(instants: Sequence[datetime]) -> NDArray[np.float64]:
    """Seconds since the epoch, exact to the microsecond."""
    return np.array([(instant - EPOCH).total_seconds() for instant in instants], dtype=np.float64)
