"""What callers see of failures, and what the log keeps."""

import json
from io import StringIO

import pytest

from tests.web.server import Edge, running
from web.errors import MASK


def lines(stream: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_an_unexpected_failure_is_masked_and_its_cause_is_logged_under_its_request_id(
    logged: StringIO, edge: Edge
) -> None:
    response = await edge.post("{ hello boom }")
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello, world", "boom": None}
    (error,) = response.json()["errors"]
    assert error["message"] == MASK
    assert error["path"] == ["boom"]
    assert error["extensions"]["code"] == "INTERNAL"
    request_id = error["extensions"]["requestId"]
    assert request_id == response.headers["x-request-id"]
    (line,) = [line for line in lines(logged) if line["event"] == "internal_error"]
    assert line["requestId"] == request_id
    assert "RuntimeError" in str(line["exception"])
    (access,) = [line for line in lines(logged) if line["event"] == "request"]
    assert access["requestId"] == request_id
    assert access["status"] == 200
    for secret in ("hunter2", "ada@example.com"):
        assert secret not in response.text
        assert secret not in logged.getvalue()


@pytest.mark.parametrize("query", ["{ odd }", "{ broken }", "{ huge }"])
async def test_codes_that_are_not_ours_and_broken_answers_are_masked(edge: Edge, query: str) -> None:
    response = await edge.post(query)
    assert response.status_code == 200
    assert response.json()["data"] in (None, {"odd": None})
    (error,) = response.json()["errors"]
    assert (error["message"], error["extensions"]["code"]) == (MASK, "INTERNAL")


async def test_a_public_code_passes_with_its_message(edge: Edge) -> None:
    (error,) = (await edge.post("{ denied }")).json()["errors"]
    assert error["message"] == "This needs the scope x:read."
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert error["extensions"]["requestId"]


async def test_a_null_where_none_may_be_is_the_callers_error(edge: Edge) -> None:
    """The variable may be null and the argument may not; only executing tells, since the variable has a default."""
    response = await edge.post('query($n: Int = 1) { thing(value: {name: "x"}, times: $n) hello }', {"n": None})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "times" in error["message"]


@pytest.mark.parametrize("query", ["{", "{ nothing }", "query($n: Int!) { hello(name: $n) }", "{ leaf }"])
async def test_every_refusal_has_a_request_id(edge: Edge, query: str) -> None:
    response = await edge.post(query)
    assert {error["extensions"]["requestId"] for error in response.json()["errors"]} == {
        response.headers["x-request-id"]
    }


async def test_messages_are_bounded(edge: Edge) -> None:
    response = await edge.post("{nodes(ids:" + "[" * 190 + "]" * 190 + "){id}}")
    assert max(len(error["message"]) for error in response.json()["errors"]) <= 1_000


async def test_at_most_eleven_errors_come_back(edge: Edge) -> None:
    response = await edge.post("{" + " ".join(f"f{number}" for number in range(200)) + "}")
    assert len(response.json()["errors"]) == 11
    values = {"ids": [{"no": number} for number in range(3_000)]}
    response = await edge.post("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", values)
    assert response.status_code == 400
    assert len(response.json()["errors"]) == 11


async def test_a_page_that_breaks_is_500_with_the_request_id(logged: StringIO, edge: Edge) -> None:
    response = await edge.http.get(f"http://127.0.0.1:{edge.port}/broken")
    assert response.status_code == 500
    assert response.json()["errors"][0]["message"] == MASK
    assert response.json()["errors"][0]["extensions"]["requestId"] == response.headers["x-request-id"]
    assert "broken page" in logged.getvalue()


async def test_request_ids_are_taken_from_trusted_proxies_alone() -> None:
    async with running() as edge:
        response = await edge.post("{ hello }", headers={"x-request-id": "from-outside-1"})
        assert response.headers["x-request-id"] != "from-outside-1"
    async with running(trusted_proxies="127.0.0.1") as edge:
        response = await edge.post("{ hello }", headers={"x-request-id": "from-the-proxy-1"})
        assert response.headers["x-request-id"] == "from-the-proxy-1"
        response = await edge.post("{ hello }", headers={"x-request-id": "a b\tc"})
        assert response.headers["x-request-id"] != "a b\tc"


async def test_the_access_line_has_no_query_string_and_no_token(logged: StringIO, edge: Edge) -> None:
    token = "trk_" + "abcdefghjk" * 3
    await edge.http.get(f"http://127.0.0.1:{edge.port}/track/{token}?key=hunter2")
    (line,) = [line for line in lines(logged) if line["event"] == "request"]
    assert line["path"] == "/track/…"
    assert "hunter2" not in logged.getvalue()
    assert line["status"] == 404
