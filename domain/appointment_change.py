"""What history says of a change: the fields of the GraphQL schema, before and after."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from domain.ids import Prefix, encode

# Field of the schema: the columns that it is made of.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "technicianId": ("technician_id",),
    "scheduled": ("starts_at", "ends_at"),
    "arrivalWindow": ("arrival_starts_at", "arrival_ends_at"),
    "durationMinutes": ("duration_minutes",),
    "total": ("total",),
    "notes": ("notes",),
    "internalNotes": ("internal_notes",),
    "eta": ("eta",),
}


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields that differ, with their values as JSON; `before` None: all that have a value.

    `late` is no field of its own: it warns of an arrival that is expected after the promised window.
    """
    changes = []
    for field, columns in _FIELDS.items():
        # Most fields are the very values that they were.
        if before is not None and all(before[column] is after[column] for column in columns):
            continue
        old = _value(before, columns) if before is not None else None
        new = _value(after, columns)
        if old != new:
            changes.append({"field": field, "before": old, "after": new})
    was, is_now = is_late(before) if before is not None else False, is_late(after)
    if was != is_now:
        changes.append({"field": "late", "before": was, "after": is_now})
    return changes


def is_late(row: Mapping[str, Any]) -> bool:
    """Whether the technician is expected after the end of the window that the customer was promised."""
    eta, end = row["eta"], row["arrival_ends_at"]
    return eta is not None and end is not None and bool(eta > end)


def _value(row: Mapping[str, Any], columns: tuple[str, ...]) -> object:
    values = [_json(row[column]) for column in columns]
    if len(values) == 1:
        return values[0]
    return None if values[0] is None else {"start": values[0], "end": values[1]}


def _json(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return encode(Prefix.TECHNICIAN, value)
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case _:
            return value
