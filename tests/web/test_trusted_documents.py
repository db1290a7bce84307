"""Trusted documents: known by their ids, made ready once, and all that callers may send where others are refused."""

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from schema.limits import Limits
from schema.parsing import DocumentCache
from settings import Settings
from tests.service import Client, Service, running_service
from tests.web.sample_schema import schema
from tests.web.server import GRAPHQL, Edge, message, running
from tests.web.talk import received
from tests.world import new_world
from web.graphql_operations import Operations
from web.pages_operations import operations
from web.throttle import DEFAULT_RATES, rates
from web.trusted_documents import TrustedDocuments, document_id, manifest

GREETING = "query Greeting($name: String!) { hello(name: $name) }"
TWO = "query One { hello } query Two { leaf { id } }"
PAGE = "query Page($first: Int) { items(first: $first) { nodes { id } } }"
TICKS = "subscription Ticks { ticks { number } }"
BUMP = "mutation Bump { bump }"
TEXTS = manifest((GREETING, TWO, PAGE, TICKS, BUMP))


async def send(edge: Edge, text: str, variables: Any = None, **rest: Any) -> httpx.Response:
    """The document of this text, by its id."""
    headers = {"accept": GRAPHQL, **rest.pop("headers", {})}
    body = {"documentId": sha256(text.encode()).hexdigest(), "variables": variables, **rest}
    return await edge.http.post(edge.url, json=body, headers=headers)


def code_of(answer: Any) -> str:
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


async def test_a_document_runs_by_its_id_with_variables_and_an_operation_name() -> None:
    async with running(trusted=TrustedDocuments(TEXTS)) as edge:
        assert (await send(edge, GREETING, {"name": "Ada"})).json()["data"] == {"hello": "Hello, Ada"}
        assert (await send(edge, TWO, operationName="Two")).json()["data"] == {"leaf": {"id": "0"}}
        assert (await send(edge, TWO)).status_code == 400
        assert (await send(edge, GREETING, {})).status_code == 400


async def test_a_trusted_document_is_parsed_and_validated_at_the_start_and_never_again() -> None:
    # Limits of its own give it a cache of its own; one that can keep a single other document.
    limits = Limits(seconds=9)
    cache = DocumentCache(schema, limits, keep_bytes=60)
    operations = Operations(schema, limits, cache=cache, trusted=TrustedDocuments(TEXTS))
    assert (cache.misses, cache.validations) == (len(TEXTS), len(TEXTS))
    async with running(limits=limits) as edge:
        edge.operations.cache, edge.operations.trusted = operations.cache, operations.trusted
        for number in range(5):
            assert (await edge.post(f"{{ number{number}: hello leaf {{ id name }} }}")).status_code == 200
        parsed, validated, recalled = cache.misses, cache.validations, cache.hits
        assert (parsed, validated) == (len(TEXTS) + 5, len(TEXTS) + 5)
        assert (await send(edge, GREETING, {"name": "Ada"})).status_code == 200
        # The same text sent as a query is the same document.
        assert (await edge.post(GREETING, {"name": "Bob"})).status_code == 200
        assert (cache.misses, cache.validations, cache.hits) == (parsed, validated, recalled + 2)


async def test_an_unknown_id_is_refused_on_both_ways_in() -> None:
    async with running(trusted=TrustedDocuments(TEXTS)) as edge:
        answer = await send(edge, "{ hello }")
        assert (answer.status_code, code_of(answer.json())) == (400, "DOCUMENT_NOT_FOUND")
        assert "data" not in answer.json()
        socket = await edge.connect({})
        await socket.send(message("subscribe", id="1", payload={"documentId": "nothing"}))
        refused = await received(socket)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "DOCUMENT_NOT_FOUND")


async def test_a_subscription_runs_by_its_id() -> None:
    async with running(trusted=TrustedDocuments(TEXTS)) as edge:
        socket = await edge.connect({})
        await socket.send(message("subscribe", id="1", payload={"documentId": document_id(TICKS)}))
        numbers = [(await received(socket))["payload"]["data"]["ticks"]["number"] for _ in range(3)]
        assert numbers == [0, 1, 2]
        assert (await received(socket))["type"] == "complete"


