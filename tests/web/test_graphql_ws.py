"""graphql-transport-ws against a real server: the protocol, its violations, and how operations end."""

import json
from typing import Any

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from auth.cookies import SESSION
from schema.limits import Limits
from tests.web.server import Edge, message, running
from tests.web.talk import closed, received, still_works, subscribe
from web.graphql_ws_connection import SocketLimits


async def test_a_subscription_runs_to_its_end(edge: Edge) -> None:
    socket = await edge.connect({})
    assert socket.subprotocol == "graphql-transport-ws"
    await subscribe(socket, "a", "subscription($n: Int!) { ticks(count: $n) { number } }", variables={"n": 3})
    for number in range(3):
        assert await received(socket) == {
            "id": "a",
            "type": "next",
            "payload": {"data": {"ticks": {"number": number}}},
        }
    assert await received(socket) == {"id": "a", "type": "complete"}


async def test_queries_and_mutations_run_too(edge: Edge) -> None:
    socket = await edge.connect({})
    await still_works(socket)
    await subscribe(socket, "m", "mutation { bump }")
    assert (await received(socket))["payload"]["data"] == {"bump": 1}


async def test_each_event_has_a_context_of_its_own(edge: Edge) -> None:
    """With one context a socket, loaders answer the second event with what they loaded for the first."""
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { ticks { loads } }")
    assert [(await received(socket))["payload"]["data"]["ticks"]["loads"] for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("payload", [None, {}, {"apiKey": "ada"}])
async def test_connection_init_may_have_any_object_null_or_nothing_as_payload(edge: Edge, payload: Any) -> None:
    for text in (message("connection_init", payload=payload), message("connection_init")):
        socket = await edge.connect()
        await socket.send(text)
        assert await received(socket) == {"type": "connection_ack"}
        await still_works(socket)


async def test_a_key_in_the_payload_or_the_header_or_a_cookie_says_who_calls(edge: Edge) -> None:
    for init, headers in (
        ({"apiKey": "bob"}, {}),
        ({}, {"Authorization": "Bearer bob"}),
        ({}, {"Cookie": f"{SESSION}=bob"}),
    ):
        socket = await edge.connect(init, additional_headers=headers)
        await subscribe(socket, "a", "{ me }")
        assert (await received(socket))["payload"]["data"] == {"me": "bob"}


async def test_a_wrong_key_closes_with_4401(edge: Edge) -> None:
    socket = await edge.connect()
    await socket.send(message("connection_init", payload={"apiKey": "nobody"}))
    assert await closed(socket) == (4401, "There is no such key.")


async def test_pings_are_answered_with_their_payload_even_before_init(edge: Edge) -> None:
    socket = await edge.connect()
    await socket.send(message("ping"))
    assert await received(socket) == {"type": "pong"}
    await socket.send(message("ping", payload={"at": [1, "ü"]}))
    assert await received(socket) == {"type": "pong", "payload": {"at": [1, "ü"]}}
    await socket.send(message("pong", payload={"unasked": True}))
    await socket.send(message("connection_init"))
    assert await received(socket) == {"type": "connection_ack"}


async def test_without_connection_init_the_socket_closes_with_4408() -> None:
    async with running(socket_limits=SocketLimits(init_seconds=0.5)) as edge:
        idle, pinging = await edge.connect(), await edge.connect()
        await pinging.send(message("ping"))
        assert (await closed(idle))[0] == 4408
        assert (await closed(pinging))[0] == 4408
    assert SocketLimits().init_seconds == 5


async def test_init_twice_closes_with_4429(edge: Edge) -> None:
    socket = await edge.connect({})
    await socket.send(message("connection_init"))
    assert (await closed(socket))[0] == 4429


async def test_an_operation_before_init_closes_with_4401(edge: Edge) -> None:
    socket = await edge.connect()
    await subscribe(socket, "a", "mutation { bump }")
    assert await closed(socket) == (4401, "Unauthorized")
    assert edge.world.mutations == 0


async def test_an_id_in_use_closes_with_4409(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { forever }")
    await received(socket)
    await subscribe(socket, "a", "{ hello }")
    assert await closed(socket) == (4409, "Subscriber for a already exists")
    assert edge.world.open_sources == 0


async def test_a_reason_is_cut_to_what_a_close_frame_can_carry(edge: Edge) -> None:
    socket = await edge.connect({})
    for _ in range(2):
        await subscribe(socket, "ü" * 128, "subscription { forever }")
    code, reason = await closed(socket)
    assert code == 4409
    assert reason.startswith("Subscriber for üüü")


async def test_an_id_is_free_again_after_complete_or_error(edge: Edge) -> None:
    socket = await edge.connect({})
    for query, types in (("{ hello }", ["next", "complete"]), ("{", ["error"]), ("{ nothing }", ["error"])) * 2:
        await subscribe(socket, "a", query)
        assert [(await received(socket))["type"] for _ in types] == types


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{",
        "1",
        "null",
        '"connection_init"',
        "[]",
        "[1]",
        "{}",
        '{"type":null}',
        '{"type":1}',
        '{"type":["ping"]}',
        '{"type":{}}',
        '{"type":"unknown"}',
        '{"type":"connection_ack"}',
        '{"type":"next","id":"a","payload":{}}',
        '{"type":"start","id":"a","payload":{}}',
        '{"type":"ping","payload":1}',
        '{"type":"ping","payload":"a"}',
        '{"type":"ping","payload":[]}',
        '{"type":"pong","payload":false}',
        '{"type":"connection_init","payload":1}',
        '{"type":"connection_init","payload":"apiKey"}',
        '{"type":"connection_init","payload":[]}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","id":"a"}',
        '{"type":"subscribe","id":"","payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":1,"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":null,"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":[],"payload":{"query":"{hello}"}}',
        '{"type":"subscribe","id":{},"payload":{"query":"{hello}"}}',
        json.dumps({"type": "subscribe", "id": "x" * 129, "payload": {"query": "{hello}"}}),
        '{"type":"subscribe","id":"a","payload":null}',
        '{"type":"subscribe","id":"a","payload":"{hello}"}',
        '{"type":"subscribe","id":"a","payload":[]}',
        '{"type":"subscribe","id":"a","payload":{}}',
        '{"type":"subscribe","id":"a","payload":{"query":1}}',
        '{"type":"subscribe","id":"a","payload":{"query":null}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","variables":[]}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","variables":"a"}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","operationName":1}}',
        '{"type":"subscribe","id":"a","payload":{"query":"{hello}","extensions":1}}',
        '{"type":"complete"}',
        '{"type":"complete","id":1}',
        '{"type":"complete","id":["a"]}',
        '{"type":"ping","payload":{"a":"\\ud800"}}',
        '{"type":"ping","payload":{"a":NaN}}',
        '{"type":"ping","payload":{"a":' + "9" * 400 + "}}",
        '{"type":"ping","payload":{"a":' + "[" * 40 + "]" * 40 + "}}",
        '{"type":"ping","payload":' + '{"a":' * 5_000 + "1" + "}" * 5_001,
    ],
)
async def test_what_is_no_message_closes_with_4400(edge: Edge, text: str) -> None:
    socket = await edge.connect({} if "connection_init" not in text else None)
    await socket.send(text)
    assert (await closed(socket))[0] == 4400


async def test_binary_frames_close_with_4400(edge: Edge) -> None:
    socket = await edge.connect({})
    await socket.send(message("ping").encode())
    assert (await closed(socket))[0] == 4400


async def test_a_message_over_the_limit_closes_with_1009(edge: Edge) -> None:
    socket = await edge.connect({})
    await socket.send(message("ping", payload={"a": "x" * 100_000}))
    assert (await closed(socket))[0] == 1009


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "", "query A { hello } query B { hello }", "{ a: hello" + " a" * 990 + "}"]
)
async def test_a_bad_document_is_an_error_of_its_operation_alone(edge: Edge, query: str) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "other", "subscription { forever }")
    await received(socket)
    await subscribe(socket, "a", query)
    found = await received(socket)
    assert (found["id"], found["type"]) == ("a", "error")
    assert found["payload"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "QUERY_TOO_COMPLEX")
    await still_works(socket)
    assert edge.world.open_sources == 1


