"""GraphQL over HTTP against a real server: negotiation, methods, malformed requests, cookies, CSRF."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from schema.limits import Limits
from tests.web.sample_schema import COOKIES
from tests.web.server import GRAPHQL, Edge, running

JSON = "application/json"


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/html, */*;q=0.1", JSON),
        (JSON, JSON),
        ("application/json; charset=utf-8", JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0.5, {JSON}", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9, */*;q=0.1", GRAPHQL),
        (f"{JSON};q=0, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", JSON),
    ],
)
async def test_media_type_is_negotiated(edge: Edge, accept: str | None, expected: str) -> None:
    request = edge.http.build_request("POST", edge.url, json={"query": "{ hello }"})
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    response = await edge.http.send(request)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"
    assert response.json()["data"] == {"hello": "Hello, world"}


async def test_an_unwanted_media_type_is_406(edge: Edge) -> None:
    response = await edge.post("{ hello }", headers={"accept": "text/html"})
    assert response.status_code == 406


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "query($a: ID!) { hello }", "{ leaf }", "", "fragment F on Query { hello }"]
)
async def test_request_errors_are_400_or_200_by_media_type_and_without_data(edge: Edge, query: str) -> None:
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        response = await edge.post(query, headers={"accept": accept})
        assert response.status_code == status
        assert "data" not in response.json()
        assert codes(response) == ["BAD_USER_INPUT"] * len(response.json()["errors"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_only_post(edge: Edge, method: str) -> None:
    response = await edge.http.request(method, edge.url, params={"query": "{ hello }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; x=application/json",
        "application/jsonp",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/graphql",
    ],
)
async def test_other_content_types_are_415(edge: Edge, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    response = await edge.http.post(edge.url, content=b'{"query":"mutation{bump}"}', headers=headers)
    assert response.status_code == 415
    assert edge.world.mutations == 0


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"'],
)
async def test_json_in_utf8_is_taken(edge: Edge, content_type: str) -> None:
    response = await edge.http.post(
        edge.url,
        content='{"query":"{ hello(name: \\"Jürgen 🏊\\") }"}'.encode(),
        headers={"content-type": content_type},
    )
    assert response.json()["data"] == {"hello": "Hello, Jürgen 🏊"}


async def test_a_compressed_body_is_415(edge: Edge) -> None:
    response = await edge.http.post(
        edge.url, content=b"\x1f\x8b", headers={"content-type": JSON, "content-encoding": "gzip"}
    )
    assert response.status_code == 415


HOSTILE_BODIES: dict[str, bytes] = {
    "nothing": b"",
    "one": b"1",
    "null": b"null",
    "true": b"true",
    "a string": b'"{ hello }"',
    "a batch": b'[{"query":"{ hello }"}]',
    "an empty batch": b"[]",
    "cut off": b'{"query":"{ hello }"',
    "two values": b'{"query":"{ hello }"}{}',
    "not UTF-8": b'{"query":"{ hello(name: \\"\xff\\") }"}',
    "UTF-16": '{"query":"{ hello }"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"query":"{ hello }"}',
    "a lone surrogate": b'{"query":"{ hello }","variables":{"a":"\\ud800"}}',
    "a lone surrogate as a key": b'{"query":"{ hello }","variables":{"\\udfff":1}}',
    "deep lists": b'{"query":"{ hello }","variables":{"a":' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
    "lists of depth 40": b'{"query":"{ hello }","variables":{"a":' + b"[" * 40 + b"]" * 40 + b"}}",
    "deep objects": b'{"a":' * 15_000 + b"1" + b"}" * 15_000,
    "never closed": b"[" * 90_000,
    "NaN": b'{"query":"{ hello }","variables":{"a":NaN}}',
    "Infinity": b'{"query":"{ hello }","variables":{"a":-Infinity}}',
    "a float beyond range": b'{"query":"{ hello }","variables":{"a":1e999}}',
    "a huge integer": b'{"query":"{ hello }","variables":{"a":' + b"9" * 400 + b"}}",
    "an integer of 65 bits": b'{"query":"{ hello }","variables":{"a":18446744073709551616}}',
    "90,000 digits": b'{"query":"{ hello }","variables":{"a":-' + b"9" * 90_000 + b"}}",
    "too many values": b'{"query":"{ hello }","variables":{"a":[' + b"1," * 20_000 + b"1]}}",
    "no query": b'{"qeury":"{ hello }"}',
    "a null query": b'{"query":null}',
    "a number as query": b'{"query":1}',
    "an object as query": b'{"query":{}}',
    "a list as query": b'{"query":["{ hello }"]}',
    "a string as variables": b'{"query":"{ hello }","variables":"{}"}',
    "a list as variables": b'{"query":"{ hello }","variables":[]}',
    "a number as documentId": b'{"documentId":1}',
    "both a query and a documentId": b'{"query":"{ hello }","documentId":"x"}',
    "an empty query and a documentId": b'{"query":"","documentId":"x"}',
    "nulls for both": b'{"query":null,"documentId":null}',
    "a number as operationName": b'{"query":"{ hello }","operationName":1}',
    "false as extensions": b'{"query":"{ hello }","extensions":false}',
}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES.keys())
@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_hostile_bodies_are_400(edge: Edge, body: bytes, accept: str) -> None:
    response = await edge.http.post(edge.url, content=body, headers={"content-type": JSON, "accept": accept})
    assert response.status_code == 400
    assert codes(response) == ["BAD_USER_INPUT"]
    assert "data" not in response.json()


async def test_large_but_legal_integers_keep_their_value(edge: Edge) -> None:
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    response = await edge.post(query, {"ids": [9223372036854775807, "18446744073709551616"]})
    assert [node["id"] for node in response.json()["data"]["nodes"]] == ["9223372036854775807", "18446744073709551616"]


@pytest.mark.parametrize("size", [100_001, 300_000])
async def test_a_body_over_the_limit_is_413(edge: Edge, size: int) -> None:
    body = json.dumps({"query": "mutation { bump }", "pad": ""}).encode()
    body = body[:-2] + b"x" * (size - len(body)) + body[-2:]

    async def pieces() -> Any:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    for content in (body, pieces()):
        response = await edge.http.post(edge.url, content=content, headers={"content-type": JSON})
        assert response.status_code == 413
    assert edge.world.mutations == 0


async def test_a_body_at_the_limit_is_read(edge: Edge) -> None:
    body = b'{"query":"{ hello }","pad":"'
    body += b"x" * (100_000 - len(body) - 2) + b'"}'
    response = await edge.http.post(edge.url, content=body, headers={"content-type": JSON})
    assert response.status_code == 200


async def raw(edge: Edge, data: bytes, *, end: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(data)
    if end:
        writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_announced_length_over_the_limit_is_413_before_anything_is_sent(edge: Edge) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    assert (await raw(edge, head)).startswith(b"HTTP/1.1 413 ")


async def test_a_length_that_lies_below_the_truth_is_no_request(edge: Edge) -> None:
    body = b'{"query":"mutation{bump}"}'
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    assert (await raw(edge, head + body)).startswith(b"HTTP/1.1 400 ")
    assert edge.world.mutations == 0


async def test_a_caller_that_hangs_up_in_the_middle_leaves_nothing_behind(edge: Edge) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"
    assert await raw(edge, head + b'{"query":"mut', end=True) == b""
    assert (await edge.post("{ hello }")).status_code == 200
    assert edge.world.mutations == 0


async def test_a_body_that_does_not_arrive_is_408() -> None:
    async with running(limits=Limits(seconds=0.5)) as edge:
        head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n{"
        assert (await raw(edge, head)).startswith(b"HTTP/1.1 408 ")


async def test_an_operation_over_its_time_is_stopped_with_503() -> None:
    async with running(limits=Limits(seconds=0.5)) as edge:
        response = await edge.post("{ slow }")
        assert response.status_code == 503
        assert codes(response) == ["INTERNAL"]
        assert "0.5 s" in response.json()["errors"][0]["message"]
        assert response.json()["extensions"]["cost"]["requestedQueryCost"] == 1


async def test_several_operations_need_a_name(edge: Edge) -> None:
    query = "query A { a: hello } query B { b: hello } mutation C { bump }"
    assert (await edge.post(query)).status_code == 400
    assert (await edge.post(query, operationName="D")).status_code == 400
    assert (await edge.post(query, operationName="B")).json()["data"] == {"b": "Hello, world"}
    assert edge.world.mutations == 0


async def test_a_subscription_is_refused(edge: Edge) -> None:
    response = await edge.post("subscription { ticks { number } }")
    assert response.status_code == 400
    assert codes(response) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    "query",
    [
        "mutation { a: bump b: bump }",
        "mutation { bump ...F } fragment F on Mutation { b: bump(by: 2) }",
        "mutation { ... on Mutation { a: bump } ... { b: bump } }",
        "mutation { ...F } fragment F on Mutation { a: bump ...G } fragment G on Mutation { b: bump }",
    ],
)
async def test_several_mutations_are_refused(edge: Edge, query: str) -> None:
    response = await edge.post(query)
    assert response.status_code == 400
    assert codes(response) == ["QUERY_TOO_COMPLEX"]
    assert edge.world.mutations == 0


async def test_one_mutation_with_its_type_name_runs_and_may_set_cookies(edge: Edge) -> None:
    response = await edge.post("mutation { __typename bump }")
    assert response.json()["data"] == {"__typename": "Mutation", "bump": 1}
    assert response.headers["set-cookie"] == "seen=1; HttpOnly"
    assert response.headers["cache-control"] == "no-store"


def cookie_header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


@pytest.mark.parametrize("token", [None, "", "wrong", "the-csrf-valu", "thé-csrf-value"])
async def test_a_mutation_with_a_cookie_needs_the_csrf_header(edge: Edge, token: str | None) -> None:
    headers = {"cookie": cookie_header(COOKIES), "accept": GRAPHQL, "content-type": JSON}
    if token is not None:
        headers["x-csrf-token"] = token
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = await edge.http.post(edge.url, content=b'{"query":"mutation { bump }"}', headers=encoded)
    assert response.status_code == 403
    assert codes(response) == ["FORBIDDEN"]
    assert edge.world.mutations == 0


async def test_with_the_csrf_header_with_a_key_or_for_a_query_the_cookie_is_enough(edge: Edge) -> None:
    cookie = {"cookie": cookie_header(COOKIES)}
    assert (await edge.post("{ me }", headers=cookie)).json()["data"] == {"me": "ada"}
    good = {**cookie, "x-csrf-token": "the-csrf-value"}
    assert (await edge.post("mutation { bump }", headers=good)).status_code == 200
    key = {"authorization": "Bearer bob"}
    assert (await edge.post("mutation { bump }", headers=key)).status_code == 200
    no_csrf_cookie = {"cookie": "sps_session=ada", "x-csrf-token": ""}
    assert (await edge.post("mutation { bump }", headers=no_csrf_cookie)).status_code == 403


async def test_a_context_may_refuse_the_request(edge: Edge) -> None:
    response = await edge.post("{ hello }", headers={"authorization": "Bearer nobody"})
    assert response.status_code == 401
    assert codes(response) == ["UNAUTHENTICATED"]


async def test_introspection_is_the_contexts_to_allow(edge: Edge) -> None:
    query = "{ ...F } fragment F on Query { __schema { queryType { name } } }"
    assert (await edge.post(query)).json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}
    edge.world.introspection = False
    refused = await edge.post(query)
    assert refused.status_code == 400
    assert codes(refused) == ["FORBIDDEN"]
    assert (await edge.post('{ __type(name: "Query") { name } }')).status_code == 400
    assert (await edge.post("{ __typename }")).json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize(
    "query",
    [
        "{ helo }",
        "{ hello(nam: 1) }",
        "{ leaf { nam } }",
        "query($a: ThingInpt) { hello }",
        "{ thing(value: {nam: 1}) }",
    ],
)
async def test_suggestions_are_off(edge: Edge, query: str) -> None:
    text = (await edge.post(query)).text
    assert "errors" in text
    assert "mean" not in text


async def test_suggestions_are_off_for_variables(edge: Edge) -> None:
    response = await edge.post("query($v: ThingInput!) { thing(value: $v) }", {"v": {"nam": "x"}})
    assert response.status_code == 400
    assert "mean" not in response.text
