"""Who is at the other end: forwarding headers count from trusted proxies alone."""

import pytest
from starlette.requests import HTTPConnection

from settings import Settings
from web.client import Client, client_of, trusted_networks


def seen(peer: str | None, *headers: tuple[str, str], trusted: str = "", scheme: str = "http") -> Client:
    scope = {
        "type": "http",
        "scheme": scheme,
        "client": (peer, 1234) if peer is not None else None,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    return client_of(HTTPConnection(scope), Settings(trusted_proxies=trusted))


FORWARDED = "x-forwarded-for"
PROTO = "x-forwarded-proto"
PROXY = "10.0.0.0/8"


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "ip", "scheme"),
    [
        ("203.0.113.7", [], "", "203.0.113.7", "http"),
        # Forged by somebody who is no proxy of ours.
        ("203.0.113.7", [(FORWARDED, "127.0.0.1"), (PROTO, "https")], "", "203.0.113.7", "http"),
        ("203.0.113.7", [(FORWARDED, "127.0.0.1"), (PROTO, "https")], PROXY, "203.0.113.7", "http"),
        ("127.0.0.1", [(FORWARDED, "203.0.113.7"), (PROTO, "https")], "", "127.0.0.1", "http"),
        # Told by our proxy.
        ("10.0.0.1", [(FORWARDED, "203.0.113.7"), (PROTO, "https")], PROXY, "203.0.113.7", "https"),
        ("10.0.0.1", [(FORWARDED, "203.0.113.7")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "203.0.113.7"), (PROTO, "http")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "203.0.113.7"), (PROTO, "wss")], PROXY, "203.0.113.7", "https"),
        ("10.0.0.1", [(PROTO, "HTTPS")], PROXY, "10.0.0.1", "https"),
        # What stands left of the first stranger was sent by that stranger.
        ("10.0.0.1", [(FORWARDED, "127.0.0.1, 203.0.113.7")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "198.51.100.9, 203.0.113.7, 10.0.0.2")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "198.51.100.9"), (FORWARDED, "203.0.113.7")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "10.0.0.3, 10.0.0.2")], PROXY, "10.0.0.3", "http"),
        ("10.0.0.1", [(PROTO, "https, http")], PROXY, "10.0.0.1", "http"),
        # Garbage ends the walk.
        ("10.0.0.1", [(FORWARDED, "unknown")], PROXY, "10.0.0.1", "http"),
        ("10.0.0.1", [(FORWARDED, "203.0.113.7, ; DROP TABLE, 10.0.0.9")], PROXY, "10.0.0.9", "http"),
        ("10.0.0.1", [(FORWARDED, "")], PROXY, "10.0.0.1", "http"),
        # Ports, brackets, mapped addresses.
        ("10.0.0.1", [(FORWARDED, "203.0.113.7:4711")], PROXY, "203.0.113.7", "http"),
        ("10.0.0.1", [(FORWARDED, "[2001:db8::1]:4711")], PROXY, "2001:db8::1", "http"),
        ("::ffff:10.0.0.1", [(FORWARDED, "2001:db8::1")], PROXY, "2001:db8::1", "http"),
        (None, [(FORWARDED, "203.0.113.7"), (PROTO, "https")], PROXY, None, "http"),
        ("", [], "", None, "http"),
    ],
)
def test_the_address_and_the_scheme(
    peer: str | None, headers: list[tuple[str, str]], trusted: str, ip: str | None, scheme: str
) -> None:
    client = seen(peer, *headers, trusted=trusted)
    assert (client.ip, client.scheme) == (ip, scheme)


def test_tls_of_our_own_is_secure() -> None:
    assert seen("203.0.113.7", scheme="https").secure
    assert seen("203.0.113.7", scheme="wss").secure
    assert not seen("203.0.113.7", scheme="ws").secure


@pytest.mark.parametrize(
    ("peer", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        (None, False),
    ],
)
def test_loopback(peer: str | None, loopback: bool) -> None:
    assert seen(peer).loopback is loopback


def test_a_network_is_an_address_or_half_of_an_ipv6_one() -> None:
    assert seen("203.0.113.7").network == "203.0.113.7"
    assert seen("2001:db8:1:2:3:4:5:6").network == "2001:db8:1:2::/64"
    assert seen(None).network == "local"


def test_a_long_user_agent_is_cut() -> None:
    assert len(seen("10.0.0.1", ("user-agent", "x" * 9_000)).user_agent or "") == 500


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        trusted_networks("10.0.0.1, nonsense")
