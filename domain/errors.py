"""What a caller can be told when a request cannot be carried out; docs/errors.md explains each code."""

from collections.abc import Sequence
from enum import StrEnum


class ErrorCode(StrEnum):
    """Codes of `userErrors`: stable, since callers branch on them."""

    INVALID_INPUT = "INVALID_INPUT"
    NOT_FOUND = "NOT_FOUND"
    SLOT_TAKEN = "SLOT_TAKEN"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    INVALID_TRANSITION = "INVALID_TRANSITION"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    OUT_OF_SERVICE_AREA = "OUT_OF_SERVICE_AREA"
    OUTSIDE_HOURS = "OUTSIDE_HOURS"
    TECHNICIAN_UNAVAILABLE = "TECHNICIAN_UNAVAILABLE"
    MISSING_SKILL = "MISSING_SKILL"
    ADDRESS_NOT_FOUND = "ADDRESS_NOT_FOUND"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
    SECOND_FACTOR_REQUIRED = "SECOND_FACTOR_REQUIRED"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 (an error code)
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105 (an error code)
    PLAN_LIMIT = "PLAN_LIMIT"
    TENANT_CANCELLED = "TENANT_CANCELLED"
    IN_USE = "IN_USE"
    BUSY = "BUSY"


class Refusal(Exception):
    """An expected failure: nothing has changed, and the caller is told why.

    Args:
        code: what callers branch on.
        message: one sentence for a person.
        path: where in the input, outermost first, e.g. ("input", "address", "postalCode").
        current: the object as it is now, for VERSION_CONFLICT.
    """

    def __init__(self, code: ErrorCode, message: str, path: Sequence[str] = (), current: object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = tuple(path)
        self.current = current


def invalid(message: str, *path: str) -> Refusal:
    """INVALID_INPUT at `input.<path>`."""
    return Refusal(ErrorCode.INVALID_INPUT, message, ("input", *path))


def not_found(noun: str, *path: str) -> Refusal:
    """NOT_FOUND at `input.<path>`: the same answer for a foreign, a malformed and a random id."""
    return Refusal(ErrorCode.NOT_FOUND, f"There is no such {noun}.", ("input", *path))


class Denied(Exception):
    """The caller may not do that to this object, or not with this value; the GraphQL error FORBIDDEN.

    Args:
        message: one sentence for a person.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Throttled(Exception):
    """Too many attempts; the GraphQL error THROTTLED.

    Args:
        seconds: to wait.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds
