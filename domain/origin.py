"""Origins of websites ("https://www.example.com"), in the one form in which browsers name them."""

import re
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

import idna

from domain.errors import invalid

MOST_ORIGINS = 20
LONGEST = 300
_ORIGIN = re.compile(r"(https?)://([^\s/?#@\\:\[\]%]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE)
# A host that ends in a number is an IPv4 address to browsers, or nothing: 0x7f.1 is their 127.0.0.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"https": 443, "http": 80}


def normal_origin(text: str) -> str:
    """An origin as browsers send it: lower case, the host in ASCII, without the port that its scheme has anyway.

    Raises:
        ValueError: with words for a person, unless it is https, or http on this machine, with a host, perhaps a port, and
            nothing else.
    """
    parts = _ORIGIN.fullmatch(text) if len(text) <= LONGEST else None
    if parts is None:
        raise ValueError(
            "it is written like https://www.example.com, with nothing behind the name, and without a wildcard"
        )
    scheme, (host, loopback), port = parts[1].lower(), _host(parts[2]), int(parts[3] or 0)
    if scheme == "http" and not loopback:
        raise ValueError("it has to be https; http is for this machine alone")
    if parts[3] and not 1 <= port <= 65_535:
        raise ValueError("a port is 1 to 65535")
    return f"{scheme}://{host}" if port in (0, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def checked_origins(origins: Sequence[str], *path: str) -> list[str]:
    """A list of origins that a caller gave, in their normal form, in its order and each once.

    Raises:
        Refusal: INVALID_INPUT for more than MOST_ORIGINS, or at the first that is none.
    """
    found: dict[str, None] = {}
    for index, origin in enumerate(origins):
        try:
            found[normal_origin(origin.strip())] = None
        except ValueError as error:
            raise invalid(f"Site {index + 1}: {error}.", *path, str(index)) from None
    if len(found) > MOST_ORIGINS:
        raise invalid(f"At most {MOST_ORIGINS} sites.", *path)
    return list(found)


def _host(text: str) -> tuple[str, bool]:
    """The host in ASCII, and whether it is this machine."""
    with suppress(ValueError):
        if text.startswith("["):
            inner = IPv6Address(text[1:-1])
            return f"[{inner}]", inner.is_loopback
        host = idna.encode(text, uts46=True).decode("ascii")
        last = host.rpartition(".")[2]
        if _NUMBER.fullmatch(last):
            address = IPv4Address(host)
            return str(address), address.is_loopback
        # With a dot at its end it would be another origin, which nobody means.
        if last:
            return host, host == "localhost"
    raise ValueError("that is no host's name")
