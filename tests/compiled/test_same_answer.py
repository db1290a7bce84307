"""Plans answer what graphql-core answers, to the byte: drawn schemas, data and documents through both."""

import asyncio
import gc
from typing import Any

import pytest
from graphql import NoUnusedVariablesRule, parse, specified_rules, validate
from hypothesis import given, settings
from hypothesis import strategies as st

from permissions.scopes import Scope
from schema.compiled import Plans
from tests.compiled.drawn_data import Maker, odds
from tests.compiled.drawn_documents import documents
from tests.compiled.drawn_schema import drawn_schema
from tests.compiled.execution import answer

RULES = [rule for rule in specified_rules if rule is not NoUnusedVariablesRule]
SCOPES = (frozenset({Scope.CUSTOMERS_READ.value}), frozenset[str]())

# When an error bubbles up, graphql-core itself drops coroutines of its own. Those of data and resolvers are counted instead.
CORE_DROPS = pytest.mark.filterwarnings(
    r"ignore:coroutine '(Executor|GraphQLCoreConverter)\.:RuntimeWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@st.composite
def cases(draw: Any, seeds: int) -> tuple[int, str, Any, list[bool]]:
    """The seed of a schema, a document, odd values, and for each execution whether the variable and the scope are there."""
    seed = draw(st.integers(0, seeds - 1))
    drawn = drawn_schema(seed)
    return seed, draw(documents(drawn)), draw(odds(drawn)), draw(st.lists(st.booleans(), min_size=2, max_size=2))


async def compare(seed: int, text: str, odd: Any, changes: list[bool]) -> None:
    """Execute with and without plans.

    Raises:
        AssertionError: they differ.
    """
    drawn = drawn_schema(seed)
    document = parse(text)
    assert validate(drawn.schema._schema, document, RULES) == [], text
    plans = Plans()
    for yes, scoped in ((False, False), (False, False), (changes[0], changes[1])):
        given: dict[str, Any] = {
            "make_root": lambda context: Maker(drawn, odd, context).root(),
            "variables": {"yes": yes},
            "scopes": SCOPES[scoped],
        }
        expected, left = await answer(drawn.schema, document, **given)
        found, left_by_plans = await answer(drawn.schema, document, plans, **given)
        assert found == expected
        assert left_by_plans <= left, "a coroutine was dropped"


def check(examples: int, seeds: int) -> None:
    @settings(max_examples=examples)
    @given(cases(seeds))
    def same(case: tuple[int, str, Any, list[bool]]) -> None:
        runner.run(compare(*case))

    with asyncio.Runner() as runner:
        same()
    gc.collect()


@CORE_DROPS
def test_plans_answer_the_same() -> None:
    check(100, 8)


@pytest.mark.soak
@CORE_DROPS
def test_plans_answer_the_same_in_many_schemas() -> None:
    check(20_000, 200)
