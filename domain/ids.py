"""Ids: UUIDv7 inside, TypeIDs (a type prefix and the UUID in base 32) outside; see https://github.com/jetify-com/typeid."""

from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from typeid import TypeID
from typeid.codecs import base32
from typeid.errors import TypeIDException
from uuid_utils.compat import uuid7


class Prefix(StrEnum):
    """The prefix that names an id's type; stable, since callers store ids."""

    TENANT = "tnt"
    USER = "user"
    API_KEY = "key"
    LOCATION = "loc"
    TECHNICIAN = "tech"
    TIME_OFF = "toff"
    SERVICE_CATEGORY = "cat"
    SERVICE = "svc"
    SERVICE_OPTION = "opt"
    CUSTOMER = "cust"
    CUSTOMER_ADDRESS = "addr"
    APPOINTMENT = "appt"
    MESSAGE = "msg"
    SECURITY_EVENT = "sec"
    ACCOUNT_MAIL = "mail"
    EQUIPMENT = "eqp"
    ATTACHMENT = "att"
    EXPORT = "exp"
    INVOICE = "inv"
    WEBHOOK_ENDPOINT = "whe"
    WEBHOOK_DELIVERY = "whd"


def new_id() -> UUID:
    """A fresh UUIDv7: made here and not by the database, whose versions below 18 have no `uuidv7()`."""
    return uuid7()


@lru_cache(maxsize=65_536)
def encode(prefix: Prefix, value: UUID) -> str:
    """The id as callers see it: `appt_01h455vb4pex5vsknk084sn02q`."""
    return f"{prefix.value}_{suffix(value)}"


def suffix(value: UUID) -> str:
    """What follows the prefix of an id and its underscore."""
    return base32.encode(value.bytes)


def decode(prefix: Prefix, text: str) -> UUID | None:
    """The UUID of a TypeID of that type, or None when it is malformed or of another type."""
    parsed = split(text)
    return parsed[1] if parsed and parsed[0] is prefix else None


def split(text: str) -> tuple[Prefix, UUID] | None:
    """Type and UUID of any TypeID of ours, or None."""
    head, _, suffix = text.rpartition("_")
    if head not in _PREFIXES or len(suffix) != 26:
        return None
    try:
        uuid = UUID(bytes=TypeID.from_string(text).uuid_bytes)
    except (TypeIDException, ValueError):
        return None
    return Prefix(head), uuid


_PREFIXES = frozenset(Prefix)
