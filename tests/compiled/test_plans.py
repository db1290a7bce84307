"""When plans are used, when they are not made, and when they give up: each by what graphql-core is left to do."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, parse
from graphql.pyutils import AbortController
from strawberry.schema.config import StrawberryConfig

from schema.compiled import AT_ONCE, Plans
from schema.fields import PUBLIC, relation
from tests.compiled.execution import Answer, CallerContext, Counting, answer, executor, settled, told
from tests.web.sample_schema import principal


@strawberry.type
class Part:
    name: str


@strawberry.type
class Thing:
    name: str
    number: int
    parts: list[Part]
    maybe: Part | None = None

    @relation(PUBLIC)
    def part(self, info: strawberry.Info[CallerContext, None]) -> Part:
        part: Part = found(self)
        return part


@strawberry.type
class Query:
    things: list[Thing]


@strawberry.type
class ThingPayload:
    thing: Thing | None
    messages: list[str]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self) -> ThingPayload:
        return ThingPayload(thing=things(1)[0], messages=["changed"])

    @strawberry.mutation
    async def spoil(self) -> ThingPayload:
        thing = things(1)[0]
        thing.number = 2**40
        return ThingPayload(thing=thing, messages=["spoiled"])


SCHEMA = strawberry.Schema(Query, Mutation)
PLAIN = "{ things { __typename name number: number other: number parts { name } maybe { name } part { name } } }"
asked: list[Any] = []


def found(thing: Thing) -> Any:
    """What the relation answers: the first part, or what the test has laid in its place."""
    asked.append(thing)
    answers = thing.parts[0]
    return answers() if callable(answers) else answers


def things(count: int) -> list[Thing]:
    return [Thing(name=f"thing {number}", number=number, parts=[Part(name="part")]) for number in range(count)]


async def both(
    text: str, make: Callable[[], Any], schema: strawberry.Schema = SCHEMA, plans: Plans | None = None
) -> tuple[Answer, int]:
    """The answer, the same either way, and how many fields graphql-core did beside the plans.

    Raises:
        AssertionError: the answers differ.
    """
    document = parse(text)
    expected, _ = await answer(schema, document, make_root=lambda context: make())
    asked.clear()
    got, _ = await answer(schema, document, Plans() if plans is None else plans, make_root=lambda context: make())
    assert got == expected
    return got, Counting.fields


def rooted(**values: Any) -> Callable[[], Any]:
    return lambda: SimpleNamespace(**values)


def compiled(plans: Plans) -> int:
    return sum(plan is not None for plan in plans.made.values())


async def test_of_plain_things_graphql_core_does_the_root_field_alone() -> None:
    got, fields = await both(PLAIN, lambda: SimpleNamespace(things=things(100)))
    assert fields == 1
    assert got.errors == []
    assert got.data.count(b'"other"') == 100


async def test_plans_are_made_once_for_a_document() -> None:
    document, plans = parse(PLAIN), Plans()
    for _ in range(2):
        await answer(SCHEMA, document, plans, make_root=lambda context: SimpleNamespace(things=things(2)))
        assert len(plans.made) == 1
    kept = next(iter(plans.made.values()))
    assert kept is not None
    await answer(SCHEMA, document, plans, make_root=lambda context: SimpleNamespace(things=things(2)))
    assert list(plans.made.values()) == [kept]


@pytest.mark.parametrize("field", ["change", "spoil"])
async def test_a_mutations_payload_is_planned_like_any_object(field: str) -> None:
    got, fields = await both(f"mutation {{ {field} {{ messages thing {{ number part {{ name }} }} }} }}", lambda: None)
    assert (fields == 1) == (field == "change")
    assert bool(got.errors) == (field == "spoil")


@pytest.mark.parametrize(
    "selection",
    [
        "name @include(if: $yes)",
        "name @skip(if: false)",
        "... @include(if: true) { name }",
        "...named @skip(if: $yes)",
        "... { ... { name @skip(if: $yes) } }",
        "...outer",
        "parts { name @skip(if: $yes) }",
    ],
)
@pytest.mark.parametrize("yes", [True, False])
async def test_nothing_is_compiled_above_a_directive(selection: str, yes: bool) -> None:
    text = (
        f"query Q($yes: Boolean!) {{ things {{ number {selection} }} }}"
        "fragment named on Thing { name } fragment outer on Thing { name @include(if: $yes) }"
    )
    document, plans = parse(text), Plans()
    for each in (yes, not yes):
        options: dict[str, Any] = {
            "make_root": lambda context: SimpleNamespace(things=things(3)),
            "variables": {"yes": each},
        }
        expected, _ = await answer(SCHEMA, document, **options)
        assert (await answer(SCHEMA, document, plans, **options))[0] == expected
    assert compiled(plans) == 0


async def test_what_lies_beside_a_directive_is_compiled() -> None:
    plans = Plans()
    text = "{ things { number @include(if: true) parts { name } } }"
    _, fields = await both(text, lambda: SimpleNamespace(things=things(3)), plans=plans)
    assert fields == 1 + 3 * 2
    assert compiled(plans) == 1


async def test_fragments_with_variables_of_their_own_are_not_compiled() -> None:
    document = parse(
        "{ things { ...named(v: 1) } } fragment named($v: Int!) on Thing { name }", experimental_fragment_arguments=True
    )
    plans = Plans()
    options: dict[str, Any] = {"make_root": lambda context: SimpleNamespace(things=things(1))}
    expected, _ = await answer(SCHEMA, document, **options)
    assert (await answer(SCHEMA, document, plans, **options))[0] == expected
    assert compiled(plans) == 0


async def test_a_field_that_is_not_there_is_left_to_graphql_core() -> None:
    # As no document is that was validated.
    got, _ = await both("{ things { name nothing } }", lambda: SimpleNamespace(things=things(1)))
    assert got.data == b'{"things":[{"name":"thing 0"}]}'


async def test_an_exception_in_the_fiftieth_of_a_hundred_is_that_ones_alone() -> None:
    def made() -> Any:
        root = SimpleNamespace(things=things(100))
        root.things[50].maybe = ValueError("fifty")
        return root

    got, fields = await both("{ things { name maybe { name } } }", made)
    assert [error["path"] for error in got.errors] == [["things", 50, "maybe"]]
    assert got.data.count(b'"name"') == 100
    # Its own two, the others by their plan.
    assert fields == 1 + 2


async def test_what_is_not_ready_gives_up_the_selection_and_awaits() -> None:
    async def later() -> Part:
        return Part(name="later")

    def made() -> Any:
        root = SimpleNamespace(things=things(100))
        for thing in root.things:
            thing.parts = [later]
        return root

    got, _ = await both("{ things { part { name } } }", made)
    assert got.data.count(b'"later"') == 100
    # Once for the list, once for the first object, and then as graphql-core asks.
    assert len(asked) == 2 + 100


async def test_each_event_of_a_subscription_may_try_its_plans_again() -> None:
    async def later() -> Part:
        return Part(name="later")

    plans, context = Plans(), CallerContext(principal("ada"))
    first = executor(SCHEMA, parse("{ things { part { name } } }"), plans, context)
    waits = things(1)
    waits[0].parts = [later]  # type: ignore[list-item]
    for rows, fields in ((waits, 2), (things(1), 1)):
        Counting.fields = 0
        event = first.build_per_event_executor(SimpleNamespace(things=rows))
        result = await settled(event.execute_operation(False))
        assert isinstance(result, ExecutionResult)
        assert result.errors is None
        assert Counting.fields == fields


class Refusing:
    """A rule that counts how often it is asked."""

    def __init__(self, answers: Callable[[], bool]) -> None:
        self.answers = answers
        self.asked = 0

    def allows(self, caller: object) -> bool:
        self.asked += 1
        return self.answers()


def ruled(rule: Refusing) -> strawberry.Schema:
    """A schema of a relation that the rule guards, as `relation` does."""

    def part(self: Any, info: strawberry.Info[Any, None]) -> str:
        if not rule.answers():
            raise PermissionError("refused")
        return "part"

    guarded: Any = strawberry.field(resolver=part, metadata={AT_ONCE: rule.allows})
    ruled_type = strawberry.type(type("Ruled", (), {"__annotations__": {"name": str}, "part": guarded}))
    query = strawberry.type(type("Query", (), {"__annotations__": {"all": list[ruled_type]}}))  # type: ignore[valid-type]
    return strawberry.Schema(query)


def _fails() -> bool:
    raise LookupError("no rule")


@pytest.mark.parametrize("answers", [lambda: False, _fails])
async def test_a_rule_that_refuses_or_fails_leaves_it_to_graphql_core(answers: Callable[[], bool]) -> None:
    rule = Refusing(answers)
    rows = [SimpleNamespace(name="a"), SimpleNamespace(name="b")]
    document, plans = parse("{ all { name part } }"), Plans()
    options: dict[str, Any] = {"make_root": lambda context: SimpleNamespace(all=rows)}
    expected, _ = await answer(ruled(rule), document, **options)
    schema = ruled(rule)
    got, _ = await answer(schema, document, plans, **options)
    assert got == expected
    assert got.errors
    assert compiled(plans) > 0


async def test_a_rule_is_asked_once_for_a_list() -> None:
    rule = Refusing(lambda: True)
    rows = [SimpleNamespace(name=str(number)) for number in range(100)]
    got, fields = await both("{ all { name part } }", rooted(all=rows), ruled(rule))
    assert (fields, rule.asked) == (1, 1)
    assert got.errors == []


@pytest.mark.parametrize("option", ["middleware", "abort_signal"])
async def test_with_middleware_or_a_signal_nothing_is_compiled(option: str) -> None:
    def middle(resolve: Any, source: Any, info: Any, **arguments: Any) -> Any:
        value = resolve(source, info, **arguments)
        return value.upper() if isinstance(value, str) else value

    given: Any = [middle] if option == "middleware" else AbortController().signal
    document: DocumentNode = parse("{ things { name } }")
    answers = []
    for plans in (None, Plans()):
        context = CallerContext(principal("ada"))
        built = executor(SCHEMA, document, plans, context, SimpleNamespace(things=things(2)), **{option: given})
        answers.append(told(await settled(built.execute_operation()), context))
        assert Counting.fields == 3
    assert answers[0] == answers[1]


async def test_the_config_may_read_attributes_otherwise() -> None:
    config = StrawberryConfig(default_resolver=lambda source, name: source[name])
    schema = strawberry.Schema(Query, config=config)
    rows = [{"name": "a dict's"}]
    got, _ = await both("{ things { name } }", lambda: {"things": rows}, schema)
    assert b"a dict's" in got.data
