"""Local wall-clock rules: opening hours, shifts and days of a time zone turned into instants in UTC.

One map, `to_utc`, leads from a wall-clock reading to an instant; everything here is built on it. It names the first instant at
which the clock on the wall shows that reading or a later one:

- A reading that a spring gap skips (02:30, when 02:00 jumps to 03:00) becomes the end of the gap, for openings and closings
  alike: who opens at 02:30 is open when the clock shows 03:00, and a shift that lies wholly in the gap does not take place.
- A reading that autumn repeats becomes its first occurrence, for openings and closings alike. A closing is therefore never
  later than a technician who reads the clock would leave, and shifts that meet on the clock meet in time without overlapping.

The map never runs backwards, and days are found by mapping two midnights: a day has 23, 24 or 25 hours as the zone says.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LocalTime: TypeAlias = int
"""Minutes since local midnight by the clock on the wall, 0..1440; 1440 is written 24:00 and ends a day."""

Interval: TypeAlias = tuple[datetime, datetime]
"""Half-open span of aware UTC datetimes: the start belongs to it, the end does not."""

END_OF_DAY: LocalTime = 1440
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})", re.ASCII)
_NOT_PLACES = ("right/", "posix/")


def parse_local_time(text: str) -> LocalTime:
    """Minutes since local midnight of 'HH:MM', 00:00 to 24:00.

    Raises:
        ValueError: the text is not of that form or names no time of a day.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a local time of the form HH:MM")
    hour, minute = int(match[1]), int(match[2])
    if minute > 59 or hour * 60 + minute > END_OF_DAY:
        raise ValueError(f"{text!r} is not a time between 00:00 and 24:00")
    return hour * 60 + minute


def format_local_time(minutes: LocalTime) -> str:
    """'HH:MM' of minutes since local midnight, the inverse of `parse_local_time`.

    Raises:
        ValueError: the minutes are not in 0..1440.
    """
    if not 0 <= minutes <= END_OF_DAY:
        raise ValueError(f"{minutes} minutes is not a time of a day")
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True, order=True)
class OpeningHours:
    """One span of a week, in local wall time; it belongs to the weekday on which it opens (0 is Monday).

    Closing at or before the opening time means the next day: 22:00 to 06:00 is an overnight shift. 24:00 and, after a later
    opening, 00:00 both close at the day's end.

    Raises:
        ValueError: the weekday or a time is out of range, or both times are equal.
    """

    weekday: int
    opens: LocalTime
    closes: LocalTime

    def __post_init__(self) -> None:
        if not 0 <= self.weekday <= 6:
            raise ValueError(f"weekday {self.weekday} is not in 0 (Monday) to 6 (Sunday)")
        if not 0 <= self.opens < END_OF_DAY:
            raise ValueError("opening time must be between 00:00 and 23:59")
        if not 0 <= self.closes <= END_OF_DAY:
            raise ValueError("closing time must be between 00:00 and 24:00")
        if self.opens == self.closes:
            raise ValueError("opening and closing time are equal; write 00:00 to 24:00 for a whole day")

    @property
    def overnight(self) -> bool:
        """Whether it closes on the local day after the one on which it opens."""
        return self.closes < self.opens


def hours_to_json(hours: Iterable[OpeningHours]) -> list[dict[str, int | str]]:
    """The form that is stored: [{"weekday": 0, "opens": "08:00", "closes": "17:00"}], ordered by weekday and opening."""
    return [
        {"weekday": span.weekday, "opens": format_local_time(span.opens), "closes": format_local_time(span.closes)}
        for span in sorted(hours)
    ]


def hours_from_json(value: object) -> tuple[OpeningHours, ...]:
    """Opening hours of their stored form, ordered by weekday and opening.

    Raises:
        ValueError: the value has another shape or holds a span that `OpeningHours` refuses.
    """
    if not isinstance(value, list):
        raise ValueError("opening hours must be a list")  # noqa: TRY004 - one error type for a bad document
    return tuple(sorted(_span_from_json(item) for item in value))


def _span_from_json(item: object) -> OpeningHours:
    match item:
        case {"weekday": int(weekday), "opens": str(opens), "closes": str(closes)} if not isinstance(weekday, bool):
            return OpeningHours(weekday, parse_local_time(opens), parse_local_time(closes))
    raise ValueError(f"{item!r} is not an object with weekday, opens and closes")


