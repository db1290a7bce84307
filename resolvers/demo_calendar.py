"""The demo's two weeks: who works when, what they were asked to do, and what waits for somebody to be sent."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product
from random import Random

from domain.appointment import AppointmentStatus
from domain.hours import stored_hours
from domain.local_time import (
    Interval,
    at_local,
    hours_from_json,
    local_date,
    merge_intervals,
    open_intervals,
    parse_local_time,
)
from resolvers.demo_customers import DemoCustomer
from resolvers.demo_data.team import LOCATIONS, TECHNICIANS, TIME_ZONE, DemoTechnician
from resolvers.demo_pool import Pool, Visit
from resolvers.demo_progress import progress, times
from resolvers.demo_queue import requests, unassigned
from resolvers.demo_route import EPOCH, Lunch, Route

DAYS_BACK, DAYS_AHEAD = 7, 7
HOURS = [hours_from_json(stored_hours(technician.hours)) for technician in TECHNICIANS]
# A visit before this is over when somebody is at work now, or drives.
BEFORE_WORK, BEFORE_DRIVE = timedelta(minutes=60), timedelta(minutes=12)
IDLE, IDLE_MORE_A_DAY = 0.12, 0.09
# Of past visits every so many'th was called off, or nobody was at home; of those ahead, called off.
CANCELLED_PAST, NO_SHOW_PAST, CANCELLED_AHEAD = 15, 23, 13
OPENS = parse_local_time("07:00")
HALF_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)


def plan_visits(now: datetime, customers: Sequence[DemoCustomer]) -> list[Visit]:
    """Two weeks of visits around a moment; always the same for the same moment.

    Raises:
        ValueError: `now` is naive.
    """
    rng = Random("calendar")  # noqa: S311 (a made-up calendar, not secrets)
    pool = Pool(rng, customers)
    today = local_date(now, TIME_ZONE)
    days = [today + timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1)]
    routes = [route for day in days for route in _routes(rng, pool, today, day)]
    _catch_in_the_act(routes, now)
    for route in routes:
        if route.on_call:
            route.answer_calls(min(now, route.span[1]))
        else:
            ahead = max((local_date(route.span[0], TIME_ZONE) - today).days, 0)
            route.fill(route.span[1], idle=IDLE + IDLE_MORE_A_DAY * ahead, home=True)
    visits = sorted((visit for route in routes for visit in route.visits), key=times)
    _call_some_off(visits, now)
    for index in range(len(TECHNICIANS)):
        progress(rng, [visit for visit in visits if visit.technician == index], now)
    for visit in visits:
        visit.arrival = _promise(rng, visit)
    return [*visits, *unassigned(rng, pool, now, today), *requests(rng, pool, today)]


def time_off(today: date) -> Iterator[tuple[int, Interval, str]]:
    """When technicians are away: (technician, span in UTC, reason). A single day is one on which they would work."""
    for index, technician in enumerate(TECHNICIANS):
        for first, last, opens, closes, reason in technician.away:
            day, until = today + timedelta(days=first), today + timedelta(days=last)
            while first == last and all(span.weekday != day.weekday() for span in HOURS[index]):
                day = until = day + timedelta(days=1 if first > 0 else -1)
            start = at_local(day, parse_local_time(opens), TIME_ZONE)
            yield index, (start, at_local(until, parse_local_time(closes), TIME_ZONE)), reason


def _routes(rng: Random, pool: Pool, today: date, day: date) -> Iterator[Route]:
    away = list(time_off(today))
    for index, technician in enumerate(TECHNICIANS):
        lunch = _lunch(technician, day)
        for hours in HOURS[index]:
            spans = open_intervals(day, TIME_ZONE, [hours])
            for span in _without(spans, [off for who, off, _ in away if who == index]):
                # A night on call is the span that ends on the next morning.
                yield Route(rng, pool, index, technician, span, hours.overnight, _within(span, lunch))


def _without(spans: Sequence[Interval], away: Sequence[Interval]) -> list[Interval]:
    parts = list(spans)
    for off_start, off_end in merge_intervals(away):
        parts = [
            part
            for start, end in parts
            for part in ((start, min(end, off_start)), (max(start, off_end), end))
            if part[0] < part[1]
        ]
    return parts


def _lunch(technician: DemoTechnician, day: date) -> Lunch | None:
    if technician.lunch is None:
        return None
    earliest, latest = (
        at_local(day, parse_local_time(text), TIME_ZONE)
        for text in (technician.lunch.earliest, technician.lunch.latest)
    )
    return Lunch(timedelta(minutes=technician.lunch.duration_minutes), earliest, latest)


def _within(span: Interval, lunch: Lunch | None) -> Lunch | None:
    if lunch is None or min(span[1], lunch.latest) - max(span[0], lunch.earliest) < lunch.length:
        return None
    return replace(lunch, latest=min(span[1], lunch.latest))


def _catch_in_the_act(routes: list[Route], now: datetime) -> None:
    """Let one technician be at work now and another on the way, whatever the hour."""
    # Who has the least time left can still be at work, who has the most can still drive somewhere.
    present = sorted(
        (route for route in routes if route.span[0] < now < route.span[1]), key=lambda route: route.span[1]
    )
    pairs = [(one, other) for one in present for other in reversed(present) if one.index != other.index]
    for strict, (one, other) in product((True, False), pairs):
        worker, driver = one.attempt(strict=strict), other.attempt(strict=strict)
        if _up_to(worker, now - BEFORE_WORK).work_at(now) and _up_to(driver, now - BEFORE_DRIVE).drive_at(now):
            routes[routes.index(one)], routes[routes.index(other)] = worker, driver
            return


def _up_to(route: Route, until: datetime) -> Route:
    if route.on_call:
        route.answer_calls(until)
    else:
        route.fill(until, idle=IDLE, home=False)
    return route


def _call_some_off(visits: Sequence[Visit], now: datetime) -> None:
    """Cancel some, and let nobody be at home for some that are over."""
    planned = [visit for visit in visits if not visit.emergency]
    past = [visit for visit in planned if times(visit)[1] < now]
    for number, visit in enumerate(past):
        if number % CANCELLED_PAST == CANCELLED_PAST // 2:
            visit.status = AppointmentStatus.CANCELLED
        elif number % NO_SHOW_PAST == NO_SHOW_PAST // 2:
            visit.status = AppointmentStatus.NO_SHOW
    ahead = [visit for visit in planned if times(visit)[0] > now + timedelta(days=1)]
    for visit in ahead[CANCELLED_AHEAD // 2 :: CANCELLED_AHEAD]:
        visit.status = AppointmentStatus.CANCELLED


def _promise(rng: Random, visit: Visit) -> Interval:
    """The window that the customer was promised: it holds the planned start, and begins no earlier than the day's work."""
    starts_at = times(visit)[0]
    if visit.emergency:
        return starts_at, starts_at + HOUR
    on_the_half_hour = starts_at - (starts_at - EPOCH) % HALF_HOUR
    opens = at_local(local_date(starts_at, TIME_ZONE), OPENS, TIME_ZONE)
    wished = on_the_half_hour - rng.choice((0 * HOUR, HALF_HOUR, HOUR))
    first = max(wished, min(opens, on_the_half_hour))
    return first, first + timedelta(minutes=LOCATIONS[visit.north].arrival_window_minutes)
