"""What callers are told when something fails: our own words pass; anything else is masked, and logged under its request id."""

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from graphql import GraphQLError

BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL"
DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
TRUSTED_DOCUMENT_REQUIRED = "TRUSTED_DOCUMENT_REQUIRED"
PUBLIC_CODES = frozenset(
    {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        BAD_USER_INPUT,
        "QUERY_TOO_COMPLEX",
        "THROTTLED",
        DOCUMENT_NOT_FOUND,
        TRUSTED_DOCUMENT_REQUIRED,
    }
)
# graphql-core prints the caller's own value into some messages, with a line for each of its brackets.
LONGEST_MESSAGE = 1_000
MASK = "Something went wrong on our side."

FormattedError = dict[str, Any]

log = structlog.get_logger("graphql")


class RequestRefused(Exception):
    """The request is refused as a whole, before any operation of it is looked at.

    Args:
        status: of the HTTP answer.
        code: one of `PUBLIC_CODES`, or INTERNAL.
        message: one sentence for a person.
        headers: sent with the answer.
    """

    def __init__(self, status: int, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = tuple(headers)


class OperationRefused(Exception):
    """The operation is refused before it runs.

    Args:
        errors: ready to be sent.
        status: of the HTTP answer; None: as the negotiated media type has it (400, or 200 for application/json).
        headers: sent with the answer.
        cost: `extensions.cost`, where it is known.
    """

    def __init__(
        self,
        errors: list[FormattedError],
        status: int | None = None,
        headers: Sequence[tuple[str, str]] = (),
        cost: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(errors[0]["message"] if errors else "refused")
        self.errors = errors
        self.status = status
        self.headers = tuple(headers)
        self.cost = cost


def plain_error(code: str, message: str, request_id: str) -> FormattedError:
    """An error that no field of a document caused."""
    return {"message": message, "extensions": {"code": code, "requestId": request_id}}


def refusals(errors: Iterable[GraphQLError], request_id: str) -> list[FormattedError]:
    """Errors of parsing, validating, limiting and coercing: about the caller's own text, so they pass."""
    return [_formatted(error, _code(error) or BAD_USER_INPUT, request_id) for error in errors]


def outcomes(errors: Iterable[GraphQLError], request_id: str) -> list[FormattedError]:
    """Errors of executing: those with a public code pass, the others are masked and logged."""
    return [outcome(error, request_id) for error in errors]


def outcome(error: BaseException, request_id: str) -> FormattedError:
    """One error of executing, as the caller may see it."""
    if isinstance(error, GraphQLError):
        code = _code(error)
        if code is not None:
            return _formatted(error, code, request_id)
        if _is_about_an_argument(error):
            return _formatted(error, BAD_USER_INPUT, request_id)
    return masked(error, request_id)


def masked(error: BaseException, request_id: str) -> FormattedError:
    """INTERNAL, with nothing of the cause; the log has all of it."""
    cause = (error.original_error or error) if isinstance(error, GraphQLError) else error
    path = error.path if isinstance(error, GraphQLError) else None
    log.error("internal_error", requestId=request_id, path=path, exc_info=cause)
    answer = plain_error(INTERNAL, MASK, request_id)
    if path:
        answer["path"] = path
    return answer


def _code(error: GraphQLError) -> str | None:
    code = (error.extensions or {}).get("code")
    return code if isinstance(code, str) and code in PUBLIC_CODES else None


def _formatted(error: GraphQLError, code: str, request_id: str) -> FormattedError:
    answer: FormattedError = {**error.formatted, "message": error.message[:LONGEST_MESSAGE]}
    answer["extensions"] = {**(error.extensions or {}), "code": code, "requestId": request_id}
    return answer


def _is_about_an_argument(error: GraphQLError) -> bool:
    """Whether graphql-core raised it while reading a field's arguments: a null in a variable that may not be null here."""
    trace = error.__traceback__
    if trace is None or not isinstance(error.original_error, GraphQLError):
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__") == "graphql.execution.values"