async def test_the_same_syntax_error_is_an_error_each_time(edge: Edge) -> None:
    """Strawberry's ParserCache answers a bare `complete` from the second time on."""
    socket = await edge.connect({})
    for _ in range(3):
        await subscribe(socket, "a", "{ hello")
        assert (await received(socket))["type"] == "error"


async def test_variables_that_do_not_fit_are_an_error_of_the_operation(edge: Edge) -> None:
    socket = await edge.connect({})
    for query in (
        "subscription($n: Int!) { ticks(count: $n) { number } }",
        "query($n: Int!) { items(first: $n) { totalCount } }",
    ):
        await subscribe(socket, "a", query, variables={"n": "three"})
        assert (await received(socket))["type"] == "error"
    await still_works(socket)


async def test_what_fails_in_an_event_is_masked_and_the_stream_goes_on(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { ticks(count: 2) { number sour } }")
    for number in range(2):
        payload = (await received(socket))["payload"]
        assert payload["data"] == {"ticks": {"number": number, "sour": None}}
        assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert (await received(socket))["type"] == "complete"


async def test_a_source_that_fails_is_a_masked_error(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { failing }")
    assert (await received(socket))["type"] == "next"
    found = await received(socket)
    assert (found["type"], found["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
    assert "10.0.0.1" not in json.dumps(found)
    await still_works(socket)


async def test_a_subscription_that_is_denied_is_an_error_with_its_code(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { denied }")
    found = await received(socket)
    assert (found["type"], found["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
    await still_works(socket)


async def test_one_root_field_a_subscription(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { ticks { number } b: ticks { number } }")
    assert (await received(socket))["type"] == "error"


async def test_complete_ends_the_source_and_nothing_more_comes(edge: Edge) -> None:
    socket = await edge.connect({})
    await subscribe(socket, "a", "subscription { forever }")
    await received(socket)
    assert edge.world.open_sources == 1
    await socket.send(message("complete", id="a"))
    await socket.send(message("complete", id="never was"))
    await still_works(socket)
    assert edge.world.open_sources == 0


async def test_a_client_that_leaves_ends_its_sources(edge: Edge) -> None:
    socket = await edge.connect({})
    for name in "abc":
        await subscribe(socket, name, "subscription { forever }")
        await received(socket)
    assert edge.world.open_sources == 3
    assert len(edge.registry) == 1
    await socket.close()
    other = await edge.connect({})
    await still_works(other)
    assert edge.world.open_sources == 0
    assert len(edge.registry) == 1


async def test_at_most_twenty_operations_at_one_time(edge: Edge) -> None:
    socket = await edge.connect({})
    for number in range(20):
        await subscribe(socket, str(number), "subscription { forever }")
        await received(socket)
    await subscribe(socket, "one more", "{ hello }")
    found = await received(socket)
    assert (found["id"], found["type"]) == ("one more", "error")
    assert found["payload"][0]["extensions"]["code"] == "THROTTLED"
    await socket.send(message("complete", id="7"))
    await still_works(socket)


async def test_a_query_over_its_time_is_an_error() -> None:
    async with running(limits=Limits(seconds=0.5)) as edge:
        socket = await edge.connect({})
        await subscribe(socket, "a", "{ slow }")
        found = await received(socket)
        assert (found["type"], found["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
        await still_works(socket)


@pytest.mark.parametrize("subprotocols", [["graphql-ws"], None, ["something"]])
async def test_other_sub_protocols_are_closed_with_4406(edge: Edge, subprotocols: Any) -> None:
    url = f"ws://127.0.0.1:{edge.port}/graphql"
    key = "Sec-WebSocket-Protocol"
    # The client refuses a server that chooses none of its protocols, so the header goes past it.
    headers = {key: ", ".join(subprotocols)} if subprotocols else {}
    async with websockets.connect(url, additional_headers=headers) as socket:
        assert (await closed(socket))[0] == 4406


async def test_the_right_sub_protocol_is_found_among_others(edge: Edge) -> None:
    socket = await edge.connect({}, subprotocols=["graphql-ws", "graphql-transport-ws"])
    assert socket.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", "https://shop.example.evil.example", "null"]
)
async def test_pages_of_other_sites_are_refused_at_the_handshake(edge: Edge, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        await edge.connect({}, origin=origin, additional_headers={"Cookie": f"{SESSION}=ada"})
    assert caught.value.response.status_code == 403


async def test_our_own_pages_allowed_sites_and_programs_may_connect(edge: Edge) -> None:
    for origin in (f"http://127.0.0.1:{edge.port}", "https://shop.example", None):
        await still_works(await edge.connect({}, origin=origin))
