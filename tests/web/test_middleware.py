"""Transport, headers and CORS as callers meet them."""

import asyncio
import socket

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.web.server import Edge, running

HTTPS = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.7"}
PLAIN = {"x-forwarded-proto": "http", "x-forwarded-for": "203.0.113.7"}


def own_address() -> str | None:
    """An address of this machine that is not loopback; asking for the route sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
        return None if address.startswith(("127.", "0.")) else address


@pytest.mark.skipif(own_address() is None, reason="this machine has no address but loopback")
async def test_plain_http_from_another_address_is_refused_without_a_redirect() -> None:
    address = own_address()
    async with running(host="0.0.0.0") as edge:  # noqa: S104
        for headers in ({}, {"x-forwarded-proto": "https"}, {"forwarded": "proto=https"}):
            response = await edge.http.post(
                f"http://{address}:{edge.port}/graphql", json={"query": "mutation { bump }"}, headers=headers
            )
            assert response.status_code == 403
            assert "SPS_TRUSTED_PROXIES" in response.json()["errors"][0]["message"]
            assert "location" not in response.headers
        assert edge.world.mutations == 0
        assert (await edge.post("{ hello }")).status_code == 200


async def test_behind_a_trusted_proxy_https_passes_and_http_does_not() -> None:
    async with running(trusted_proxies="127.0.0.1") as edge:
        assert (await edge.post("{ hello }", headers=HTTPS)).status_code == 200
        refused = await edge.post("{ hello }", headers=PLAIN)
        assert refused.status_code == 403
        assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert refused.headers["x-content-type-options"] == "nosniff"
        await edge.connect({}, additional_headers=HTTPS)
        with pytest.raises(InvalidStatus) as caught:
            await edge.connect({}, additional_headers=PLAIN)
        assert caught.value.response.status_code == 403


async def test_a_forged_forwarding_header_from_loopback_changes_nothing(edge: Edge) -> None:
    response = await edge.post("{ hello }", headers=HTTPS)
    assert response.status_code == 200
    assert "strict-transport-security" not in response.headers


async def test_every_response_has_the_security_headers() -> None:
    async with running(trusted_proxies="127.0.0.1") as edge:
        base = f"http://127.0.0.1:{edge.port}"
        for response in (
            await edge.post("{ hello }", headers=HTTPS),
            await edge.http.get(f"{base}/nowhere", headers=HTTPS),
            await edge.http.get(f"{base}/broken", headers=HTTPS),
            await edge.http.get(f"{base}/graphql", headers=HTTPS),
        ):
            headers = response.headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "geolocation=(self)" in headers["permissions-policy"]
            assert headers["strict-transport-security"].startswith("max-age=63072000")
            assert "server" not in headers


async def test_hsts_is_sent_over_https_alone(edge: Edge) -> None:
    assert "strict-transport-security" not in (await edge.post("{ hello }")).headers


async def test_a_page_may_say_who_frames_it(edge: Edge) -> None:
    headers = (await edge.http.get(f"http://127.0.0.1:{edge.port}/widget")).headers
    assert headers.get_list("content-security-policy") == ["frame-ancestors https://shop.example"]
    assert "x-frame-options" not in headers
    assert headers["x-content-type-options"] == "nosniff"


def preflight(edge: Edge, origin: str, method: str = "POST", headers: str = "content-type") -> httpx.Request:
    return edge.http.build_request(
        "OPTIONS",
        edge.url,
        headers={"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers},
    )


async def test_an_allowed_site_may_ask_but_never_with_cookies(edge: Edge) -> None:
    answer = await edge.http.send(preflight(edge, "https://shop.example", headers="Content-Type, Authorization"))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "POST" in answer.headers["access-control-allow-methods"]
    response = await edge.post("{ hello }", headers={"origin": "https://shop.example"})
    assert response.headers["access-control-allow-origin"] == "https://shop.example"
    assert "Origin" in response.headers["vary"]
    for each in (answer, response):
        assert "access-control-allow-credentials" not in each.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "HTTPS://SHOP.EXAMPLE",
        "null",
        "*",
        "",
        "https://shop.example, https://evil.example",
    ],
)
async def test_another_origin_gets_nothing(edge: Edge, origin: str) -> None:
    answer = await edge.http.send(preflight(edge, origin))
    assert answer.status_code == 403
    response = await edge.post("{ hello }", headers={"origin": origin})
    assert response.status_code == 200
    for each in (answer, response):
        assert "access-control-allow-origin" not in each.headers
        assert "Origin" in each.headers["vary"]


@pytest.mark.parametrize(
    ("method", "headers"), [("DELETE", ""), ("POST", "x-csrf-token"), ("POST", "content-type, x-evil")]
)
async def test_an_allowed_site_may_not_ask_everything(edge: Edge, method: str, headers: str) -> None:
    answer = await edge.http.send(preflight(edge, "https://shop.example", method, headers))
    assert answer.status_code == 403


async def test_our_own_page_needs_no_cors(edge: Edge) -> None:
    response = await edge.post("{ hello }", headers={"origin": f"http://127.0.0.1:{edge.port}"})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


async def raw(edge: Edge, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(data)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_http_is_400(edge: Edge, data: bytes) -> None:
    assert (await raw(edge, data)).startswith(b"HTTP/1.1 400 ")
    assert (await edge.post("{ hello }")).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short",
        "Sec-WebSocket-Version: 13",
    ],
)
async def test_a_malformed_handshake_is_refused(edge: Edge, header: str) -> None:
    head = f"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{header}\r\n\r\n"
    assert (await raw(edge, head.encode())).startswith(b"HTTP/1.1 400 ")


async def test_frames_that_break_the_protocol_end_the_socket_and_nothing_else(edge: Edge) -> None:
    head = (
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    unmasked = b"\x81\x05hello"
    reserved = b"\xf1\x85\x00\x00\x00\x00hello"
    not_utf8 = b"\x81\x82\x00\x00\x00\x00\xff\xfe"
    endless = b"\x01\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"
    for frame in (unmasked, reserved, not_utf8, endless):
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(head)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.write(frame)
        # Answered by a close frame, and then the end.
        assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"\x88")
        writer.close()
        await writer.wait_closed()
    await edge.connect({})
    assert (await edge.post("{ hello }")).status_code == 200
