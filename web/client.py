"""Who is at the other end: the address and the scheme, believing forwarding headers from trusted proxies alone."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import HTTPConnection

from settings import Settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Client:
    """One caller's end of a connection.

    Attributes:
        ip: its address; None when the server listens on a unix socket and no trusted proxy told.
        scheme: "https" or "http", as the caller spoke it.
        user_agent: cut to 500 characters.
    """

    ip: str | None
    scheme: str
    user_agent: str | None

    @property
    def secure(self) -> bool:
        """Whether nobody between could read along."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether the caller is on this machine."""
        address = _address(self.ip) if self.ip is not None else None
        return address is not None and address.is_loopback

    @property
    def network(self) -> str:
        """What budgets count by: the address, or the /64 of an IPv6 one, since whoever has one has them all."""
        address = _address(self.ip) if self.ip is not None else None
        if address is None:
            return "local"
        return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


# Where in a connection's scope it is kept.
_FOUND = "sps.client"


def client_of(connection: HTTPConnection, settings: Settings) -> Client:
    """The caller of a connection.

    The peer's own address counts, unless the peer is one of `settings.trusted_proxies`: then X-Forwarded-For is read from
    its end, past further trusted proxies, and the last X-Forwarded-Proto is taken. It is told once for each connection.
    """
    found: tuple[Settings, Client] | None = connection.scope.get(_FOUND)
    if found is None or found[0] is not settings:
        found = connection.scope[_FOUND] = settings, _client_of(connection, settings)
    return found[1]


def _client_of(connection: HTTPConnection, settings: Settings) -> Client:
    trusted = trusted_networks(settings.trusted_proxies)
    peer = _address(connection.client.host if connection.client else "")
    scheme = "https" if connection.scope["scheme"] in ("https", "wss") else "http"
    if peer is not None and _within(peer, trusted):
        forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        for text in reversed(forwarded):
            address = _address(text)
            if address is None:
                break
            peer = address
            if not _within(address, trusted):
                break
        protocols = ",".join(connection.headers.getlist("x-forwarded-proto")).split(",")
        if protocols[-1].strip():
            scheme = "https" if protocols[-1].strip().lower() in ("https", "wss") else "http"
    user_agent = connection.headers.get("user-agent")
    return Client(str(peer) if peer is not None else None, scheme, user_agent[:500] if user_agent else None)


@lru_cache
def trusted_networks(text: str) -> tuple[Network, ...]:
    """The networks of a comma-separated list.

    Raises:
        ValueError: an entry is no address or network.
    """
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def peer_is_trusted(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether the peer itself is one of the trusted proxies."""
    peer = _address(connection.client.host if connection.client else "")
    return peer is not None and _within(peer, trusted_networks(settings.trusted_proxies))


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
