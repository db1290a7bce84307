"""Makes operations out of the schema: every root field, arguments of every type, ids where the schema has ids.

Nothing here names a field, so that a new one is covered the day it is added. An id argument whose kind cannot be told from
its name fails the test that uses it.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from domain.ids import Prefix
from schema.root import schema

GRAPHQL: GraphQLSchema = schema._schema
ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}


@dataclass(frozen=True)
class Slot:
    """A place for an id in the variables; `prefix` None: of any kind."""

    path: str
    prefix: Prefix | None


@dataclass(frozen=True)
class Cursor:
    """A place for a cursor."""

    path: str


@dataclass
class Operation:
    """A document with its variables, in which ids still are slots."""

    kind: str
    field: str
    document: str
    variables: dict[str, Any]

    @property
    def slots(self) -> list[Slot]:
        return [each for each in _leaves(self.variables) if isinstance(each, Slot)]

    def filled(self, id_of: Callable[[Slot], str], cursor: Callable[[], str | None]) -> dict[str, Any]:
        """The variables with ids in their slots."""

        def fill(value: Any) -> Any:
            if isinstance(value, Slot):
                return id_of(value)
            if isinstance(value, Cursor):
                return cursor()
            if isinstance(value, dict):
                return {key: fill(each) for key, each in value.items()}
            if isinstance(value, list):
                return [fill(each) for each in value]
            return value

        return {key: fill(value) for key, value in self.variables.items()}


def root_fields() -> Iterator[tuple[str, str, GraphQLField]]:
    """The kind, the name and the definition of every root field."""
    for kind, name in ROOTS.items():
        type_ = GRAPHQL.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        for field, definition in type_.fields.items():
            yield kind, field, definition


def has_ids(definition: GraphQLField) -> bool:
    """Whether an argument of a root field holds an id at any depth."""

    def holds(type_: Any, seen: frozenset[str]) -> bool:
        named = get_named_type(type_)
        if named.name == "ID":
            return True
        if not isinstance(named, GraphQLInputObjectType) or named.name in seen:
            return False
        return any(holds(each.type, seen | {named.name}) for each in named.fields.values())

    return any(holds(argument.type, frozenset()) for argument in definition.args.values())


class Maker:
    """Makes operations by a random generator of its own: the same seed makes the same ones.

    Args:
        every: put a value wherever one can be put; else optional ones are left out at times.
    """

    def __init__(self, rng: random.Random, *, every: bool = False) -> None:
        self.rng = rng
        self.every = every
        # One day for all times, so that ends come after starts.
        self.day = f"2027-0{rng.randrange(3, 9)}-1{rng.randrange(10)}"

    def operation(self, kind: str, field: str, definition: GraphQLField, depth: int = 2) -> Operation:
        """An operation of one root field."""
        variables: dict[str, Any] = {}
        declared, given = [], []
        for name, argument in definition.args.items():
            if not self._wanted(argument.type):
                continue
            variables[name] = self.value(argument.type, name, name)
            declared.append(f"${name}: {argument.type}")
            given.append(f"{name}: ${name}")
        head = f"{kind} ({', '.join(declared)})" if declared else kind
        call = f"{field}({', '.join(given)})" if given else field
        return Operation(kind, field, f"{head} {{ it: {call}{self.selection(definition.type, depth)} }}", variables)

    def _wanted(self, type_: GraphQLInputType) -> bool:
        return isinstance(type_, GraphQLNonNull) or self.every or self.rng.random() < 0.6

    def value(self, type_: GraphQLInputType, name: str, path: str) -> Any:
        """A value of an input type that a resolver may well accept."""
        if isinstance(type_, GraphQLNonNull):
            return self.value(type_.of_type, name, path)
        if isinstance(type_, GraphQLList):
            return [self.value(type_.of_type, name, f"{path}.{index}") for index in range(self.rng.choice((1, 1, 2)))]
        if isinstance(type_, GraphQLInputObjectType):
            return {
                key: self.value(each.type, key, f"{path}.{key}")
                for key, each in type_.fields.items()
                if self._wanted(each.type)
            }
        if isinstance(type_, GraphQLEnumType):
            return self.rng.choice(sorted(type_.values))
        return self.scalar(type_.name, name, path)

    def scalar(self, type_: str, name: str, path: str) -> Any:
        """A value of a scalar, by its name where that tells what it should look like."""
        rng = self.rng
        match type_:
            case "ID":
                return Slot(path, prefix_of(name))
            case "Int":
                sizes = {
                    "first": 5,
                    "expectedVersion": 1,
                    "quantity": 1,
                    "byteSize": 1_000,
                    "days": 3,
                    "etaMinutes": 20,
                }
                return sizes.get(name, rng.choice((15, 60, 120)))
            case "Float":
                return {"latitude": 30.27, "longitude": -97.74, "radiusKm": 20.0}.get(
                    name, round(rng.uniform(1, 90), 2)
                )
            case "Boolean":
                return rng.random() < 0.5
            case "DateTime":
                return f"{self.day}T{rng.randrange(17, 19) if name == 'end' else rng.randrange(14, 16)}:00:00Z"
            case "Date":
                return rng.choice(("2027-03-02", "2027-03-03"))
            case "LocalTime":
                return {"opens": "08:00", "closes": "17:00", "earliest": "11:30", "latest": "13:00"}.get(name, "21:00")
            case "Decimal":
                return f"{rng.randrange(1, 300)}.00"
            case "EmailAddress":
                return f"gen{rng.randrange(10**9)}@example.com"
            case "PhoneNumber":
                return f"+1512555{rng.randrange(100, 200):04}"
            case "JSON":
                return {"generated": rng.randrange(100)}
        return self.text(name, path)

    def text(self, name: str, path: str) -> Any:
        """A string."""
        if name == "after":
            return Cursor(path)
        known = {
            "timeZone": "America/Chicago", "color": "#2563eb", "country": "US", "region": "TX", "postalCode": "78701",
            "currency": "USD", "fileName": "photo.jpg", "contentType": "image/jpeg", "scopes": "customers:read",
            "code": "123456", "totpCode": "123456", "planCode": "free", "url": "https://hooks.example.com/in",
            "eventTypes": "CREATED",
        }  # fmt: skip
        if name in known:
            return known[name]
        if name == "trackingToken":
            # Whoever has a token uses it instead of a session: without one the session is what counts.
            return None
        return f"generated {self.rng.randrange(10**6)}" if name != "slug" else f"slug-{self.rng.randrange(10**6)}"

    def selection(self, type_: GraphQLOutputType, depth: int) -> str:
        """A selection set with all that is plain, and some of what leads on."""
        named = get_named_type(type_)
        if is_leaf_type(named):
            return ""
        if isinstance(named, GraphQLInterfaceType):
            kinds = sorted(each.name for each in GRAPHQL.get_possible_types(named))
            parts = [f"... on {each} {self._body(each, 0)}" for each in self.rng.sample(kinds, k=min(4, len(kinds)))]
            return f" {{ __typename id {' '.join(parts)} }}"
        return f" {self._body(named.name, depth)}"

    def _body(self, name: str, depth: int) -> str:
        type_ = GRAPHQL.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        plain, leading = ["__typename"], []
        for field, definition in type_.fields.items():
            if any(isinstance(each.type, GraphQLNonNull) for each in definition.args.values()):
                continue
            if is_leaf_type(get_named_type(definition.type)):
                plain.append(f"{field}_{name}: {field}" if field in _CLASHING else field)
            else:
                leading.append((field, definition))
        if depth > 0:
            chosen = leading if name.endswith(("Payload", "Edge")) else self.rng.sample(leading, k=min(3, len(leading)))
            for field, definition in chosen:
                arguments = "(first: 3)" if "first" in definition.args else ""
                plain.append(f"{field}{arguments}{self.selection(definition.type, depth - 1)}")
        return f"{{ {' '.join(plain)} }}"


# Fields of one name whose types differ between the types of an interface: side by side they could not be merged.
_CLASHING: set[str] = set()


def _find_clashing() -> None:
    seen: dict[str, str] = {}
    node = GRAPHQL.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for type_ in GRAPHQL.get_possible_types(node):
        for field, definition in type_.fields.items():
            if seen.setdefault(field, str(definition.type)) != str(definition.type):
                _CLASHING.add(field)


_find_clashing()


def prefix_of(name: str) -> Prefix | None:
    """The kind of id that an argument's name asks for; None for `id` and `ids`, which take any.

    Raises:
        AssertionError: the name tells none.
    """
    if name in {"id", "ids"}:
        return None
    noun = re.sub(r"(Id|Ids)$", "", name)
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", noun).upper()
    found = [prefix for prefix in Prefix if prefix.name == snake] or [
        prefix for prefix in Prefix if prefix.name.endswith(f"_{snake}")
    ]
    assert noun != name, f"the argument {name} is an ID: name it like the others, or teach this test its kind"
    assert len(found) == 1, f"the argument {name} is an ID: name it like the others, or teach this test its kind"
    return found[0]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
