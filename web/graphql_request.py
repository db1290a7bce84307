"""From bytes to a GraphQL request: every malformed one is refused here with 400 and a sentence."""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from schema.limits import Limits
from web.errors import BAD_USER_INPUT, RequestRefused

# orjson reads integers beyond 64 bits as floats, which would change them without a word.
_LONG_NUMBER = re.compile(rb"\d{19}")
_INT64 = range(-(2**63), 2**64)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """What a caller asks for, checked in its types alone: a document by its text, or a trusted one by its id."""

    query: str | None
    document_id: str | None
    variables: dict[str, Any]
    operation_name: str | None


def read_json(body: bytes, limits: Limits) -> object:
    """The value of a body of JSON in UTF-8.

    Raises:
        RequestRefused: 400, when it is none, or nested too deeply, or holds too many values or an integer of over 64 bits.
    """
    if body.count(b",") > limits.json_values:
        raise _refusal(f"The body may hold {limits.json_values:,} values.")
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _refusal("The body must be JSON in UTF-8.") from error
    if body.count(b"[") + body.count(b"{") > limits.json_depth and _depth(value) > limits.json_depth:
        raise _refusal(f"The body may be nested {limits.json_depth} deep.")
    if _LONG_NUMBER.search(body):
        json.loads(body, parse_int=_checked_int)
    return value


def read_request(value: object) -> GraphQLRequest:
    """The request that a value of JSON holds.

    Raises:
        RequestRefused: 400, when a part is missing, of the wrong type, or given besides another in its place.
    """
    if isinstance(value, list):
        raise _refusal("Batches are not taken: send each request by itself.")
    if not isinstance(value, dict):
        raise _refusal("The request must be a JSON object.")
    query, document_id = value.get("query"), value.get("documentId")
    if query is None and document_id is None:
        raise _refusal("The request has neither query nor documentId.")
    if query is not None and document_id is not None:
        raise _refusal("The request has both query and documentId: send one of them.")
    if query is not None and not isinstance(query, str):
        raise _refusal("query must be a string.")
    if document_id is not None and not isinstance(document_id, str):
        raise _refusal("documentId must be a string.")
    variables = value.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise _refusal("variables must be an object.")
    operation_name = value.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise _refusal("operationName must be a string.")
    extensions = value.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise _refusal("extensions must be an object.")
    return GraphQLRequest(query, document_id, variables or {}, operation_name or None)


def _depth(value: object) -> int:
    deepest = 0
    waiting = [(value, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((each, depth + 1) for each in value.values())
        elif isinstance(value, list):
            waiting.extend((each, depth + 1) for each in value)
        else:
            continue
        deepest = max(deepest, depth)
    return deepest


def _checked_int(text: str) -> int:
    if len(text) > 20 or int(text) not in _INT64:
        raise _refusal("An integer may have 64 bits: send longer ones as strings.")
    return int(text)


def _refusal(message: str) -> RequestRefused:
    return RequestRefused(400, BAD_USER_INPUT, message)
