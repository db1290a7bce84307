"""Schemas made at random: objects that lead to each other by attributes, relations and code, with an interface and a union."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import cache
from typing import Any, NewType, Optional, Union
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from permissions.scopes import Scope
from schema.compiled import CompiledExecutor
from schema.fields import AUTHENTICATED, relation

NAMES = ("Ant", "Bee", "Cat", "Dog")
# The first two have the interface in common, the middle two the union.
INTERFACE, UNION = "Creature", "BeeCat"
Wrap = Callable[[Any], Any]


def _maybe(of: Any) -> Any:
    made: Any = Optional
    return made[of]


def _list(of: Any) -> Any:
    made: Any = list
    return made[of]


WRAPS: tuple[Wrap, ...] = (
    lambda of: of,
    _maybe,
    _list,
    lambda of: _maybe(_list(of)),
    lambda of: _list(_maybe(of)),
    lambda of: _maybe(_list(_maybe(of))),
    lambda of: _list(_list(of)),
    lambda of: _maybe(_list(_maybe(_list(_maybe(of))))),
)


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = 2


@strawberry.enum
class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@strawberry.enum
class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Unknown(StrEnum):
    """No enum of the schema, of which a member has the text."""

    SMALL = "small"
    HUGE = "huge"


Anything = NewType("Anything", object)
Picky = NewType("Picky", str)
Hollow = NewType("Hollow", str)
Later = NewType("Later", str)


def _picky(value: object) -> str:
    if value != "picky":
        raise ValueError(f"This is not picky: {value!r}")
    return "picky"


async def _soon(value: object) -> str:
    return f"{value} later"


SCALARS: dict[object, Any] = {
    Anything: strawberry.scalar(name="Anything", serialize=lambda value: value, parse_value=str),
    Picky: strawberry.scalar(name="Picky", serialize=_picky, parse_value=str),
    Hollow: strawberry.scalar(name="Hollow", serialize=lambda value: value if value == "full" else None),
    Later: strawberry.scalar(name="Later", serialize=lambda value: _soon(value) if value == "late" else str(value)),
}
# A plain value of each leaf type.
LEAVES: dict[Any, Any] = {
    str: "text",
    int: 7,
    float: 1.5,
    bool: True,
    strawberry.ID: "id",
    UUID: UUID(int=7),
    datetime: datetime(2026, 11, 24, tzinfo=UTC),
    date: date(2026, 11, 24),
    Decimal: Decimal("1.50"),
    Colour: Colour.RED,
    Size: Size.SMALL,
    Level: Level.HIGH,
    Anything: {"any": [1]},
    Picky: "picky",
    Hollow: "full",
    Later: "now",
}


@dataclass(frozen=True)
class Field:
    """A field of a drawn type: of a leaf type, or leading to one of the named types."""

    name: str
    kind: str
    of: Any
    wrap: Wrap
    argument: bool = False

    @property
    def depth(self) -> int:
        """How many lists lie around the value."""
        return (0, 0, 1, 1, 1, 1, 2, 2)[WRAPS.index(self.wrap)]


@dataclass(frozen=True)
class Drawn:
    """A schema and what it was made of: its object types' classes and fields."""

    schema: strawberry.Schema
    classes: dict[str, type]
    fields: dict[str, tuple[Field, ...]]


def _fields(rng: random.Random, prefix: str, count: int) -> tuple[Field, ...]:
    found = []
    for number in range(count):
        leads = number % 2 == 0
        kind = rng.choices(("attribute", "relation", "guarded", "code", "async"), (12, 4, 2, 1, 1))[0]
        of: Any = rng.choice((*NAMES, *NAMES, INTERFACE, UNION)) if leads else rng.choice(list(LEAVES))
        argument = kind in {"code", "async"} and rng.random() < 0.5
        found.append(Field(f"{prefix}{number}", kind, of, rng.choice(WRAPS), argument))
    return tuple(found)


def _resolver(found: Field, annotation: Any) -> Any:
    """The resolver of a field that is none of plain attributes; objects hold in `answers` what it does."""
    if found.kind == "async":

        async def later(self: Any, info: Any, times: int = 1) -> Any:
            value = self.answers[found.name](info.context)
            return await value if hasattr(value, "__await__") else value

        made: Any = later
    else:

        def at_once(self: Any, info: Any, times: int = 1) -> Any:
            return self.answers[found.name](info.context)

        made = at_once
    made.__name__ = found.name
    made.__annotations__ = {"info": strawberry.Info, "times": int, "return": annotation}
    if not found.argument:
        made = _without_times(made, asynchronous=found.kind == "async")
    if found.kind == "relation":
        return relation(AUTHENTICATED)(made)
    if found.kind == "guarded":
        return relation(Scope.CUSTOMERS_READ)(made)
    return strawberry.field(made)


def _without_times(made: Any, *, asynchronous: bool) -> Any:
    if asynchronous:

        async def later(self: Any, info: Any) -> Any:
            return await made(self, info)

        plain: Any = later
    else:

        def at_once(self: Any, info: Any) -> Any:
            return made(self, info)

        plain = at_once
    plain.__name__ = made.__name__
    plain.__annotations__ = {key: value for key, value in made.__annotations__.items() if key != "times"}
    return plain


@cache
def drawn_schema(seed: int) -> Drawn:
    """The schema of a seed."""
    rng = random.Random(seed)
    shared = _fields(rng, "shared", 2)
    own = {name: _fields(rng, name.lower(), 5) for name in NAMES}
    namespaces: dict[str, type] = {}
    kinds: dict[str, Any] = {INTERFACE: strawberry.interface(type(INTERFACE, (), {"__annotations__": {"name": str}}))}
    for name in NAMES:
        bases = (kinds[INTERFACE],) if name in NAMES[:2] else ()
        namespaces[name] = type(name, bases, {})
    either: Any = Union
    union = either[tuple(namespaces[name] for name in NAMES[1:3])]
    leading = {**namespaces, INTERFACE: kinds[INTERFACE], UNION: union}
    fields: dict[str, tuple[Field, ...]] = {}
    classes: dict[str, type] = {}
    name_field = Field("name", "attribute", str, WRAPS[0])
    for name in NAMES:
        fields[name] = (*((name_field, *shared) if name in NAMES[:2] else (name_field,)), *own[name])
        cls = namespaces[name]
        annotations: dict[str, Any] = {} if name in NAMES[:2] else {"name": str}
        for each in fields[name][1:]:
            annotation = each.wrap(leading.get(each.of, each.of))
            if each.kind == "attribute":
                annotations[each.name] = annotation
            else:
                setattr(cls, each.name, _resolver(each, annotation))
        cls.__annotations__ = annotations
        classes[name] = strawberry.type(cls)
    root_fields = {}
    for name in NAMES:
        for suffix, wrap in (("", WRAPS[1]), ("s", WRAPS[2]), ("Rows", WRAPS[7])):
            root_fields[f"{name.lower()}{suffix}"] = wrap(classes[name])
    root_fields |= {"pets": WRAPS[5](union), "creatures": WRAPS[5](kinds[INTERFACE])}
    annotated = {"__annotations__": root_fields}
    query = strawberry.type(type("Query", (), dict(annotated)))
    mutation = strawberry.type(type("Mutation", (), dict(annotated)))
    schema = strawberry.Schema(
        query,
        mutation,
        execution_context_class=CompiledExecutor,
        config=StrawberryConfig(auto_camel_case=False, scalar_map=SCALARS),
    )
    return Drawn(schema, classes, fields)
