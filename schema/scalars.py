"""Scalars of the contract. A string that is no such value arrives as `Malformed`, for `schema.checks` to report with its path."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from domain.local_time import parse_local_time
from schema.compiled import Exact

LocalTime = NewType("LocalTime", str)
PhoneNumber = NewType("PhoneNumber", str)
EmailAddress = NewType("EmailAddress", str)
Json = NewType("Json", object)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A string that a scalar could not read, in the place of its value; no resolver ever sees one."""

    reason: str


_OFFSET_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError(f"{name} is written as a string.", extensions={"code": "BAD_USER_INPUT"})
    return value


def _date_time(value: object) -> datetime | Malformed:
    text = _text("DateTime", value)
    match = _OFFSET_DATE_TIME.fullmatch(text)
    if match is None:
        return Malformed("That is not a time as RFC 3339 writes it: 2026-11-24T09:00:00-06:00.")
    if match[3] is None:
        return Malformed("A time needs its offset from UTC, as in 2026-11-24T09:00:00-06:00.")
    offset = "+00:00" if match[3] in "Zz" else match[3]
    try:
        found = datetime.fromisoformat(f"{match[1]}T{match[2]}{offset}")
        # Also proves that the instant exists in UTC: year 1 and year 9999 have edges.
        in_utc = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return Malformed("There is no such time.")
    if not 1970 <= in_utc.year <= 2200:
        return Malformed("Times lie between the years 1970 and 2200.")
    return found


def _date(value: object) -> date | Malformed:
    text = _text("Date", value)
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return Malformed("A date is written YYYY-MM-DD.")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return Malformed("There is no such date.")
    return found if 1970 <= found.year <= 2200 else Malformed("Dates lie between the years 1970 and 2200.")


def _local_time(value: object) -> LocalTime | Malformed:
    text = _text("LocalTime", value)
    try:
        parse_local_time(text)
    except ValueError:
        return Malformed("A local time is written HH:MM, from 00:00 to 24:00.")
    return LocalTime(text)


def _decimal(value: object) -> Decimal | Malformed:
    text = _text("Decimal", value)
    if len(text) > 40 or not re.fullmatch(r"[+-]?\d+(\.\d+)?", text, re.ASCII):
        return Malformed("A decimal is written in digits, as in 129.00.")
    try:
        return Decimal(text)
    except InvalidOperation:
        return Malformed("That is not a decimal.")


def _json(value: object) -> Json:
    return Json(value)


def _plain(name: str) -> Callable[[object], str]:
    return lambda value: _text(name, value)


def _iso(value: Any) -> str:
    if value.tzinfo is UTC:
        return f"{value.isoformat()[:-6]}Z"
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else _refuse_naive()


def _refuse_naive() -> str:
    raise ValueError("a time without a zone was about to be answered")


# Times in UTC are left to the JSON's writer, which has them just as `_iso`, in a tenth of the time.
AS_THEY_ARE = {"DateTime": Exact(datetime, " and $.tzinfo is UTC")}
JSON_OPTIONS = orjson.OPT_UTC_Z

# Money of two places keeps them: 129.00, never 129.
SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime", description="RFC 3339 with an offset.", serialize=_iso, parse_value=_date_time
    ),
    date: strawberry.scalar(
        name="Date", description="YYYY-MM-DD.", serialize=lambda value: value.isoformat(), parse_value=_date
    ),
    LocalTime: strawberry.scalar(
        name="LocalTime",
        description="Local wall time, HH:MM, 24 h; 24:00 ends a day.",
        serialize=str,
        parse_value=_local_time,
    ),
    Decimal: strawberry.scalar(
        name="Decimal", description='An exact decimal as a string: "129.00".', serialize=str, parse_value=_decimal
    ),
    PhoneNumber: strawberry.scalar(
        name="PhoneNumber", description="E.164: +15125550123", serialize=str, parse_value=_plain("PhoneNumber")
    ),
    EmailAddress: strawberry.scalar(
        name="EmailAddress", description="An email address.", serialize=str, parse_value=_plain("EmailAddress")
    ),
    Json: strawberry.scalar(
        name="JSON", description="Any JSON value.", serialize=lambda value: value, parse_value=_json
    ),
}
