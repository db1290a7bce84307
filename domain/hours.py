"""Weekly hours and lunch breaks as callers give them, checked and brought to their stored form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import invalid
from domain.local_time import OpeningHours, hours_to_json, parse_local_time

MOST_SPANS = 28


@dataclass(frozen=True, slots=True)
class HoursInput:
    """One span: weekday (0 is Monday) and local times as HH:MM."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class LunchInput:
    """A break taken once a working day, in whole minutes between two local times."""

    duration_minutes: int
    earliest: str
    latest: str


def stored_hours(spans: Sequence[HoursInput], *path: str) -> list[dict[str, Any]]:
    """The form that the tables hold.

    Raises:
        Refusal: INVALID_INPUT for equal times, overlapping spans of one weekday, or more than 28 spans.
    """
    if len(spans) > MOST_SPANS:
        raise invalid(f"At most {MOST_SPANS} spans a week.", *path)
    hours: list[OpeningHours] = []
    for index, span in enumerate(spans):
        try:
            made = OpeningHours(span.weekday, parse_local_time(span.opens), parse_local_time(span.closes))
        except ValueError as error:
            raise invalid(f"{str(error)[0].upper()}{str(error)[1:]}.", *path, str(index)) from None
        if any(_overlap(made, other) for other in hours):
            raise invalid("Two spans of one weekday overlap.", *path, str(index))
        hours.append(made)
    return list(hours_to_json(hours))


def _overlap(one: OpeningHours, other: OpeningHours) -> bool:
    def end(span: OpeningHours) -> int:
        return span.closes + 1440 if span.overnight else span.closes

    return one.weekday == other.weekday and one.opens < end(other) and other.opens < end(one)


def stored_lunch(lunch: LunchInput | None, *path: str) -> dict[str, Any] | None:
    """The form that the tables hold.

    Raises:
        Refusal: INVALID_INPUT when the break is not 5 to 180 minutes or does not fit between its times.
    """
    if lunch is None:
        return None
    if not 5 <= lunch.duration_minutes <= 180:
        raise invalid("A lunch break takes 5 to 180 minutes.", *path, "durationMinutes")
    earliest, latest = parse_local_time(lunch.earliest), parse_local_time(lunch.latest)
    if latest - earliest < lunch.duration_minutes:
        raise invalid("Lunch does not fit between its earliest and its latest time.", *path, "latest")
    return {"durationMinutes": lunch.duration_minutes, "earliest": lunch.earliest, "latest": lunch.latest}
