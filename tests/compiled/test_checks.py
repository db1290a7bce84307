"""What a value passes before a plan answers it: each check matters where nothing behind it would notice."""

from collections.abc import Callable, Generator
from types import SimpleNamespace, coroutine
from typing import Any

import pytest
import strawberry
from graphql import Undefined, parse
from strawberry.schema.config import StrawberryConfig

from schema.compiled import Plans
from tests.compiled.drawn_schema import Anything
from tests.compiled.execution import Answer, answer

# Takes whatever it is given, and tells what that was.
SCALARS: dict[object, Any] = {
    Anything: strawberry.scalar(name="Anything", serialize=lambda value: type(value).__name__)
}


class NamedError(Exception):
    name = "an error"


class Later:
    name = "later"

    def __await__(self) -> Generator[Any, None, str]:
        yield from ()
        return "now"


@coroutine
def old_coroutine() -> Generator[Any, None, str]:
    yield from ()
    return "old"


@strawberry.type
class Child:
    name: str


@strawberry.type
class Row:
    leaf: Anything
    leaves: list[str] | None
    child: Child


@strawberry.type
class Query:
    rows: list[Row | None]


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))
Make = Callable[[], object]


async def both(field: str, make: Make) -> Answer:
    """The answer for a row whose fields are all this value.

    Raises:
        AssertionError: plans answer another than graphql-core.
    """
    document, plans = parse(f"{{ rows {{ {field} }} }}"), Plans()

    def root(_: object) -> object:
        value = make()
        return SimpleNamespace(rows=[SimpleNamespace(leaf=value, leaves=value, child=value)])

    expected, _ = await answer(SCHEMA, document, make_root=root)
    for _ in range(2):
        found, _ = await answer(SCHEMA, document, plans, make_root=root)
        assert found == expected
    return found


ODD: dict[str, Make] = {
    "None": lambda: None,
    "Undefined": lambda: Undefined,
    "an error": lambda: NamedError("no value"),
    "an awaitable": Later,
    "an old coroutine": old_coroutine,
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("field", ["leaf", "child { __typename }"])
async def test_an_odd_value_is_no_answer(field: str, odd: str) -> None:
    found = await both(field, ODD[odd])
    # What is awaited is then an answer, and by then a text.
    if odd in {"an awaitable", "an old coroutine"}:
        assert {"leaf": b'{"leaf":"str"}', "child { __typename }": b'{"child":{"__typename":"Child"}}'}[
            field
        ] in found.data
    else:
        assert b"null" in found.data


async def test_what_a_generator_is_its_class_does_not_tell() -> None:
    document, plans = parse("{ rows { leaf } }"), Plans()
    for given in (None, plans, plans):
        rows = [SimpleNamespace(leaf=each) for each in ((number for number in range(2)), old_coroutine())]
        found, _ = await answer(SCHEMA, document, given, make_root=lambda _, rows=rows: SimpleNamespace(rows=rows))  # type: ignore[misc]
        assert found.data == b'{"rows":[{"leaf":"generator"},{"leaf":"str"}]}'


@pytest.mark.parametrize(
    "make", [lambda: "abc", lambda: {"a": 1}, lambda: b"ab", lambda: 7], ids=["text", "dict", "bytes", "number"]
)
async def test_a_list_is_none_of_what_merely_can_be_read_through(make: Make) -> None:
    await both("leaves", make)


@pytest.mark.parametrize(
    "make",
    [lambda: ("a", "b"), lambda: {"a": 1}.keys(), lambda: (each for each in "ab")],
    ids=["tuple", "keys", "generator"],
)
async def test_what_counts_as_a_list_is_answered(make: Make) -> None:
    assert b'{"leaves":["a"' in (await both("leaves", make)).data
