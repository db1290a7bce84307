"""Origins of sites: one form for each, and nothing that is more or less than an origin."""

import pytest

from domain.errors import ErrorCode, Refusal
from domain.origin import MOST_ORIGINS, checked_origins, normal_origin


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("HTTPS://WWW.Example.COM", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com:08443", "https://example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://example。com", "https://example.com"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8:0::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost", "http://localhost"),
        ("http://localhost:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_has_one_form(text: str, normal: str) -> None:
    assert normal_origin(text) == normal
    assert normal_origin(normal) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "*",
        "example.com",
        "//example.com",
        "http://example.com",
        "http://localhost.example.com",
        "http://192.0.2.7",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https:///",
        "https://example.com/",
        "https://example.com/book",
        "https://example.com?x",
        "https://example.com#x",
        "https://ann@example.com",
        "https://ann:secret@example.com",
        "https://*.example.com",
        "https://*",
        "https://example.com.",
        "https://.example.com",
        "https://a..example.com",
        "https://-a.example.com",
        "https://exa mple.com",
        "https://example.com\n",
        "https://example.com\t",
        "https://exam\nple.com",
        "https://example.com https://evil.example",
        "https://example.com;script-src",
        "https://example.com,https://evil.example",
        "https://example.com'",
        "https://example.com\\evil.example",
        "https://exam%70le.com",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:4 43",
        "https://example.com:٤٤",
        "https://0x7f.1",
        "https://127.1",
        "https://1.2.3.256",
        "https://[::1",
        "https://[nonsense]",
        "https://[fe80::1%25eth0]",
        "https://xn--a.example",
        f"https://{'a' * 64}.example",
        f"https://{'a.' * 140}example",
        f"https://{'ü' * 5_000}.example",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is|it has|that is|a port"):
        normal_origin(text)


def test_a_list_keeps_its_order_and_each_once() -> None:
    given = ["https://b.example", " https://A.example ", "https://b.example:443", "https://a.example"]
    assert checked_origins(given, "allowedOrigins") == ["https://b.example", "https://a.example"]


def test_the_fault_is_named_by_its_place() -> None:
    with pytest.raises(Refusal) as refused:
        checked_origins(["https://a.example", "http://b.example"], "allowedOrigins")
    assert refused.value.code is ErrorCode.INVALID_INPUT
    assert refused.value.path == ("input", "allowedOrigins", "1")
    assert refused.value.message == "Site 2: it has to be https; http is for this machine alone."


def test_a_list_ends_at_its_limit() -> None:
    most = [f"https://{number}.example" for number in range(MOST_ORIGINS)]
    assert len(checked_origins([*most, most[0]], "allowedOrigins")) == MOST_ORIGINS
    with pytest.raises(Refusal) as refused:
        checked_origins([*most, "https://more.example"], "allowedOrigins")
    assert refused.value.path == ("input", "allowedOrigins")
