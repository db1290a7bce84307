"""Messages of the graphql-transport-ws protocol, and the codes that a socket is closed with."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson

from schema.limits import Limits
from web.errors import RequestRefused
from web.graphql_request import GraphQLRequest, read_json, read_request

PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 128
# A close frame carries at most 123 bytes of reason.
LONGEST_REASON = 120


class Close(IntEnum):
    """Why a socket is closed; the codes of the protocol, and 4410 of our own."""

    TOO_BIG = 1009
    INTERNAL = 4500
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    DUPLICATE_ID = 4409
    LAGGED = 4410
    INIT_TWICE = 4429


class ProtocolError(Exception):
    """The other end broke the protocol.

    Args:
        code: to close with.
        reason: for whoever debugs the client.
    """

    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message: its type, the id where it needs one, and its payload."""

    type: str
    id: str
    payload: Any


def read_message(text: str | None, limits: Limits) -> Incoming:
    """The message that a text frame holds; None stands for a binary frame.

    Raises:
        ProtocolError: 4400 when it is none, 1009 when it is too long.
    """
    if text is None:
        raise ProtocolError(Close.BAD_REQUEST, "Messages are text frames")
    if len(text) > limits.body_bytes:
        raise ProtocolError(Close.TOO_BIG, "The message is too large")
    try:
        value = read_json(text.encode(), limits)
    except RequestRefused as refused:
        raise ProtocolError(Close.BAD_REQUEST, refused.message) from refused
    except UnicodeEncodeError as error:
        raise ProtocolError(Close.BAD_REQUEST, "Messages are UTF-8") from error
    if not isinstance(value, dict):
        raise ProtocolError(Close.BAD_REQUEST, "A message must be a JSON object")
    type_ = value.get("type")
    payload = value.get("payload")
    id_ = ""
    if type_ in ("connection_init", "ping", "pong"):
        if payload is not None and not isinstance(payload, dict):
            raise ProtocolError(Close.BAD_REQUEST, f"The payload of {type_} must be an object")
    elif type_ in ("subscribe", "complete"):
        given = value.get("id")
        if not isinstance(given, str) or not 0 < len(given) <= LONGEST_ID:
            raise ProtocolError(Close.BAD_REQUEST, f"{type_} needs an id: a string of up to {LONGEST_ID} characters")
        id_ = given
    else:
        raise ProtocolError(Close.BAD_REQUEST, "Unknown message type")
    return Incoming(type_, id_, payload)


def read_subscribe(payload: object) -> GraphQLRequest:
    """The request in the payload of `subscribe`.

    Raises:
        ProtocolError: 4400 when it is none.
    """
    try:
        return read_request(payload)
    except RequestRefused as refused:
        raise ProtocolError(Close.BAD_REQUEST, refused.message) from refused


def reason_text(reason: str) -> str:
    """The reason, cut to what a close frame can carry."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")


def plain(type_: str, payload: object = None) -> str:
    """A message without an id."""
    return orjson.dumps({"type": type_} if payload is None else {"type": type_, "payload": payload}).decode()


def about(id_: str, type_: str, payload: bytes | None = None) -> str:
    """A message of an operation; the payload is JSON already, so that many sockets can share one encoding."""
    head = b'{"id":' + orjson.dumps(id_) + b',"type":"' + type_.encode() + b'"'
    return (head + b"}" if payload is None else head + b',"payload":' + payload + b"}").decode()
