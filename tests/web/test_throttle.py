"""Budgets of query cost: the buckets by themselves, and what callers see of them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permissions.principal import Principal
from schema.limits import Limits
from tests.web.server import Edge, message, running
from web.throttle import DEFAULT_RATES, Rate, TokenBuckets, accounts_of

RATES = {"caller": Rate(100, 10), "tenant": Rate(300, 20), "address": Rate(50, 5)}
ADA = (("caller", "ada"), ("tenant", "t"))
BOB = (("caller", "bob"), ("tenant", "t"))
TENANT = UUID(int=1)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_bucket_empties_and_fills() -> None:
    clock = Clock()
    buckets = TokenBuckets(RATES, clock)
    assert buckets.wait(ADA, 100) == 0
    buckets.spend(ADA, 100)
    assert buckets.wait(ADA, 1) == pytest.approx(0.1)
    assert buckets.wait(ADA, 50) == pytest.approx(5)
    clock.seconds += 5
    assert buckets.wait(ADA, 50) == 0
    clock.seconds += 3_600
    assert buckets.status(ADA).available == 100


def test_callers_of_a_tenant_share_its_budget_and_no_other() -> None:
    buckets = TokenBuckets(RATES, Clock())
    for name in "abc":
        buckets.spend((("caller", name), ("tenant", "t")), 100)
    assert buckets.wait(BOB, 1) > 0
    assert buckets.wait((("caller", "bob"), ("tenant", "other")), 100) == 0


def test_status_is_that_of_the_tightest_account() -> None:
    buckets = TokenBuckets(RATES, Clock())
    buckets.spend(ADA, 30)
    assert (buckets.status(ADA).maximum, buckets.status(ADA).available, buckets.status(ADA).per_second) == (100, 70, 10)
    buckets.spend((("tenant", "t"),), 250)
    assert (buckets.status(BOB).maximum, buckets.status(BOB).available) == (300, 20)


@given(st.lists(st.tuples(st.sampled_from(["spend", "settle", "pass"]), st.integers(0, 120)), max_size=30))
def test_a_level_never_exceeds_the_capacity_and_never_loses_points(steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    buckets = TokenBuckets(RATES, clock)
    account = (("caller", "a"),)
    level = 100.0
    for step, amount in steps:
        if step == "pass":
            clock.seconds += amount / 10
            level = min(100.0, level + amount)
        else:
            cost = amount if step == "spend" else -amount
            buckets.spend(account, cost)
            level = min(100.0, level - cost)
        assert buckets.wait(account, 0) == pytest.approx(max(0.0, -level / 10), abs=1e-6)
        assert buckets.status(account).available == pytest.approx(max(0, level), abs=1.001)


def test_memory_is_bounded() -> None:
    buckets = TokenBuckets(RATES, Clock(), most=100)
    for number in range(1_000):
        buckets.spend((("address", str(number)),), 1)
    assert len(buckets) == 100


def test_whose_budget_it_is() -> None:
    assert accounts_of(None, "203.0.113.7") == (("address", "203.0.113.7"),)
    key = Principal(tenant_id=TENANT, actor="k", scopes=frozenset(), api_key_id=UUID(int=2))
    assert accounts_of(key, "x") == (("caller", str(UUID(int=2))), ("tenant", str(TENANT)))
    user = Principal(tenant_id=TENANT, actor="u", scopes=frozenset(), user_id=UUID(int=3), session_id=UUID(int=4))
    assert accounts_of(user, "x")[0] == ("caller", str(UUID(int=3)))


def test_every_default_bucket_can_pay_the_dearest_operation() -> None:
    assert min(rate.capacity for rate in DEFAULT_RATES.values()) >= Limits().cost


async def test_the_answer_tells_requested_and_actual_cost() -> None:
    async with running(now=Clock()) as edge:
        response = await edge.post("{ items { nodes { id child { id } } } }")
    cost = response.json()["extensions"]["cost"]
    # The page could have held 50; it held 4: the root, the connection, four leaves and their children.
    assert cost["requestedQueryCost"] == 102
    assert cost["actualQueryCost"] == 10
    assert cost["throttleStatus"] == {"maximumAvailable": 20_000, "currentlyAvailable": 19_990, "restoreRate": 500}


async def test_braces_in_texts_do_not_count_as_objects(edge: Edge) -> None:
    response = await edge.post('{ hello(name: "{\\"a\\":{\\"b\\":1}}{\\"c") }')
    assert response.json()["extensions"]["cost"]["actualQueryCost"] == 1


async def test_over_the_budget_is_429_with_retry_after_and_nothing_runs() -> None:
    rates = {**RATES, "address": Rate(60, 1)}
    async with running(now=Clock(), rates=rates) as edge:
        query = "{ items(first: 55) { totalCount nodes { id } } }"
        assert (await edge.post(query)).status_code == 200
        for accept in ("application/json", "application/graphql-response+json"):
            response = await edge.post(query, headers={"accept": accept})
            assert response.status_code == 429
            (error,) = response.json()["errors"]
            assert error["extensions"]["code"] == "THROTTLED"
            assert int(response.headers["retry-after"]) == error["extensions"]["retryAfter"] > 0
            assert response.json()["extensions"]["cost"]["requestedQueryCost"] == 57
            assert "data" not in response.json()
        # Another caller has a budget of its own.
        assert (await edge.post("{ hello }", headers={"authorization": "Bearer ada"})).status_code == 200


async def test_refused_documents_cost_too_and_an_empty_bucket_refuses_before_reading_the_document() -> None:
    async with running(now=Clock(), rates={**RATES, "address": Rate(200, 1)}, limits=Limits(cost=100)) as edge:
        for query in ("{", "{ nothing }", "{ items(first: 5000) { nodes { id } } }"):
            response = await edge.post(query)
            assert response.status_code == 400
        misses = edge.operations.cache.misses
        variables: dict[str, object] = {"value": {}}
        assert (await edge.post("query($value: ThingInput!) { thing(value: $value) }", variables)).status_code == 400
        assert edge.operations.cache.misses == misses + 1
        assert (await edge.post("{ hello }")).status_code == 429
        assert edge.operations.cache.misses == misses + 1


async def test_a_websocket_spends_from_the_same_budget() -> None:
    async with running(now=Clock(), rates={**RATES, "address": Rate(60, 1)}) as edge:
        query = "{ items(first: 55) { totalCount nodes { id } } }"
        assert (await edge.post(query)).status_code == 200
        socket = await edge.connect({})
        await socket.send(message("subscribe", id="1", payload={"query": query}))
        assert '"code":"THROTTLED"' in str(await socket.recv())
