"""Data for a drawn schema: plain all over, but for a few odd values, each made anew for every execution."""

import types
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

import strawberry
from graphql import Undefined
from hypothesis import strategies as st

from tests.compiled.drawn_schema import INTERFACE, LEAVES, NAMES, UNION, Colour, Drawn, Field, Level, Size, Unknown
from tests.compiled.execution import CallerContext

# Objects of each type; they lead to one another, in circles too.
COPIES = 3
Make = Callable[[Any, CallerContext], Any]


class Raised(Exception):
    """What a resolver raises."""


class Patient:
    """An awaitable that is no coroutine."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, Any]:
        return self.value
        yield


class Text(str):
    """A text of a class of its own."""


class Rows(list[Any]):
    """A list of a class of its own."""


def _raise(plain: Any, context: CallerContext) -> Any:
    raise Raised("raised")


def _kept(make: Callable[[Any], Any]) -> Make:
    def made(plain: Any, context: CallerContext) -> Any:
        found = make(plain)
        context.coroutines.append(found)
        return found

    return made


async def _soon(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


@types.coroutine
def _old_coroutine(value: Any) -> Generator[Any, None, Any]:
    return value
    yield


async def _stream(plain: Any) -> AsyncGenerator[Any, None]:
    for each in plain if isinstance(plain, list) else [plain]:
        yield each


def _always(value: Any) -> Make:
    return lambda plain, context: value


def _subclassed(plain: Any, context: CallerContext) -> Any:
    """The same object with a class of its own, derived from the type's."""
    if not hasattr(plain, "answers"):
        return plain
    made: Any = object.__new__(type("Special", (type(plain),), {}))
    made.__dict__.update(plain.__dict__)
    return made


# What may stand in the place of a plain value; `_raise` raises, and in an attribute it is missing.
ODD: dict[str, Make] = {
    "raises": _raise,
    "nothing": lambda plain, context: None,
    "undefined": lambda plain, context: Undefined,
    "unset": lambda plain, context: strawberry.UNSET,
    "an exception": lambda plain, context: Raised("held"),
    "a coroutine": _kept(_soon),
    "a coroutine of nothing": _kept(lambda plain: _soon(None)),
    "a coroutine that raises": _kept(lambda plain: _soon(Raised("later"))),
    "an awaitable": lambda plain, context: Patient(plain),
    "an old coroutine": lambda plain, context: _old_coroutine(plain),
    "a generator": lambda plain, context: (each for each in (plain if isinstance(plain, list) else [plain])),
    "an asynchronous generator": lambda plain, context: _stream(plain),
    "a tuple": lambda plain, context: tuple(plain) if isinstance(plain, list) else (plain,),
    "a list": lambda plain, context: [plain],
    "a list of its own class": lambda plain, context: Rows(plain if isinstance(plain, list) else [plain]),
    "a set": lambda plain, context: {1},
    "no rows": lambda plain, context: [],
    "a list with nothing": lambda plain, context: [*plain, None] if isinstance(plain, list) else [None],
    "a list with an exception": lambda plain, context: [*(plain if isinstance(plain, list) else []), Raised("item")],
    "a derived object": _subclassed,
    "another object": lambda plain, context: object(),
    **{
        f"the value {value!r}": _always(value)
        for value in (
            "other", "12", "", "red", "RED", "small", "HIGH", "late", "full", "picky", Text("picky"), Text("small"),
            1, 0, 2, 2**31, 2**31 - 1, -(2**31), -(2**31) - 1, True, False, 1.0, 1.5, float("nan"), float("inf"),
            Decimal("1.5"), Decimal(3), b"bytes", {"a": 1}, Colour.GREEN, Colour.RED, Size.LARGE, Level.LOW,
            Unknown.SMALL, Unknown.HUGE,
        )
    },
}  # fmt: skip


@dataclass(frozen=True)
class Odd:
    """One odd value: of a field of an object, in the value's place or in that of its last item."""

    type_name: str
    copy: int
    field: str
    kind: str
    inside: bool


def odds(drawn: Drawn) -> st.SearchStrategy[list[Odd]]:
    """Where the data is not plain."""
    fields = [(name, each.name) for name in NAMES for each in drawn.fields[name]]
    roots = [("Query", name) for name in root_fields()]
    one = st.builds(
        lambda where, copy, kind, inside: Odd(where[0], copy, where[1], kind, inside),
        st.sampled_from(fields) | st.sampled_from(roots),
        st.integers(0, COPIES - 1),
        st.sampled_from(sorted(ODD)),
        st.booleans(),
    )
    return st.lists(one, max_size=6)


def root_fields() -> dict[str, tuple[str, int]]:
    """The root fields, each with what it leads to and how many lists lie around it."""
    found = {
        f"{name.lower()}{suffix}": (name, depth) for name in NAMES for suffix, depth in (("", 0), ("s", 1), ("Rows", 2))
    }
    return found | {"pets": (UNION, 1), "creatures": (INTERFACE, 1)}


class Maker:
    """Makes the objects of one execution."""

    def __init__(self, drawn: Drawn, odd: list[Odd], context: CallerContext) -> None:
        self._context = context
        self._odd = {(each.type_name, each.copy, each.field): each for each in odd}
        self._pool: dict[tuple[str, int], Any] = {
            (name, copy): object.__new__(drawn.classes[name]) for name in NAMES for copy in range(COPIES)
        }
        for (name, copy), made in self._pool.items():
            made.answers = {}
            for each in drawn.fields[name]:
                self._fill(made, name, copy, each)

    def root(self) -> Any:
        """The root value."""
        made = types.SimpleNamespace()
        for name, (of, depth) in root_fields().items():
            value = self._nested(partial(self._object, of), depth, 0)
            for copy in range(COPIES):
                if ("Query", copy, name) in self._odd:
                    value = self._made(self._odd["Query", copy, name], value, self._context)
            if value is not _MISSING:
                setattr(made, name, value)
        return made

    def _object(self, of: str, number: int) -> Any:
        names = {INTERFACE: NAMES[:2], UNION: NAMES[1:3]}.get(of, (of,))
        return self._pool[names[number % len(names)], number % COPIES]

    def _nested(self, item: Callable[[int], Any], depth: int, number: int) -> Any:
        if depth == 0:
            return item(number)
        return [self._nested(item, depth - 1, number + each) for each in range(2)]

    def _fill(self, made: Any, name: str, copy: int, each: Field) -> None:
        leads = isinstance(each.of, str)
        plain = self._nested(
            lambda number: self._object(each.of, number) if leads else LEAVES[each.of], each.depth, copy + leads
        )
        odd = self._odd.get((name, copy, each.name))
        if odd is not None and each.kind in {"relation", "guarded"} and "coroutine" in odd.kind:
            # A relation may answer a coroutine, but makes none for its rows: it is asked twice, and they would be left.
            odd = replace(odd, inside=False)
        if each.kind != "attribute":
            made.answers[each.name] = lambda context: plain if odd is None else _one(odd, plain, context)
            return
        value = plain if odd is None else self._made(odd, plain, self._context)
        if value is not _MISSING:
            made.__dict__[each.name] = value

    def _made(self, odd: Odd, plain: Any, context: CallerContext) -> Any:
        try:
            return _one(odd, plain, context)
        except Raised:
            return _MISSING


_MISSING = object()


def _one(odd: Odd, plain: Any, context: CallerContext) -> Any:
    if odd.inside and isinstance(plain, list) and plain:
        return [*plain[:-1], _one(odd, plain[-1], context)]
    return ODD[odd.kind](plain, context)
