"""Pieces of JSON as SQL expressions, and what Python puts in their gaps.

PostgreSQL writes text and numbers as they are answered. What it would write otherwise than we do (ids in base 32, times, floats)
it leaves as a gap: its own text of the value between two control characters, which no JSON has, since strings escape them.
`filled` puts ours there.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Text, case, cast, func, literal_column

from domain.ids import Prefix, suffix

# Text of the JSON as it is, or an expression whose text is put there.
Part = str | ColumnElement[Any]
Parts = Sequence[Part]

_OPEN, _CLOSE = "\x01", "\x02"
_ID, _MOMENT, _FLOAT, _GONE = "i", "t", "f", "!"
# PostgreSQL's functions take no more arguments than this.
_MOST_ARGUMENTS = 100
_KEPT = 65_536
_GAP = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}".encode())


def joined(parts: Parts) -> ColumnElement[str]:
    """The parts as one expression; what is NULL among them is empty."""
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    pieces: list[ColumnElement[Any]] = [_constant(part) if isinstance(part, str) else part for part in merged]
    while len(pieces) > _MOST_ARGUMENTS:
        first, pieces = pieces[:_MOST_ARGUMENTS], pieces[_MOST_ARGUMENTS:]
        pieces.insert(0, func.concat(*first))
    return func.concat(*pieces)


def either(missing: ColumnElement[bool], parts: Parts) -> Part:
    """The parts, or null."""
    return case((missing, _constant("null")), else_=joined(parts))


def plain(column: ColumnElement[Any]) -> Parts:
    """A whole number."""
    return (column,)


def quoted(column: ColumnElement[Any]) -> Parts:
    """A value whose text needs no escaping: an amount, one of an enum's values."""
    return ('"', column, '"')


def maybe_quoted(column: ColumnElement[Any]) -> Parts:
    """The same, or null."""
    return (either(column.is_(None), quoted(column)),)


def text(column: ColumnElement[Any]) -> Parts:
    """A text, or a list of texts."""
    return (func.to_json(column),)


def maybe_text(column: ColumnElement[Any]) -> Parts:
    """A text or null."""
    return (func.coalesce(cast(func.to_json(column), Text), _constant("null")),)


def text_unless_empty(column: ColumnElement[Any]) -> Parts:
    """A text; null where it is empty."""
    return maybe_text(func.nullif(column, ""))


def boolean(condition: ColumnElement[bool]) -> Parts:
    """True or false."""
    return (func.to_json(condition),)


def moment(column: ColumnElement[Any]) -> Parts:
    """A time."""
    return ('"' + _OPEN + _MOMENT, column, _CLOSE + '"')


def maybe_moment(column: ColumnElement[Any]) -> Parts:
    """A time or null."""
    return (either(column.is_(None), moment(column)),)


def number(column: ColumnElement[Any]) -> Parts:
    """A floating-point number."""
    return (_OPEN + _FLOAT, column, _CLOSE)


def public_id(prefix: Prefix, column: ColumnElement[Any]) -> Parts:
    """An id as callers see it."""
    return (f'"{prefix.value}_{_OPEN}{_ID}', column, _CLOSE + '"')


def needed(expression: ColumnElement[Any]) -> Part:
    """What a constraint says that there is; `filled` raises where there is nothing."""
    return func.coalesce(expression, _constant(_OPEN + _GONE + _CLOSE))


def or_null(expression: ColumnElement[Any]) -> Part:
    """The expression, or null."""
    return func.coalesce(expression, _constant("null"))


def or_empty(expression: ColumnElement[Any]) -> Part:
    """The expression, or no text at all."""
    return func.coalesce(expression, _constant(""))


def filled(data: bytes) -> bytes:
    """JSON with its gaps filled.

    Raises:
        LookupError: a row that is named is gone.
    """
    pieces = _GAP.split(data)
    pieces[1::2] = map(_texts.__getitem__, pieces[1::2])
    return b"".join(pieces)


class _Texts(dict[bytes, bytes]):
    """What is put in a gap, by what the gap holds. A day's board is asked for again and again."""

    def __missing__(self, gap: bytes) -> bytes:
        if len(self) >= _KEPT:
            self.clear()
        text = gap.decode()
        made = self[gap] = _FILLERS[text[0]](text[1:]).encode()
        return made


def _moment(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()[:-6] + "Z"


def _gone(_text: str) -> str:
    raise LookupError("a row is named and gone")


_FILLERS: dict[str, Callable[[str], str]] = {
    _ID: lambda text: suffix(UUID(text)),
    _MOMENT: _moment,
    _FLOAT: lambda text: orjson.dumps(float(text)).decode(),
    _GONE: _gone,
}
_texts = _Texts()


def _constant(value: str) -> ColumnElement[str]:
    """Text of ours inside the SQL: names of the schema and of responses, which are letters, digits and underscores."""
    escaped = value.replace("'", "''").replace(_OPEN, r"\x01").replace(_CLOSE, r"\x02")
    return literal_column(f"E'{escaped}'", Text)
