"""Arrival windows and working days out of weekly rules: clock changes, zones, nights, closures and notice."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.geo_point import GeoPoint
from domain.local_time import Interval, OpeningHours, parse_local_time
from domain.slots import Job, Obstacle, Stop, Technician
from domain.slots_day import LunchRule, Roster, working_days
from domain.slots_prepare import prepare
from domain.slots_search import offered_windows
from domain.slots_windows import WindowRule, candidate_windows, whole_day
from domain.travel import GreatCircleTravel

CHICAGO = "America/Chicago"
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HERE = GeoPoint(30.2672, -97.7431)


def daily(opens: str, closes: str) -> tuple[OpeningHours, ...]:
    return tuple(OpeningHours(day, parse_local_time(opens), parse_local_time(closes)) for day in range(7))


def local(windows: tuple[Interval, ...], zone: str = CHICAGO) -> list[str]:
    info = ZoneInfo(zone)
    return [f"{start.astimezone(info):%d %H:%M}-{end.astimezone(info):%H:%M}" for start, end in windows]


def roster(opens: str, closes: str, zone: str = CHICAGO, lunch: LunchRule | None = None) -> Roster:
    return Roster(Technician(UUID(int=1), frozenset(), HERE), zone, daily(opens, closes), lunch)


def test_windows_follow_the_clock_on_the_wall_on_both_change_days() -> None:
    rule = WindowRule(CHICAGO, daily("08:00", "17:00"), 120)
    for day in (SPRING, AUTUMN, date(2026, 6, 1)):
        cut = candidate_windows(rule, day, 1, LONG_AGO)
        assert local(cut.windows) == [f"{day:%d} {h:02d}:00-{h + 2:02d}:00" for h in (8, 10, 12, 14)]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (SPRING, [("00:00-01:00", 1), ("01:00-03:00", 1), ("03:00-04:00", 1), ("04:00-05:00", 1)]),
        (AUTUMN, [("00:00-01:00", 1), ("01:00-02:00", 2), ("02:00-03:00", 1), ("03:00-04:00", 1), ("04:00-05:00", 1)]),
    ],
)
def test_windows_around_the_change_itself(day: date, hours: list[tuple[str, float]]) -> None:
    cut = candidate_windows(WindowRule(CHICAGO, daily("00:00", "05:00"), 60), day, 1, LONG_AGO).windows
    assert local(cut) == [f"{day:%d} {text}" for text, _ in hours]
    assert [(end - start) / timedelta(hours=1) for start, end in cut] == [length for _, length in hours]


def test_overnight_hours_run_into_the_next_date() -> None:
    night = (OpeningHours(6, parse_local_time("22:00"), parse_local_time("06:00")),)
    cut = candidate_windows(WindowRule(CHICAGO, night, 120), SPRING - timedelta(days=1), 3, LONG_AGO)
    assert local(cut.windows) == ["08 22:00-00:00", "09 00:00-02:00", "09 02:00-04:00", "09 04:00-06:00"]


def test_steps_may_be_shorter_than_windows_and_hours_may_touch() -> None:
    hours = (OpeningHours(0, 480, 600), OpeningHours(0, 600, 690))
    cut = candidate_windows(WindowRule("UTC", hours, 120, step=30), date(2026, 6, 1), 1, LONG_AGO)
    assert local(cut.windows, "UTC") == ["01 08:00-10:00", "01 08:30-10:30", "01 09:00-11:00", "01 09:30-11:30"]


def test_hours_of_two_days_that_overlap_give_each_window_once() -> None:
    cut = candidate_windows(WindowRule("UTC", daily("12:00", "11:00"), 60), date(2026, 6, 1), 2, LONG_AGO).windows
    starts, ends = zip(*cut, strict=True)
    assert list(starts) == sorted(set(starts))
    assert list(ends) == sorted(set(ends))


def test_notice_and_closures_and_why_nothing_is_left() -> None:
    day, rule = date(2026, 6, 1), WindowRule("UTC", daily("08:00", "12:00"), 120, notice=60)
    at = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
    assert local(candidate_windows(rule, day, 1, at).windows, "UTC") == ["01 10:00-12:00"]
    late = candidate_windows(rule, day, 1, at + timedelta(seconds=1))
    assert late == ((), Obstacle.NOTICE)
    closed = WindowRule("UTC", daily("08:00", "12:00"), 120, closures=frozenset({day}))
    assert candidate_windows(closed, day, 1, LONG_AGO) == ((), Obstacle.OUTSIDE_HOURS)
    assert len(candidate_windows(closed, day, 2, LONG_AGO).windows) == 2
    assert candidate_windows(WindowRule("UTC", (), 120), day, 14, LONG_AGO) == ((), Obstacle.OUTSIDE_HOURS)
    assert candidate_windows(rule, day, 0, LONG_AGO) == ((), Obstacle.OUTSIDE_HOURS)


@pytest.mark.parametrize(("length", "step", "notice"), [(0, None, 0), (60, 0, 0), (60, None, -1)])
def test_impossible_rules_are_refused(length: int, step: int | None, notice: int) -> None:
    with pytest.raises(ValueError, match="windows need"):
        WindowRule("UTC", (), length, step, notice)


def test_what_is_left_of_a_day() -> None:
    start = datetime(2026, 3, 8, 6, tzinfo=UTC)
    end = datetime(2026, 3, 9, 4, 59, 59, tzinfo=UTC)
    assert whole_day(SPRING, CHICAGO, LONG_AGO).windows == ((start, end),)
    noon = datetime(2026, 3, 8, 17, tzinfo=UTC)
    assert whole_day(SPRING, CHICAGO, noon).windows == ((noon, end),)
    assert whole_day(SPRING, CHICAGO, end + timedelta(seconds=1)) == ((), Obstacle.NOTICE)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 7), (AUTUMN, 9), (date(2026, 6, 1), 8)])
def test_a_night_shift_is_as_long_as_the_night(day: date, hours: int) -> None:
    (made,) = working_days(roster("22:00", "06:00"), day - timedelta(days=1), 1)
    assert made.day == day - timedelta(days=1)
    assert [end - start for start, end in made.shifts] == [timedelta(hours=hours)]


def test_lunch_of_a_night_shift_belongs_to_the_morning_after() -> None:
    lunch = LunchRule(30, parse_local_time("02:30"), parse_local_time("04:00"))
    (spring,) = working_days(roster("22:00", "06:00", lunch=lunch), SPRING - timedelta(days=1), 1)
    assert spring.lunch is not None
    assert spring.lunch.earliest == datetime(2026, 3, 8, 8, tzinfo=UTC)  # 02:30 is skipped: 03:00
    assert spring.lunch.latest == datetime(2026, 3, 8, 9, tzinfo=UTC)
    (day,) = working_days(roster("08:00", "17:00", lunch=LunchRule(30, 690, 810)), SPRING, 1)
    assert day.lunch is not None
    assert day.lunch.earliest == datetime(2026, 3, 8, 16, 30, tzinfo=UTC)
    across = LunchRule(30, parse_local_time("23:30"), parse_local_time("01:00"))
    (late,) = working_days(roster("22:00", "06:00", lunch=across), date(2026, 6, 1), 1)
    assert late.lunch is not None
    assert late.lunch.latest - late.lunch.earliest == timedelta(minutes=90)


def test_stops_find_the_working_day_that_they_overlap() -> None:
    nights = roster("22:00", "06:00")
    zone = ZoneInfo(CHICAGO)

    def stop(number: int, day: int, hour: int) -> Stop:
        start = datetime(2026, 6, day, hour, tzinfo=zone)
        return Stop(UUID(int=number), HERE, start, start + timedelta(hours=1))

    stops = (stop(1, 1, 23), stop(2, 2, 1), stop(3, 2, 12), stop(4, 3, 5), stop(5, 9, 1))
    made = working_days(Roster(nights.technician, CHICAGO, nights.hours, stops=stops), date(2026, 6, 1), 2)
    assert [[s.id.int for s in day.stops] for day in made] == [[1, 2], [3, 4]]


def test_closures_and_time_off_reach_the_day() -> None:
    day = date(2026, 6, 1)
    off = (datetime(2026, 6, 2, 15, tzinfo=UTC), datetime(2026, 6, 2, 16, tzinfo=UTC))
    base = roster("08:00", "17:00", lunch=LunchRule(30, 690, 810))
    made = working_days(
        Roster(base.technician, CHICAGO, base.hours, base.lunch, frozenset({day}), time_off=(off,)), day, 3
    )
    assert [len(d.shifts) for d in made] == [0, 1, 1]
    assert [d.time_off for d in made] == [(), (off,), ()]
    assert made[0].lunch is None


def test_three_zones_at_once_on_a_change_day() -> None:
    """Technicians of three locations, one of which changes its clock: each works 08:00 to 10:00 of its own zone."""
    zones = {1: CHICAGO, 2: "America/Phoenix", 3: "Asia/Tokyo"}
    days = [
        day
        for number, zone in zones.items()
        for day in working_days(
            Roster(Technician(UUID(int=number), frozenset(), HERE), zone, daily("08:00", "10:00")), SPRING, 1
        )
    ]
    start = datetime(2026, 3, 7, 12, tzinfo=UTC)
    windows = [(start + timedelta(hours=hour),) * 2 for hour in range(48)]
    offered = offered_windows(
        prepare(days, GreatCircleTravel()), Job(HERE, timedelta(hours=1)), windows, GreatCircleTravel()
    )
    assert [(w.window[0].isoformat(), [c.technician_id.int for c in w.candidates]) for w in offered] == [
        ("2026-03-07T23:00:00+00:00", [3]),
        ("2026-03-08T00:00:00+00:00", [3]),
        ("2026-03-08T13:00:00+00:00", [1]),
        ("2026-03-08T14:00:00+00:00", [1]),
        ("2026-03-08T15:00:00+00:00", [2]),
        ("2026-03-08T16:00:00+00:00", [2]),
    ]
