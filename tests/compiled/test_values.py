"""Values that look plain and are not, or that are by one object and not by the next of the same class."""

import asyncio
import types
from collections.abc import Generator
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import Undefined, parse
from strawberry.extensions import FieldExtension
from strawberry.schema.config import StrawberryConfig

from schema.compiled import AT_ONCE, Plans
from tests.compiled.drawn_schema import SCALARS, Anything, Size, Unknown
from tests.compiled.execution import Answer, Counting, answer


async def both(schema: strawberry.Schema, rows: Any, text: str = "{ all { value } }") -> Answer:
    """The answer with plans.

    Raises:
        AssertionError: it is another than without.
    """
    document, plans = parse(text), Plans()
    expected, _ = await answer(schema, document, make_root=lambda context: SimpleNamespace(all=rows))
    for _ in range(2):
        found, _ = await answer(schema, document, plans, make_root=lambda context: SimpleNamespace(all=rows))
        assert found == expected
    return found


def of(
    value_type: Any, scalars: dict[object, Any] | None = None, field: Any = None, is_type_of: Any = None
) -> strawberry.Schema:
    """A schema of rows with a value."""
    namespace: dict[str, Any] = {"__annotations__": {"value": value_type}}
    if field is not None:
        namespace["value"] = field
    if is_type_of is not None:
        namespace["is_type_of"] = classmethod(lambda cls, value, info: is_type_of(value, info))
    row: Any = strawberry.type(type("Row", (), namespace))
    query = strawberry.type(type("Query", (), {"__annotations__": {"all": list[row | None]}}))
    return strawberry.Schema(query, config=StrawberryConfig(scalar_map=SCALARS if scalars is None else scalars))


def values(*found: Any) -> list[Any]:
    return [SimpleNamespace(value=each) for each in found]


@types.coroutine
def old_coroutine() -> Generator[Any, None, Any]:
    yield from asyncio.sleep(0).__await__()
    return "old"


def generators() -> list[Any]:
    return values((number for number in range(1)), old_coroutine())


async def test_a_generator_may_be_awaitable_and_the_one_before_it_not() -> None:
    schema, document, plans = of(Anything | None), parse("{ all { value } }"), Plans()
    for each in (None, plans, plans):
        got, _ = await answer(schema, document, each, make_root=lambda context: SimpleNamespace(all=generators()))
        assert b'"old"' in got.data


@pytest.mark.parametrize("value", [None, Undefined])
async def test_a_scalar_that_answers_nothing_is_an_error(value: Any) -> None:
    scalars: dict[object, Any] = {Anything: strawberry.scalar(name="Anything", serialize=lambda _: value)}
    assert (await both(of(Anything | None, scalars), values("a"))).errors


async def test_what_a_scalar_answers_is_awaited() -> None:
    async def later(value: object) -> object:
        return value

    async def nothing(value: object) -> None:
        return None

    async def check(serialize: Any) -> None:
        scalar: Any = strawberry.scalar(
            name="Anything", serialize=lambda value: asyncio.ensure_future(serialize(value))
        )
        assert (await both(of(Anything, {Anything: scalar}), values("a"))).errors == []

    await check(later)
    await check(nothing)


async def test_a_scalar_is_asked_again_about_an_enums_member() -> None:
    asked: list[object] = []

    def counted(value: object) -> int:
        asked.append(value)
        return len(asked)

    scalars: dict[object, Any] = {Anything: strawberry.scalar(name="Anything", serialize=counted)}
    await answer(
        of(Anything, scalars),
        parse("{ all { value } }"),
        Plans(),
        make_root=lambda context: SimpleNamespace(all=values(Size.SMALL, Size.SMALL)),
    )
    assert len(asked) == 2


async def test_enums_take_their_members_and_equal_texts() -> None:
    got = await both(of(Size | None), values(Size.SMALL, "small", Unknown.SMALL, Size.SMALL, Unknown.HUGE, "SMALL"))
    assert got.data.count(b'"SMALL"') == 4
    assert len(got.errors) == 2


async def test_an_enum_that_is_gone_leaves_nothing_behind() -> None:
    schema, document, plans = of(Size | None), parse("{ all { value } }"), Plans()

    async def answered(text: str) -> bytes:
        passing: Any = StrEnum("passing", {"SIZE": text})
        rows = values(passing.SIZE)
        return (await answer(schema, document, plans, make_root=lambda context: SimpleNamespace(all=rows)))[0].data

    for number in range(200):
        text = "small" if number % 2 else "large"
        assert await answered(text) == b'{"all":[{"value":"%s"}]}' % text.upper().encode()


@pytest.mark.parametrize("value", [2**31 - 1, 2**31, -(2**31), -(2**31) - 1, True, 1.0, "1", float("nan")])
async def test_integers_have_32_bits(value: Any) -> None:
    await both(of(int | None), values(1, value))


