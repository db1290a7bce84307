"""The limits of a document, at their edges, and the price of an operation against a naive count."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import DocumentNode, GraphQLError, Lexer, Source, TokenKind, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.limits import Limits, TooComplexError
from schema.limits_cost import coerced_sizes, price
from schema.limits_document import examine
from schema.parsing import DocumentCache
from tests.web.hostile_documents import HOSTILE
from tests.web.sample_schema import schema
from tests.web.steps import counted

LIMITS = Limits()
CORE = schema._schema


async def prepare(text: str, variables: Mapping[str, Any] | None = None, limits: Limits = LIMITS) -> int:
    """The cost, or the first refusal: what the edge does before it runs a document."""
    cache = DocumentCache(schema, limits)
    prepared = cache.read(text)
    facts = prepared.operation(None)
    sizes = coerced_sizes(facts.node, facts.size_variables, variables or {})
    cost = price(facts.plan, prepared.facts.fragments, sizes, limits)
    if cost > limits.cost:
        raise TooComplexError(f"cost {cost}")
    for error in await cache.validate(text, prepared):
        raise error
    return cost


def tokens(text: str) -> int:
    lexer = Lexer(Source(text))
    count = 0
    while lexer.advance().kind is not TokenKind.EOF:
        count += 1
    return count


def with_tokens(count: int) -> str:
    return "{nodes(ids:[" + "1 " * (count - 12) + "]){id}}"


AT_AND_OVER: dict[str, tuple[str, str]] = {
    "tokens": (with_tokens(1_000), with_tokens(1_001)),
    "bytes": ("{hello}" + "," * 14_993, "{hello}" + "," * 14_994),
    "bytes, not characters": ('{hello(name:"' + "ü" * 7_492 + '")}', '{hello(name:"' + "ü" * 7_493 + '")}'),
    "comments": ("#\n" * 200 + "{hello}", "#\n" * 201 + "{hello}"),
    "depth": ("{leaf{" + "child{" * 8 + "id" + "}" * 10, "{leaf{" + "child{" * 9 + "id" + "}" * 11),
    "depth through a fragment": (
        "{leaf{child{child{child{child{...F}}}}}} fragment F on Leaf{child{child{child{child{id}}}}}",
        "{leaf{child{child{child{child{...F}}}}}} fragment F on Leaf{child{child{child{child{child{id}}}}}}",
    ),
    "depth through an inline fragment": (
        "{leaf{...{" + "child{" * 8 + "id" + "}" * 11,
        "{leaf{...{" + "child{" * 9 + "id" + "}" * 12,
    ),
    "aliases": (
        "{" + " ".join(f"a{number}:hello" for number in range(15)) + "}",
        "{" + " ".join(f"a{number}:hello" for number in range(16)) + "}",
    ),
    "aliases in fragments": (
        "{...F b:hello} fragment F on Query{" + " ".join(f"a{number}:hello" for number in range(14)) + "}",
        "{...F b:hello} fragment F on Query{" + " ".join(f"a{number}:hello" for number in range(15)) + "}",
    ),
    "directives": (
        "{" + " ".join("...@include(if:true){hello}" for _ in range(20)) + "}",
        "{" + " ".join("...@include(if:true){hello}" for _ in range(21)) + "}",
    ),
    "cost": ("{items(first:4999){nodes{child{id}}}}", "{items(first:5000){nodes{child{id}}}}"),
}


@pytest.mark.parametrize(("at", "over"), AT_AND_OVER.values(), ids=AT_AND_OVER.keys())
async def test_a_limit_holds_at_its_edge(at: str, over: str) -> None:
    await prepare(at)
    with pytest.raises(TooComplexError):
        await prepare(over)


def test_the_token_documents_are_what_they_say() -> None:
    assert [tokens(text) for text in AT_AND_OVER["tokens"]] == [1_000, 1_001]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_documents_are_refused_within_bounded_steps(text: str) -> None:
    """450,000 calls take about 40 ms on one core of a small machine; without the limits some of these take minutes."""
    with counted("schema/limits") as steps, pytest.raises(GraphQLError):
        await prepare(text)
    assert steps.total < 450_000
    if len(text) <= LIMITS.document_bytes and steps.inside:
        assert steps.inside <= 12 * tokens(text) + 100


@pytest.mark.parametrize("doublings", [5, 10, 20, 40])
def test_examining_and_pricing_take_time_in_proportion_to_the_text(doublings: int) -> None:
    fragments = " ".join(f"fragment F{n} on Query{{...F{n + 1} ...F{n + 1} leaf{{id}}}}" for n in range(doublings))
    document = parse("{...F0}" + fragments + f"fragment F{doublings} on Query{{leaf{{id}}}}")
    with counted("schema/limits") as steps:
        facts = examine(CORE, document, LIMITS)
        operation = facts.operations[None]
        cost = price(operation.plan, facts.fragments, {}, LIMITS)
    assert facts.visited == 1 + 5 * doublings + 3
    assert steps.inside <= 30 * doublings + 60
    assert cost == 2 ** (doublings + 1)


@pytest.mark.parametrize(
    ("text", "variables", "cost"),
    [
        ("{hello}", {}, 1),
        ("{hello __typename}", {}, 1),
        ("{leaf{id name}}", {}, 2),
        ("{leaf{child{id} children{id}}}", {}, 13),
        ("{leaves{id}}", {}, 11),
        ("{leaves{children{id}}}", {}, 111),
        ("{items{totalCount}}", {}, 2),
        ("{items{nodes{id}}}", {}, 52),
        ("{items(first:7){nodes{id}}}", {}, 9),
        ("{items(first:7){nodes{id} edges{node{id}}}}", {}, 23),
        ("{items(first:7){...F ...F}} fragment F on LeafConnection{nodes{id}}", {}, 16),
        ("{items(first:7){...F} b:items(first:1){...F}} fragment F on LeafConnection{nodes{child{id}}}", {}, 19),
        ("{items(first:null){nodes{id}}}", {}, 52),
        ("{items(first:-5){nodes{id}}}", {}, 2),
        ("query($n:Int){items(first:$n){nodes{id}}}", {}, 52),
        ("query($n:Int){items(first:$n){nodes{id}}}", {"n": None}, 52),
        ("query($n:Int){items(first:$n){nodes{id}}}", {"n": 9}, 11),
        ("query($n:Int){items(first:$n){nodes{id}}}", {"n": 9.0}, 11),
        ("query($n:Int=3){items(first:$n){nodes{id}}}", {}, 5),
        ("query($n:Int=3){items(first:$n){nodes{id}}}", {"n": None}, 52),
        ("query($n:Int=3){...F} fragment F on Query{items(first:$n){nodes{id}}}", {"n": 4}, 6),
        ("{nodes(ids:[1,2,3]){id}}", {}, 4),
        ("{nodes(ids:1){id}}", {}, 2),
        ("{nodes(ids:[]){id}}", {}, 1),
        ("query($i:[ID!]!){nodes(ids:$i){child{id}}}", {"i": ["a", "b"]}, 5),
        ("query($i:[ID!]!){nodes(ids:$i){id}}", {"i": "a"}, 2),
        ("query($i:ID!){nodes(ids:[$i,$i]){id}}", {"i": "a"}, 3),
        ("mutation{bump}", {}, 1),
        ("subscription{ticks{number}}", {}, 2),
        ("{__schema{types{name fields{name}}}}", {}, 4),
    ],
)
async def test_the_price_is_as_documented(text: str, variables: dict[str, Any], cost: int) -> None:
    assert await prepare(text, variables) == cost


async def test_the_cost_counts_the_variables_that_are_sent() -> None:
    text = "query($n:Int){items(first:$n){nodes{children{children{id}}}}}"
    assert await prepare(text, {"n": 80}) == 8_882
    with pytest.raises(TooComplexError):
        await prepare(text, {"n": 100})


async def test_a_list_may_have_a_length_of_its_own() -> None:
    limits = Limits(list_sizes={"Query.leaves": 3})
    assert await prepare("{leaves{id}}", limits=limits) == 4


async def test_the_standard_introspection_query_passes() -> None:
    from graphql import get_introspection_query

    await prepare(get_introspection_query(descriptions=True, input_value_deprecation=True))


async def test_a_large_honest_document_passes() -> None:
    shared = "id name child{id name} children{id name child{id}}"
    parts = " ".join(f"fragment F{number} on Leaf{{{shared}}}" for number in range(18))
    spreads = " ".join(f"...F{number}" for number in range(18))
    await prepare(f"{{leaf{{{spreads}}} items(first:5){{nodes{{{spreads}}}}}}}{parts}", limits=Limits(list_size=2))


def naive(document: DocumentNode, limits: Limits) -> tuple[int, int]:
    """Cost and depth by writing every fragment out, as a reference."""
    from graphql import FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode, print_ast

    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    kinds = {
        "hello": 0,
        "id": 0,
        "name": 0,
        "totalCount": 0,
        "leaf": 1,
        "child": 1,
        "node": 1,
        "leaves": 10,
        "children": 10,
    }

    def walk(selection_set: Any, page: int) -> tuple[int, int]:
        cost = depth = 0
        for selection in selection_set.selections:
            if isinstance(selection, InlineFragmentNode):
                found = walk(selection.selection_set, page)
                cost, depth = cost + found[0], max(depth, found[1])
                continue
            name = selection.name.value
            if print_ast(selection).startswith("..."):
                found = walk(fragments[name].selection_set, page)
                cost, depth = cost + found[0], max(depth, found[1])
                continue
            first = int(selection.arguments[0].value.value) if selection.arguments else limits.page_size
            inner = walk(selection.selection_set, first) if selection.selection_set else (0, 0)
            times = 1 if name == "items" else page if name in ("nodes", "edges") else kinds[name]
            cost, depth = cost + times * (1 + inner[0]), max(depth, 1 + inner[1])
        return cost, depth

    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    cost, depth = walk(operation.selection_set, limits.page_size)
    return 1 + cost, depth


def selections(level: int, on: str) -> st.SearchStrategy[str]:
    """Selections on Leaf or LeafConnection; fragments are spread only by lower-numbered ones, so there is no cycle."""
    spreads = [f"...{on}{number}" for number in range(level + 1, 4)]
    base = st.sampled_from([*(["id", "name"] if on == "Leaf" else ["totalCount"]), *spreads])

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        if on == "Leaf":
            return st.one_of(
                st.builds("child{{{}}}".format, inner),
                st.builds("children{{{}}}".format, inner),
                st.builds("... on Leaf{{{}}}".format, inner),
                st.builds("{} {}".format, inner, inner),
            )
        return st.one_of(st.builds("...{{{}}}".format, inner), st.builds("{} {}".format, inner, inner))

    return st.recursive(base, extend, max_leaves=5)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_price_and_depth_equal_those_of_the_document_written_out(data: st.DataObject) -> None:
    parts = []
    for number in range(4):
        leaf = data.draw(selections(number, "Leaf"))
        connection = data.draw(selections(number, "Page"))
        page = data.draw(st.sampled_from(["nodes", "edges"]))
        inner = data.draw(selections(number, "Leaf"))
        inner = inner if page == "nodes" else f"node{{{inner}}}"
        parts.append(f"fragment Leaf{number} on Leaf{{{leaf}}}")
        parts.append(f"fragment Page{number} on LeafConnection{{{connection} {page}{{{inner}}}}}")
    first = data.draw(st.integers(0, 100))
    text = f"{{leaf{{...Leaf0}} items(first:{first}){{...Page0}} items{{...Page1}}}} {' '.join(parts)}"
    document = parse(text)
    limits = Limits(depth=1_000)
    facts = examine(CORE, document, limits)
    operation = facts.operations[None]
    cost, depth = naive(document, limits)
    assert price(operation.plan, facts.fragments, {}, limits) == cost
    if depth > 1:
        with pytest.raises(TooComplexError, match=f"{depth} levels"):
            examine(CORE, document, Limits(depth=depth - 1))
    examine(CORE, document, Limits(depth=depth))
