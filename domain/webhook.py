"""Webhooks to partners: which events there are, when a delivery is tried again, and which addresses are none of ours to reach."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from domain.appointment import AppointmentEventType
from domain.errors import invalid
from domain.event_cursor import encode_cursor
from domain.ids import Prefix, encode

MOST_ENDPOINTS = 20
EVERY_EVENT = "*"
EVENT_TYPES: dict[str, AppointmentEventType] = {
    f"appointment.{each.value.lower()}": each for each in AppointmentEventType
}

_S, _M, _H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# Standard Webhooks' example schedule, drawn out to five days.
RETRY_DELAYS: Sequence[timedelta] = (
    5 * _S,
    5 * _M,
    30 * _M,
    2 * _H,
    5 * _H,
    10 * _H,
    14 * _H,
    20 * _H,
    24 * _H,
    24 * _H,
    20 * _H,
)
# An endpoint that has taken nothing for so long, and has let a delivery run out, is disabled.
DISABLED_AFTER = timedelta(days=5)
JITTER = 0.1


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


def retry_delay(attempts: int, chance: float) -> timedelta | None:
    """How long after the attempt of that number (1 is the first) the next one is made; None: there is none.

    Args:
        chance: 0 up to 1, so that what failed together is not tried again together.
    """
    if attempts > len(RETRY_DELAYS):
        return None
    return RETRY_DELAYS[attempts - 1] * (1 + JITTER * (chance - 0.5))


def checked_event_types(given: Sequence[str], *path: str) -> list[str]:
    """The event types in their written form, in order, each once.

    `appointment.scheduled` may be written as the schema's SCHEDULED; `*` stands for all, those that come later too.

    Raises:
        Refusal: INVALID_INPUT for none, or for one that there is not.
    """
    if not given:
        raise invalid("Name at least one event type, or * for all.", *path)
    found = set()
    for index, name in enumerate(given):
        written = f"appointment.{name.lower()}" if name in AppointmentEventType.__members__ else name
        if written != EVERY_EVENT and written not in EVENT_TYPES:
            raise invalid(f"There is no such event type; there are {', '.join(EVENT_TYPES)} and *.", *path, str(index))
        found.add(written)
    return [EVERY_EVENT] if EVERY_EVENT in found else sorted(found)


def wants(event_types: Sequence[str], type_: AppointmentEventType) -> bool:
    """Whether an endpoint with these event types is told of an event."""
    return EVERY_EVENT in event_types or event_name(type_) in event_types


def event_name(type_: AppointmentEventType) -> str:
    """The event's name in a delivery: appointment.scheduled."""
    return f"appointment.{type_.value.lower()}"


def body(
    *,
    tenant_id: UUID,
    seq: int,
    type_: AppointmentEventType,
    appointment_id: UUID,
    occurred_at: datetime,
    actor: str,
    changes: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """What a delivery tells: the event, in the words of the GraphQL schema. What else is wanted is asked there by the id."""
    return {
        "type": event_name(type_),
        "timestamp": occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "tenantId": encode(Prefix.TENANT, tenant_id),
            "appointmentId": encode(Prefix.APPOINTMENT, appointment_id),
            "cursor": encode_cursor(tenant_id, seq),
            "actor": actor,
            "changes": list(changes),
        },
    }  # fmt: skip


def checked_url(url: str, allowed_hosts: frozenset[str], *path: str) -> str:
    """An address that deliveries can go to.

    Args:
        allowed_hosts: `host` or `host:port` that may be plain http and on a private network.

    Raises:
        Refusal: INVALID_INPUT when it is not https, names a user, or is an address of a private network.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode()
    except (ValueError, UnicodeError):
        raise invalid("That is not a URL.", *path) from None
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        raise invalid("Write https://host/path, without user, password or fragment.", *path)
    if any(not "!" <= letter <= "~" for letter in url):
        raise invalid("A URL has no spaces or letters beyond ASCII: write them %-encoded.", *path)
    if is_allowed(host, port, allowed_hosts):
        if parts.scheme not in {"http", "https"}:
            raise invalid("Webhooks go to https.", *path)
        return url
    if parts.scheme != "https":
        raise invalid("Webhooks go to https.", *path)
    address = literal(host)
    last = host.rstrip(".").rpartition(".")[2]
    if address is None and (last.isdigit() or last.startswith("0x")):
        raise invalid("Write an address as four numbers, or a name.", *path)
    if address is not None and not is_public(address):
        raise invalid("That address is not on the public internet.", *path)
    return url


def is_allowed(host: str, port: int | None, allowed_hosts: frozenset[str]) -> bool:
    """Whether the operator has allowed the host, whatever network it is on."""
    return host in allowed_hosts or f"{host}:{port}" in allowed_hosts


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as; None for a name."""
    for kind in (IPv4Address, IPv6Address):
        try:
            return kind(host.strip("[]"))
        except ValueError:
            continue
    return None


# Ranges that embed an IPv4 address, or lead into networks of our own, beyond what `is_global` knows.
_FORBIDDEN = tuple(
    ip_network(each)
    for each in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "fec0::/10",
        "192.88.99.0/24",
        "100.64.0.0/10",
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is on the public internet: not private, loopback, link-local (cloud metadata is there), multicast or
    reserved, and none of those inside an IPv6 address.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        # ::a.b.c.d, long deprecated, and still taken by some stacks.
        if int(address) < 1 << 32 or address.scope_id is not None:
            return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address.version == each.version and address in each for each in _FORBIDDEN)