async def test_a_trusted_document_is_priced_with_its_variables_and_held_to_all_guards() -> None:
    async with running(trusted=TrustedDocuments(TEXTS)) as edge:
        for first, requested in ((3, 5), (30, 32)):
            body = (await send(edge, PAGE, {"first": first})).json()
            assert body["extensions"]["cost"]["requestedQueryCost"] == requested
        answer = await send(edge, PAGE, {"first": 1_000_000})
        assert (answer.status_code, code_of(answer.json())) == (400, "QUERY_TOO_COMPLEX")
        assert (await send(edge, TICKS)).status_code == 400
        with_cookie = await send(edge, BUMP, headers={"cookie": "sps_session=ada"})
        assert (with_cookie.status_code, code_of(with_cookie.json())) == (403, "FORBIDDEN")
        assert edge.world.mutations == 0


@pytest.mark.parametrize("text", ["{", "{ nothing }", "{ leaf { child { child { child { id } } } } }"])
def test_a_document_that_callers_might_not_send_ends_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="A trusted document is refused"):
        Operations(schema, Limits(depth=4), trusted=TrustedDocuments(manifest([text])))


async def test_where_only_keys_may_send_text_everybody_else_is_refused() -> None:
    async with running(trusted=TrustedDocuments(TEXTS, "api_keys")) as edge:
        parsed = edge.operations.cache.misses
        for headers in ({}, {"cookie": "sps_session=ada"}):
            # Also the text of a trusted document.
            for text in ("{ leaf { name } }", TWO):
                answer = await edge.post(text, headers=headers)
                assert (answer.status_code, code_of(answer.json())) == (400, "TRUSTED_DOCUMENT_REQUIRED")
            assert (await send(edge, GREETING, {"name": "x"}, headers=headers)).status_code == 200
        socket = await edge.connect({})
        await socket.send(message("subscribe", id="1", payload={"query": TICKS}))
        refused = await received(socket)
        assert refused["payload"][0]["extensions"]["code"] == "TRUSTED_DOCUMENT_REQUIRED"
        assert edge.operations.cache.misses == parsed


async def by_id(client: Client, name: str, **variables: Any) -> Any:
    """One of the pages' operations, as they send it."""
    headers = {"x-csrf-token": token} if (token := client.http.cookies.get("sps_csrf")) else {}
    body = {"documentId": document_id(operations()[name]), "variables": variables, "operationName": name}
    return (await client.http.post(client.url, json=body, headers=headers)).json()


async def test_the_product_refuses_text_but_from_keys_and_answers_its_own_pages(
    database_url: str, service: Service
) -> None:
    async with new_world(service) as world:
        made = await world.api.do("apiKeyCreate", "key userErrors { code }", name="Partner", scopes=["customers:read"])
        key = service.app.state.settings.secret_key
        async with running_service(database_url, secret_key=key, ad_hoc_documents="api_keys") as strict:
            page, partner = strict.client(), strict.client()
            page.http.cookies = world.api.http.cookies
            partner.http.headers["authorization"] = f"Bearer {made['key']}"
            found = await by_id(page, "Viewer")
            assert found["data"]["viewer"]["tenant"]["name"] == world.name
            assert code_of((await page.post("{ viewer { scopes } }")).json()) == "TRUSTED_DOCUMENT_REQUIRED"
            assert (await partner.ask("{ viewer { scopes } }"))["viewer"]["scopes"] == ["customers:read"]
            assert (await by_id(partner, "Viewer"))["data"]["viewer"]["scopes"] == ["customers:read"]


async def test_the_pages_are_told_the_ids_and_not_the_texts(service: Service) -> None:
    text = (await service.client().http.get(f"{service.origin}/static/operations.js")).text
    told = json.loads(text.removeprefix("export default ").removesuffix(";\n"))
    assert told == {name: document_id(document) for name, document in operations().items()}


def test_budgets_grow_with_their_factor() -> None:
    assert rates(1) == DEFAULT_RATES
    assert {kind: (rate.capacity, rate.per_second) for kind, rate in rates(0.5).items()} == {
        "caller": (25_000, 1_250),
        "tenant": (100_000, 5_000),
        "address": (10_000, 250),
    }
    # The least that the setting allows still lets the dearest operation through.
    assert min(rate.capacity for rate in rates(0.5).values()) >= Limits().cost
    with pytest.raises(ValueError, match=r"greater than or equal to 0\.5"):
        Settings(budget_factor=0.49)


async def test_the_products_budgets_follow_the_setting(database_url: str) -> None:
    async with running_service(database_url, budget_factor=3) as service:
        body = (await service.client().post("{ viewer { scopes } }")).json()
    assert body["extensions"]["cost"]["throttleStatus"]["maximumAvailable"] == 60_000