@lru_cache(maxsize=1024)
def check_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        ValueError: there is no such zone. The leap-second copies (right/…) and the host's own localtime are no places.
    """
    if name.startswith(_NOT_PLACES) or name in {"localtime", "posixrules", "Factory"}:
        raise ValueError(f"{name!r} is not an IANA time zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone") from error


def is_nonexistent(naive: datetime, zone: str) -> bool:
    """Whether the zone's clock skips that local reading (naive datetime).

    Raises:
        ValueError: unknown zone.
    """
    return _skipped(naive.replace(tzinfo=None, fold=0), check_zone(zone))


def is_ambiguous(naive: datetime, zone: str) -> bool:
    """Whether the zone's clock shows that local reading (naive datetime) twice.

    Raises:
        ValueError: unknown zone.
    """
    info = check_zone(zone)
    first, second = (naive.replace(tzinfo=info, fold=fold) for fold in (0, 1))
    return first.utcoffset() != second.utcoffset() and not is_nonexistent(naive, zone)


def _skipped(naive: datetime, info: ZoneInfo) -> bool:
    back = naive.replace(tzinfo=info).astimezone(UTC).astimezone(info)
    return back.replace(tzinfo=None, fold=0) != naive


def to_utc(naive: datetime, zone: str) -> datetime:
    """The first instant (UTC) at which the zone's clock shows that local reading or, where it skips it, a later one.

    Raises:
        ValueError: unknown zone.
    """
    info = check_zone(zone)
    naive = naive.replace(tzinfo=None, fold=0)
    if not _skipped(naive, info):
        return naive.replace(tzinfo=info).astimezone(UTC)
    # In a gap, fold=1 reads the clock with the offset after it and so lands before it; fold=0 lands behind it.
    before = naive.replace(tzinfo=info, fold=1).astimezone(UTC)
    after = naive.replace(tzinfo=info, fold=0).astimezone(UTC)
    offset_after = after.astimezone(info).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(info).utcoffset() == offset_after:
            after = middle
        else:
            before = middle
    return after.replace(microsecond=0)


def at_local(day: date, minutes: LocalTime, zone: str) -> datetime:
    """The instant (UTC) of a local time on a local date; 1440 is the next date's midnight.

    Raises:
        ValueError: unknown zone, or minutes outside 0..1440.
    """
    if not 0 <= minutes <= END_OF_DAY:
        raise ValueError(f"{minutes} minutes is not a time of a day")
    if minutes == END_OF_DAY:
        day, minutes = day + timedelta(days=1), 0
    return to_utc(datetime(day.year, day.month, day.day, minutes // 60, minutes % 60), zone)  # noqa: DTZ001 - wall time


def local_date(instant: datetime, zone: str) -> date:
    """The date on the zone's calendar at an instant (aware datetime).

    Raises:
        ValueError: unknown zone, or a naive instant.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(check_zone(zone)).date()


def local_day(day: date, zone: str) -> Interval:
    """UTC bounds of a local date: 23 or 25 hours apart where the clock changes, empty where the calendar skips the date.

    Raises:
        ValueError: unknown zone.
    """
    return at_local(day, 0, zone), at_local(day, END_OF_DAY, zone)


def open_intervals(day: date, zone: str, hours: Iterable[OpeningHours]) -> list[Interval]:
    """The spans, in UTC, that open on that local date: in order, without overlap, touching ones joined.

    A span that a clock change leaves without length is left out. Overnight spans end on the next local date; those that
    opened on the date before are not among them.

    Raises:
        ValueError: unknown zone.
    """
    spans = []
    for span in hours:
        if span.weekday == day.weekday():
            closing_day = day + timedelta(days=1) if span.overnight else day
            spans.append((at_local(day, span.opens, zone), at_local(closing_day, span.closes, zone)))
    return merge_intervals(spans)


def merge_intervals(spans: Iterable[Interval]) -> list[Interval]:
    """The union of spans, in order: empty ones dropped, overlapping and touching ones joined."""
    merged: list[Interval] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def is_open(instant: datetime, zone: str, hours: Sequence[OpeningHours]) -> bool:
    """Whether an instant (aware) lies in opening hours, those that opened on the local date before it included.

    Raises:
        ValueError: unknown zone, or a naive instant.
    """
    today = local_date(instant, zone)
    days = (today - timedelta(days=1), today)
    return any(start <= instant < end for day in days for start, end in open_intervals(day, zone, hours))
