"""Webhooks out: signed after the Standard Webhooks specification, and never into a private network.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore
from httpcore import AsyncNetworkBackend, AsyncNetworkStream
from standardwebhooks import Webhook

from domain.webhook import is_allowed, is_public, literal

# For the whole attempt: names, connection, TLS and answer. The specification asks for 15 to 30.
PATIENCE_S = 15.0
# Receivers answer with a status; whatever else they say is not read to its end.
MOST_ANSWER = 16_384


class Unreachable(Exception):
    """The attempt failed before there was an answer.

    Args:
        failure: one phrase for the log of deliveries. It names no address of ours.
    """

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A delivery as it goes out."""

    body: bytes
    headers: dict[str, str]


def signed(secret: str, delivery_id: str, body: bytes, at: datetime) -> SignedRequest:
    """A delivery with its signature.

    Args:
        secret: whsec_….
        delivery_id: the same at each attempt, so that the receiver can tell a second arrival.
        at: of this attempt; receivers refuse old ones.
    """
    # The library reads the fields of a UTC moment; one of another zone would be signed hours off.
    moment = at.astimezone(UTC)
    return SignedRequest(
        body,
        {
            "content-type": "application/json",
            "user-agent": "service-pro-stream",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(secret).sign(delivery_id, moment, body.decode()),
        },
    )


class PublicNetwork(AsyncNetworkBackend):
    """Connects to public addresses alone. A name is resolved once, every address that it has must be public, and the connection
    goes to one of those: a second look-up might answer otherwise.
    """

    def __init__(self, allowed_hosts: frozenset[str]) -> None:
        self._allowed = allowed_hosts
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface's)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Connect.

        Raises:
            Unreachable: there is no such host, or it has an address that is not public.
        """
        addresses = await self._resolved(host, port)
        if not is_allowed(host, port, self._allowed):
            for address in addresses:
                parsed = literal(address)
                if parsed is None or not is_public(parsed):
                    raise Unreachable("the host has an address that is not on the public internet")
        failure: Exception | None = None
        for address in addresses[:4]:
            try:
                return await self._tcp.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or Unreachable("the host has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface's)
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        """Nobody is reached so.

        Raises:
            Unreachable: always.
        """
        raise Unreachable("webhooks go over TCP")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _resolved(self, host: str, port: int) -> list[str]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise Unreachable("the host's name is not found") from None
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class WebhookSender:
    """Posts deliveries. Each goes over a connection of its own: receivers are many and rarely called.

    Args:
        allowed_hosts: `host` or `host:port` that may be plain http and on a private network.
        tls: whose certificates are believed; the usual authorities when left out.
    """

    def __init__(self, allowed_hosts: frozenset[str], tls: ssl.SSLContext | None = None) -> None:
        self._network = PublicNetwork(allowed_hosts)
        self._tls = tls or ssl.create_default_context()

    async def post(self, url: str, request: SignedRequest) -> int:
        """The status that the receiver answered with; redirects are an answer like any other, and followed by nobody.

        Raises:
            Unreachable: there was no answer within the time.
        """
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        headers: dict[bytes | str, bytes | str] = {"host": parts.netloc, "content-length": str(len(request.body))}
        headers |= request.headers  # type: ignore[arg-type]
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE_S)
        target = httpcore.URL(
            scheme=parts.scheme, host=parts.hostname or "", port=port, target=parts.path + _query(parts.query) or "/"
        )
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                httpcore.AsyncConnectionPool(
                    ssl_context=self._tls, network_backend=self._network, retries=0, http2=False
                ) as pool,
                pool.stream(
                    "POST",
                    target,
                    headers=headers,
                    content=request.body,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                status: int = response.status
                read = 0
                async for chunk in response.aiter_stream():
                    read += len(chunk)
                    if read > MOST_ANSWER:
                        break
                return status
        except (TimeoutError, httpcore.TimeoutException):
            raise Unreachable(f"no answer within {PATIENCE_S:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ssl.SSLError) as error:
            raise Unreachable(_words(error)) from error


def _query(query: str) -> str:
    return f"?{query}" if query else ""


def _words(error: Exception) -> str:
    text = str(error)
    if "CERTIFICATE" in text.upper() or "SSL" in text.upper():
        return "its certificate or TLS is not in order"
    return "no connection" if isinstance(error, httpcore.ConnectError) else "the connection broke off"
