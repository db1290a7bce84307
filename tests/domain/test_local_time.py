"""Wall-clock rules against the zone database, on ordinary days and on those when the clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.local_time import (
    OpeningHours,
    at_local,
    check_zone,
    format_local_time,
    hours_from_json,
    hours_to_json,
    is_ambiguous,
    is_nonexistent,
    is_open,
    local_date,
    local_day,
    open_intervals,
    parse_local_time,
    to_utc,
)

CHICAGO, LORD_HOWE, LONDON = "America/Chicago", "Australia/Lord_Howe", "Europe/London"
SPRING, AUTUMN = date(2026, 3, 8), date(2026, 11, 1)  # Chicago


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def hours(day: date, opens: str, closes: str) -> OpeningHours:
    return OpeningHours(day.weekday(), parse_local_time(opens), parse_local_time(closes))


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("08:05", 485), ("23:59", 1439), ("24:00", 1440)])
def test_local_time_reads_and_writes(text: str, minutes: int) -> None:
    assert parse_local_time(text) == minutes
    assert format_local_time(minutes) == text


@pytest.mark.parametrize(
    "text", ["", "8:00", "08:60", "24:01", "25:00", "08:00:00", " 08:00", "08:00\n", "-1:00", "٠٨:٠٠"]
)
def test_local_time_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"local time|between 00:00"):
        parse_local_time(text)


@pytest.mark.parametrize("minutes", [-1, 1441])
def test_minutes_outside_a_day_are_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="not a time of a day"):
        format_local_time(minutes)
    with pytest.raises(ValueError, match="not a time of a day"):
        at_local(SPRING, minutes, CHICAGO)


@pytest.mark.parametrize(
    ("weekday", "opens", "closes"), [(7, 0, 60), (-1, 0, 60), (0, 1440, 60), (0, -1, 60), (0, 0, 1441), (0, 480, 480)]
)
def test_impossible_hours_are_refused(weekday: int, opens: int, closes: int) -> None:
    with pytest.raises(ValueError, match=r"weekday|time"):
        OpeningHours(weekday, opens, closes)


def test_hours_survive_their_stored_form() -> None:
    stored = [{"weekday": 0, "opens": "08:00", "closes": "17:00"}, {"weekday": 4, "opens": "22:00", "closes": "06:00"}]
    assert hours_to_json(hours_from_json(list(reversed(stored)))) == stored


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        "x",
        [1],
        [{}],
        [{"weekday": "0", "opens": "08:00", "closes": "17:00"}],
        [{"weekday": True, "opens": "08:00", "closes": "17:00"}],
        [{"weekday": 0, "opens": 480, "closes": "17:00"}],
    ],
)
def test_stored_hours_of_another_shape_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"list|object with"):
        hours_from_json(value)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Nowhere",
        "America",
        "America/../UTC",
        "/etc/passwd",
        "right/UTC",
        "localtime",
        "a\0b",
        "x" * 5000,
        "\ud800",
        "tzdata.zi",
    ],
)
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not an IANA time zone"):
        check_zone(name)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (CHICAGO, SPRING, 23),
        (CHICAGO, SPRING + timedelta(days=1), 24),
        (CHICAGO, AUTUMN, 25),
        (LORD_HOWE, date(2026, 10, 4), 23.5),
        (LORD_HOWE, date(2026, 4, 5), 24.5),
        ("America/Havana", date(2026, 3, 8), 23),  # midnight itself is skipped
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # the hour before midnight comes twice
        ("Pacific/Apia", date(2011, 12, 30), 0),  # the date line moved: that day never was
        ("UTC", SPRING, 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_says(zone: str, day: date, length: float) -> None:
    start, end = local_day(day, zone)
    assert end - start == timedelta(hours=length)
    assert local_day(day + timedelta(days=1), zone)[0] == end


def test_skipped_readings_become_the_end_of_the_gap() -> None:
    assert is_nonexistent(wall("2026-03-08T02:30"), CHICAGO)
    assert not is_nonexistent(wall("2026-03-08T03:00"), CHICAGO)
    assert not is_nonexistent(wall("2026-11-01T01:30"), CHICAGO)
    for reading in ("02:00", "02:30", "02:59", "03:00"):
        assert to_utc(wall(f"2026-03-08T{reading}"), CHICAGO) == utc("2026-03-08T08:00")
    assert to_utc(wall("2026-10-04T02:15"), LORD_HOWE) == utc("2026-10-03T15:30")
    assert to_utc(wall("2026-03-29T01:59:59.500000"), LONDON) == utc("2026-03-29T01:00")


def test_repeated_readings_become_their_first_occurrence() -> None:
    assert is_ambiguous(wall("2026-11-01T01:30"), CHICAGO)
    assert not is_ambiguous(wall("2026-11-01T02:00"), CHICAGO)
    assert not is_ambiguous(wall("2026-03-08T02:30"), CHICAGO)
    assert to_utc(wall("2026-11-01T01:30").replace(fold=1), CHICAGO) == utc("2026-11-01T06:30")
    assert to_utc(wall("2026-11-01T02:00"), CHICAGO) == utc("2026-11-01T08:00")


@given(
    zone=st.sampled_from([CHICAGO, LONDON, LORD_HOWE, "America/Havana", "Asia/Tokyo"]),
    day=st.sampled_from([SPRING, AUTUMN, date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5), date(2026, 10, 4)]),
    first=st.integers(0, 1440),
    second=st.integers(0, 1440),
)
def test_the_map_never_runs_backwards_and_shows_what_it_says(zone: str, day: date, first: int, second: int) -> None:
    early, late = sorted((first, second))
    instants = at_local(day, early, zone), at_local(day, late, zone)
    assert instants[0] <= instants[1]
    for minutes, instant in zip((early, late), instants, strict=True):
        reading = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
        shown = instant.astimezone(check_zone(zone)).replace(tzinfo=None)
        before = (instant - timedelta(seconds=1)).astimezone(check_zone(zone)).replace(tzinfo=None)
        assert shown == reading or (is_nonexistent(reading, zone) and before < reading < shown)


def test_shifts_on_both_change_days() -> None:
    assert open_intervals(SPRING, CHICAGO, [hours(SPRING, "01:00", "04:00")]) == [
        (utc("2026-03-08T07:00"), utc("2026-03-08T09:00"))
    ]
    assert open_intervals(AUTUMN, CHICAGO, [hours(AUTUMN, "00:00", "24:00")]) == [
        (utc("2026-11-01T05:00"), utc("2026-11-02T06:00"))
    ]
    assert open_intervals(AUTUMN, CHICAGO, [hours(AUTUMN, "01:15", "01:45")]) == [
        (utc("2026-11-01T06:15"), utc("2026-11-01T06:45"))
    ]


def test_a_shift_inside_the_gap_does_not_take_place() -> None:
    assert open_intervals(SPRING, CHICAGO, [hours(SPRING, "02:10", "02:50")]) == []


def test_overnight_shifts_end_on_the_next_local_day() -> None:
    eve = SPRING - timedelta(days=1)
    shift = hours(eve, "22:00", "06:00")
    assert open_intervals(eve, CHICAGO, [shift]) == [(utc("2026-03-08T04:00"), utc("2026-03-08T11:00"))]
    assert open_intervals(SPRING, CHICAGO, [shift]) == []
    for closes in ("00:00", "24:00"):
        assert open_intervals(eve, CHICAGO, [hours(eve, "22:00", closes)])[0][1] == utc("2026-03-08T06:00")
    assert is_open(utc("2026-03-08T10:59"), CHICAGO, [shift])
    assert not is_open(utc("2026-03-08T11:00"), CHICAGO, [shift])
    assert not is_open(utc("2026-03-07T10:59"), CHICAGO, [shift])


def test_spans_of_a_day_come_joined_and_in_order() -> None:
    day = date(2026, 6, 1)
    spans = [
        hours(day, a, b) for a, b in [("13:00", "17:00"), ("08:00", "12:00"), ("12:00", "12:30"), ("09:00", "10:00")]
    ]
    assert open_intervals(day, "UTC", spans) == [
        (utc("2026-06-01T08:00"), utc("2026-06-01T12:30")),
        (utc("2026-06-01T13:00"), utc("2026-06-01T17:00")),
    ]


def test_one_instant_three_zones() -> None:
    instant = utc("2026-03-08T06:30")
    assert [local_date(instant, zone) for zone in (CHICAGO, "Asia/Tokyo", "Pacific/Honolulu")] == [
        date(2026, 3, 8),
        date(2026, 3, 8),
        date(2026, 3, 7),
    ]
    with pytest.raises(ValueError, match="needs a time zone"):
        local_date(instant.replace(tzinfo=None), CHICAGO)