async def test_objects_that_are_none() -> None:
    await both(of(str), [Undefined, ValueError("row"), None, SimpleNamespace(value="a")])


async def test_a_types_own_test_is_code() -> None:
    looked: list[object] = []

    def is_type_of(value: Any, info: Any) -> bool:
        looked.append(info.path)
        return bool(value.value != "foreign")

    got = await both(of(str, is_type_of=is_type_of), values("own", "foreign", "own"))
    assert len(got.errors) == 1
    looked.clear()

    async def later(value: Any, info: Any) -> bool:
        return bool(value.value != "foreign")

    assert len((await both(of(str, is_type_of=later), values("own", "foreign"))).errors) == 1


async def test_an_object_of_another_class_is_no_answer_and_a_cast_one_is() -> None:
    @strawberry.interface
    class Named:
        value: str

    @strawberry.type
    class Row(Named):
        pass

    @strawberry.type
    class Other(Named):
        pass

    @strawberry.type
    class Query:
        all: list[Row | None]

    class Model:
        def __init__(self) -> None:
            self.value = "model"

    schema = strawberry.Schema(Query, types=[Other])
    got = await both(schema, [Row(value="a"), Other(value="b"), strawberry.cast(Row, Model()), Model()])
    assert len(got.errors) == 1
    assert got.data.count(b'"model"') == 1


def test_the_product_casts_no_objects() -> None:
    # A plan looks at the class of an object once, and would not see that another object of it was cast.
    root = Path(__file__).resolve().parents[2]
    sources = [
        path for folder in ("schema", "web", "resolvers", "subscriptions") for path in (root / folder).rglob("*.py")
    ]
    assert [path.name for path in sources if "strawberry.cast" in path.read_text()] == []


async def test_introspection_is_graphql_cores() -> None:
    await both(of(str), [], '{ __schema { __typename } __type(name: "Row") { __typename name } }')


async def test_a_resolver_put_in_place_of_the_attribute_is_called() -> None:
    schema = of(str)
    row: Any = schema._schema.type_map["Row"]
    row.fields["value"].resolve = lambda source, info: "put"
    assert b'"put"' in (await both(schema, values("a"))).data


@pytest.mark.parametrize("name", ["two words", "class", "ﬁne", "value"])
async def test_attributes_may_have_any_name(name: str) -> None:
    schema = of(str)
    declared = schema._schema.type_map["Row"].extensions["strawberry-definition"]
    for each in declared.fields:
        each.python_name = name
    row = SimpleNamespace()
    setattr(row, name, "found")
    assert (await both(schema, [row])).errors == []
    assert (Counting.fields == 1) == (name == "value")


class Upper(FieldExtension):
    """Something that stands before the attribute."""

    def resolve(self, next_: Any, source: Any, info: Any, **arguments: Any) -> Any:
        return next_(source, info, **arguments).upper()


async def test_an_attribute_behind_an_extension_is_not_read_past_it() -> None:
    for metadata in ({}, {AT_ONCE: lambda caller: True}):
        schema = of(str, field=strawberry.field(extensions=[Upper()], metadata=metadata))
        assert b'"A"' in (await both(schema, values("a"))).data


def swapped(info: strawberry.Info[Any, None], root: Any) -> str:
    return f"{getattr(root, 'value', None)} {hasattr(info, 'context')}"


async def waiting(root: Any, info: strawberry.Info[Any, None]) -> str:
    return "waited"


def lone(root: Any) -> str:
    return "lone"


@pytest.mark.parametrize("resolver", [swapped, waiting, lone])
async def test_resolvers_of_another_form_are_not_compiled(resolver: Any) -> None:
    field: Any = strawberry.field(resolver=resolver, metadata={AT_ONCE: lambda caller: True})
    row: Any = strawberry.type(type("Row", (), {"found": field}))
    query = strawberry.type(type("Query", (), {"__annotations__": {"all": list[row]}}))
    schema = strawberry.Schema(query)
    assert (await both(schema, values("a"), "{ all { found } }")).errors == []
    plans = Plans()
    await answer(schema, parse("{ all { found } }"), plans, make_root=lambda context: SimpleNamespace(all=values("a")))
    assert set(plans.made.values()) == {None}


@pytest.mark.parametrize("argument", ["", "(times: 2)"])
async def test_fields_with_arguments_are_not_compiled(argument: str) -> None:
    def found(root: Any, info: strawberry.Info[Any, None], times: int = 1) -> str:
        return str(root.value) * times

    field: Any = strawberry.field(resolver=found, metadata={AT_ONCE: lambda caller: True})
    row: Any = strawberry.type(type("Row", (), {"found": field}))
    schema = strawberry.Schema(strawberry.type(type("Query", (), {"__annotations__": {"all": list[row]}})))
    assert (await both(schema, values("a"), f"{{ all {{ found{argument} }} }}")).errors == []
    assert Counting.fields == 2
