"""The id that ties an answer to its lines in the log."""

import re
from secrets import token_hex

from starlette.requests import HTTPConnection

from settings import Settings
from web.client import peer_is_trusted

HEADER = "x-request-id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def new_request_id() -> str:
    """A fresh id. It starts with a letter, so that no redaction takes it for a telephone number."""
    return f"r{token_hex(10)}"


def assign_request_id(connection: HTTPConnection, settings: Settings) -> str:
    """The id of a request from here on: the header's when a trusted proxy sent a sensible one, else a fresh one."""
    given = connection.headers.get(HEADER, "")
    taken = bool(_ACCEPTABLE.fullmatch(given)) and peer_is_trusted(connection, settings)
    request_id = given if taken else new_request_id()
    connection.scope.setdefault("state", {})["request_id"] = request_id
    return request_id


def request_id_of(connection: HTTPConnection) -> str:
    """The request's id; made now when no middleware has assigned one."""
    state = connection.scope.setdefault("state", {})
    found = state.get("request_id")
    if found is None:
        found = state["request_id"] = new_request_id()
    return str(found)
