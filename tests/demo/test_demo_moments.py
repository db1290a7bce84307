"""The demo's two weeks, made at many moments: all states occur, and every technician's day can be driven."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest

from domain.appointment import AppointmentStatus
from domain.geo_point import GeoPoint
from domain.local_time import local_date, parse_local_time
from domain.slots import Stop, Technician
from domain.slots_day import LunchRule, Roster, working_days
from domain.slots_prepare import prepare
from domain.travel import GreatCircleTravel
from domain.work_clock import ceil_second, floor_second, working_spans
from resolvers.demo_calendar import HOURS, plan_visits, time_off
from resolvers.demo_customers import DemoCustomer, demo_customers
from resolvers.demo_data.team import TECHNICIANS, TIME_ZONE
from resolvers.demo_pool import Visit
from resolvers.demo_progress import times
from tests.demo.conftest import NOW

# Every 5 h 17 min of a week that begins on a Sunday, changes of shift, and both nights in which clocks change.
MOMENTS = [
    *(datetime(2026, 11, 22, 6, tzinfo=UTC) + timedelta(minutes=317 * step) for step in range(32)),
    *(datetime(2026, 11, 27, hour, minute, tzinfo=UTC) for hour, minute in product((12, 14, 23), (29, 31, 59))),
    *(datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6, 7, 8, 13)),
    *(datetime(2027, 3, 14, hour, 30, tzinfo=UTC) for hour in (6, 7, 8, 9, 13)),
]


@pytest.mark.parametrize("now", MOMENTS, ids=lambda moment: f"{moment:%Y-%m-%d-%H%M}")
def test_at_every_moment_all_states_occur_and_every_day_can_be_driven(now: datetime) -> None:
    customers = demo_customers()
    visits = plan_visits(now, customers)
    assert {visit.status for visit in visits} == set(AppointmentStatus)
    assert any(visit.technician is None and visit.starts_at and visit.starts_at > now for visit in visits)
    today = local_date(now, TIME_ZONE)
    days = [
        day
        for index in range(len(TECHNICIANS))
        for day in working_days(roster(index, visits, customers, today), today - timedelta(days=7), 15)
    ]
    for day in days:
        spans = working_spans(day.shifts, day.time_off)
        for stop in day.stops:
            assert any(start <= floor_second(stop.start) and ceil_second(stop.end) <= end for start, end in spans)
    # By the rules of the slot search: the drives from home, between visits and back, and the promises.
    assert prepare(days, GreatCircleTravel()).kept.all()


def test_the_same_moment_gives_the_same_business() -> None:
    customers = demo_customers()
    assert customers == demo_customers()
    assert plan_visits(NOW, customers) == plan_visits(NOW, demo_customers())


def roster(index: int, visits: Sequence[Visit], customers: Sequence[DemoCustomer], today: date) -> Roster:
    """A technician as the slot search sees one."""
    technician = TECHNICIANS[index]
    rule = None
    if lunch := technician.lunch:
        rule = LunchRule(lunch.duration_minutes, parse_local_time(lunch.earliest), parse_local_time(lunch.latest))
    home = GeoPoint(technician.home.latitude, technician.home.longitude)
    return Roster(
        technician=Technician(uuid4(), technician.skills, home),
        zone=TIME_ZONE,
        hours=HOURS[index],
        lunch=rule,
        time_off=tuple(span for who, span, _ in time_off(today) if who == index),
        stops=tuple(
            stop(visit, customers)
            for visit in visits
            if visit.technician == index and visit.status is not AppointmentStatus.CANCELLED
        ),
    )


def stop(visit: Visit, customers: Sequence[DemoCustomer]) -> Stop:
    starts_at, ends_at, _ = times(visit)
    place = customers[visit.customer].addresses[visit.address].point
    return Stop(uuid4(), GeoPoint(place.latitude, place.longitude), starts_at, ends_at, visit.arrival)
